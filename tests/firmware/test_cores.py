"""The convolution on emulated cores: each kernel set gives the bits of the definition."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dynadeep.codegen.kernels import DSP, KernelSet
from tests.firmware.emulated import CORES, Core, build_for, emulate
from tests.firmware.reference import Conv1d

Array = npt.NDArray[np.signedinteger]


@dataclass(frozen=True)
class Case:
    """A layer, and the most instructions per MAC that the DSP kernels may take for it."""

    name: str
    length: int
    in_channels: int
    channels: int
    kernel: int
    stride: int
    out_length: int
    per_mac: float = 20.0
    weight: int | None = None  # all of them; else drawn
    value: int | None = None  # the same for the input


CASES = (
    Case("wide window", 125, 64, 32, 7, 1, 125, 1.3),
    Case("stride 2", 120, 32, 64, 5, 2, 60, 1.3),
    Case("pointwise", 100, 64, 32, 1, 1, 100, 1.6),
    Case("one channel in", 400, 1, 8, 3, 1, 400, 14.0),
    Case("one channel out", 62, 32, 1, 7, 1, 62, 7.0),
    Case("odd everything", 51, 3, 5, 6, 3, 17, 12.0),
    Case("lowest by lowest", 40, 33, 7, 15, 4, 10, weight=-128, value=-128),
    Case("lowest by highest", 40, 33, 7, 15, 4, 10, weight=-128, value=127),
    Case("highest by lowest", 40, 64, 66, 9, 1, 40, weight=127, value=-128),
    Case("highest by highest", 40, 64, 66, 9, 2, 20, weight=127, value=127),
    *(Case(f"kernel {k}", 37, 5, 3, k, 1 + k % 4, 37 // (1 + k % 4)) for k in range(1, 16)),
)


def make(case: Case, rng: np.random.Generator) -> tuple[Conv1d, npt.NDArray[np.int8]]:
    weights = rng.integers(-128, 128, (case.channels, case.kernel, case.in_channels))
    x = rng.integers(-128, 128, (case.length, case.in_channels))
    conv = Conv1d(
        (weights if case.weight is None else np.full_like(weights, case.weight)).astype(np.int8),
        rng.integers(-(1 << 12), 1 << 12, case.channels),
        rng.integers(1 << 30, 1 << 31, case.channels),
        -rng.integers(6, 10, case.channels).astype(np.int8),
        case.out_length,
        case.stride,
        (case.kernel - 1) // 2,
        -7,
        11,
        table=rng.integers(-128, 128, 256).astype(np.int8),
    )
    return conv, (x if case.value is None else np.full_like(x, case.value)).astype(np.int8)


def array(kind: str, name: str, values: Array) -> str:
    body = ", ".join(str(value) for value in values.ravel())
    return f"static const {kind} {name}[] = {{{body}}};\n"


def words(name: str, values: Array) -> str:
    """As the generated C lays weights out: aligned."""
    return array("_Alignas(4) int8_t", name, values)


def arrays(conv: Conv1d, x: npt.NDArray[np.int8], index: int, kernels: KernelSet) -> str:
    assert conv.table is not None
    return (
        array("int8_t", f"in{index}", x)
        + words(f"weights{index}", kernels.ordered(conv.weights))
        + array("int32_t", f"bias{index}", conv.folded_bias())
        + array("int32_t", f"multiplier{index}", conv.multiplier)
        + array("int8_t", f"shift{index}", conv.shift)
        + array("int8_t", f"table{index}", conv.table)
    )


def initialiser(conv: Conv1d, x: npt.NDArray[np.int8], index: int) -> str:
    channels, kernel, in_channels = conv.weights.shape
    numbers = [in_channels, channels, kernel, conv.stride]
    numbers += [
        *(conv.pad_before, 1, in_channels, channels),
        conv.in_zero_point,
        conv.zero_point,
        conv.low,
        conv.high,
        int(conv.doubles),
    ]
    names = [f"{name}{index}" for name in ("weights", "bias", "multiplier", "shift")]
    layer = ", ".join([*map(str, numbers), *names])
    return f"{{{{{layer}}}, table{index}, in{index}, {len(x)}, {conv.out_length}}},\n"


def write_cases(
    convolutions: list[tuple[Conv1d, npt.NDArray[np.int8]]], path: Path, kernels: KernelSet
) -> None:
    largest = max(conv.out_length * conv.out_channels for conv, _ in convolutions)
    path.write_text(
        '#include "dd_conv1d_s8.h"\n'
        f"#define CASES {len(convolutions)}u\n#define OUT_BYTES_MAX {largest}u\n"
        + "".join(arrays(conv, x, index, kernels) for index, (conv, x) in enumerate(convolutions))
        + "typedef struct one_case { dd_conv1d layer; const int8_t *table; const int8_t *in;\n"
        + "int32_t in_length; uint32_t out_length; } one_case;\n"
        + "static const one_case cases[CASES] = {\n"
        + "".join(initialiser(conv, x, index) for index, (conv, x) in enumerate(convolutions))
        + "};\n",
        encoding="utf-8",
    )


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
def test_a_core_gives_the_same_bits_and_the_dsp_kernels_keep_to_a_budget(
    tmp_path: Path, core: Core
) -> None:
    rng = np.random.default_rng(3)
    convolutions = [make(case, rng) for case in CASES]
    write_cases(convolutions, tmp_path / "cases.h", core.kernels)
    results = emulate(build_for(core, "main.c", tmp_path), core)
    for case, (conv, x), (crc, instructions) in zip(CASES, convolutions, results, strict=True):
        macs = conv.out_length * conv.weights.size
        assert crc == zlib.crc32(conv.run(x).tobytes()), case.name
        if core.kernels is DSP and not core.traps:
            per_mac = instructions / macs
            assert per_mac <= case.per_mac, f"{case.name}: {per_mac:.2f} a MAC"
