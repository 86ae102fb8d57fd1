from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dynadeep.codegen.bundle import InputMap
from dynadeep.codegen.numerics import map_input
from dynadeep.export.errors import ExportError
from dynadeep.export.input_map import integer_map
from dynadeep.train import input_map as trained

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)


@dataclass(frozen=True)
class Odd:
    kind: str
    offset: float = 0.0
    scale: float = 1.0


@given(offset=st.integers(-3000, 3000), scale=st.integers(20, 20000))
def test_integers_give_the_real_map_rounded_to_the_nearest_code(offset, scale):
    real = trained.InputMap("affine", float(offset), float(scale))
    codes = map_input(EVERY_SAMPLE, integer_map(real)).astype(np.int64)
    adc = torch.from_numpy(EVERY_SAMPLE.astype(np.float64))[None]
    exact = real.apply(adc)[0, 0].numpy() * 128
    assert np.abs(codes - exact).max() <= 0.5 + 128 / (1 << 13)


@given(scale=st.floats(1, 1 << 20))
def test_multiplier_has_fourteen_bits_and_the_largest_shift_that_leaves_it_so(scale):
    integers = integer_map(Odd("affine", scale=scale))
    assert 1 << 12 <= integers.multiplier < 1 << 14
    assert round(128 * (1 << (integers.shift + 1)) / scale) >= 1 << 14


@given(scale=st.floats(1, 1 << 20), offset=st.integers(-32768, 32767))
def test_no_int16_sample_overflows_int32_on_the_way(scale, offset):
    integers = integer_map(Odd("affine", float(offset), scale))
    farthest = max(32767 - offset, offset + 32768)
    assert farthest * integers.multiplier + (1 << (integers.shift - 1)) < 1 << 31


def test_minmax_has_no_integers():
    assert integer_map(Odd("minmax", 5.0, 9.0)) == InputMap("minmax", 0, 0, 0)


@pytest.mark.parametrize(
    ("real", "message"),
    [
        (Odd("affine", 0.5, 100.0), "offset 0.5 is not a whole int16 ADC value"),
        (Odd("affine", 40000.0, 100.0), "offset 40000.0 is not a whole int16"),
        (Odd("affine", 0.0, 0.0), "scale 0.0 ADC units cannot be written"),
        (Odd("affine", 0.0, -5.0), "scale -5.0 ADC units cannot be written"),
        (Odd("affine", 0.0, float("nan")), "scale nan ADC units cannot be written"),
        (Odd("logarithmic"), "'logarithmic': the board has affine and minmax"),
    ],
)
def test_a_map_that_the_board_cannot_compute_is_refused(real, message):
    with pytest.raises(ExportError, match=message):
        integer_map(real)
