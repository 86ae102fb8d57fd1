"""Random layers for the kernels' tests."""

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from tests.firmware.reference import INT32_MAX, Conv1d

Int8 = npt.NDArray[np.int8]
Int64 = npt.NDArray[np.int64]
Rng = np.random.Generator

KINDS = ("ordinary", "extreme values", "extreme sums", "left shifts")


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Conv1d, Int8]:
    """Return a convolution and an input for it."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    kernel = draw(st.one_of(st.integers(1, 16), st.sampled_from((1, 3, 5, 7, 11))))
    in_channels = draw(st.sampled_from((1, 2, 3, 5, 8, 16, 17, 32, 64)))
    channels = draw(st.sampled_from((1, 2, 3, 5, 8, 16, 33, 64, 65, 67)))
    stride = draw(st.integers(1, 4))
    in_length = draw(st.integers(1, 24))
    pad_before = draw(st.integers(0, kernel))
    pad_after = draw(st.integers(0, kernel))
    out_length = (in_length + pad_before + pad_after - kernel) // stride + 1
    if out_length < 1:
        in_length, out_length = in_length + kernel, in_length // stride + 1
    kind = draw(st.sampled_from(KINDS))
    shape = (channels, kernel, in_channels)
    weights, x = _values(rng, shape, kind), _values(rng, (in_length, in_channels), kind)
    in_zero_point = int(rng.integers(-128, 128))
    low, high = draw(st.sampled_from(((-128, 127), (-128, 127), (-5, 127), (-100, 30), (7, 7))))
    table = rng.integers(-128, 128, 256).astype(np.int8) if draw(st.booleans()) else None
    conv = Conv1d(
        weights,
        *_channels(rng, channels, kernel * in_channels, kind),
        out_length,
        stride,
        pad_before,
        in_zero_point,
        int(rng.integers(-128, 128)),
        low,
        high,
        table,
    )
    return conv, x


def _values(rng: Rng, shape: tuple[int, ...], kind: str) -> Int8:
    if kind == "ordinary":
        return rng.integers(-128, 128, shape).astype(np.int8)
    if rng.random() < 0.5:
        return np.full(shape, rng.choice([-128, 127]), np.int8)
    return rng.choice(np.array([-128, -127, 127], np.int8), shape)


def _channels(rng: Rng, channels: int, window: int, kind: str) -> tuple[Int64, Int64, Int8]:
    """Return biases, multipliers and shifts that keep every accumulator within int32."""
    reach = window * 128 * 255 + window * 128 * 128
    multiplier = rng.integers(1 << 30, 1 << 31, channels)
    if kind == "ordinary":
        bias = rng.integers(-(1 << 18), 1 << 18, channels)
        shift = -rng.integers(0, 14, channels)
    elif kind == "left shifts":
        bias = rng.integers(-1000, 1000, channels)
        room = 31 - int(reach + 1000).bit_length()
        shift = rng.integers(0, max(room, 1), channels)
    else:
        bias = rng.choice([-1, 1], channels) * (INT32_MAX - reach)
        shift = rng.choice([0, -1, -2, -3, -20, -24, -30, -31], channels)
        multiplier = rng.choice([0, 1 << 30, (1 << 30) + 1, INT32_MAX - 1, INT32_MAX], channels)
    return bias.astype(np.int64), multiplier.astype(np.int64), shift.astype(np.int8)
