"""dd_quantize.h: from float and int16 to codes and back, as TFLite's QUANTIZE does it."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.compiling import RUNTIME, SANITIZED, STRICT_C

PROGRAM = """
#include <stdio.h>
#include "dd_quantize.h"
#define SCALE %(scale)s
#define ZERO (%(zero)d)
int main(void)
{
    float value;
    while (fread(&value, sizeof value, 1, stdin) == 1) {
        const int16_t sample = (int16_t)(value > 32767.0f ? 32767 : value < -32768.0f ? -32768
                                         : value != value ? 0 : (int32_t)value);
        const int8_t code = dd_quantize_f32(value, SCALE, ZERO);
        const int8_t of_int = dd_quantize_i16(sample, DD_RATIO(0.001f, SCALE), ZERO);
        const int16_t back = dd_dequantize_i16(of_int, DD_RATIO(SCALE, 0.001f), ZERO);
        const float real = dd_dequantize_f32(code, SCALE, ZERO);
        printf("%%d %%d %%d %%.9g\\n", code, of_int, back, (double)real);
    }
    return 0;
}
"""


@pytest.fixture(scope="module", params=[(0.05, -3), (0.0078125, 0), (0.1, 127)])
def tool(request, tmp_path_factory) -> tuple[Path, np.float32, int]:
    scale, zero = request.param
    folder = tmp_path_factory.mktemp("quantize")
    source = folder / "main.c"
    source.write_text(PROGRAM % {"scale": f"{scale!r}f", "zero": zero})
    flags = [*STRICT_C, *SANITIZED, f"-I{RUNTIME}"]
    subprocess.run(["gcc", *flags, source, "-o", folder / "tool"], check=True)
    return folder / "tool", np.float32(scale), zero


def run(tool: Path, values: np.ndarray) -> np.ndarray:
    completed = subprocess.run(
        [tool], input=values.astype(np.float32).tobytes(), capture_output=True, check=True
    )
    return np.array([line.split() for line in completed.stdout.split(b"\n") if line], np.float64)


def rounded(values: np.ndarray) -> np.ndarray:
    """Round half away from zero."""
    return np.trunc(values + np.copysign(0.5, values))


def test_floats_become_the_codes_of_tflites_quantize_and_values_again(tool) -> None:
    program, scale, zero = tool
    steps = np.arange(-600, 600) / 2
    values = np.concatenate([steps * scale, np.nextafter(steps * scale, 0, dtype=np.float32)])
    values = np.concatenate([values, [1e30, -1e30, np.inf, -np.inf]]).astype(np.float32)
    rows = run(program, values)
    exact = (values / scale).astype(np.float64)
    codes = np.clip(rounded(np.clip(exact, -1e6, 1e6)) + zero, -128, 127)
    assert np.array_equal(rows[:, 0], codes)
    assert np.array_equal(rows[:, 3].astype(np.float32), (codes - zero).astype(np.float32) * scale)


def test_what_is_no_number_has_the_zero_point(tool) -> None:
    program, _, zero = tool
    assert run(program, np.array([np.nan]))[0, 0] == zero


def test_samples_become_codes_with_integers_alone_and_come_back_within_half_a_step(tool) -> None:
    program, scale, zero = tool
    samples = np.array([*range(-3000, 3000, 7), -32768, 32767])
    rows = run(program, samples)
    real = samples * 0.001 / float(scale)
    assert np.all(np.abs(rows[:, 1] - np.clip(real + zero, -128, 127)) <= 0.5 + 1e-3)
    inside = (rows[:, 1] > -128) & (rows[:, 1] < 127)
    assert np.all(np.abs(rows[inside, 2] - samples[inside]) <= float(scale) / 0.001 / 2 + 1)
