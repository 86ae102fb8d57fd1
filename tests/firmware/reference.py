"""TFLite's integer arithmetic in numpy, straight from its definition and without a trick."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int8 = npt.NDArray[np.int8]
Int64 = npt.NDArray[np.int64]

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1
TILE = 4
"""DD_CONV1D_TILE."""


def multiply_high(value: int, multiplier: int) -> int:
    """Return value x multiplier / 2^31: the nudge and the division towards zero, as TFLite does."""
    if value == multiplier == INT32_MIN:
        return INT32_MAX
    product = value * multiplier
    nudged = product + ((1 << 30) if product >= 0 else 1 - (1 << 30))
    return nudged // (1 << 31) if nudged >= 0 else -(-nudged // (1 << 31))


def divide_by_power(value: int, exponent: int) -> int:
    """Return value / 2^exponent, rounded to nearest, ties away from zero."""
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (value < 0)
    return (value >> exponent) + ((value & mask) > threshold)


def requantize(value: int, multiplier: int, shift: int) -> int:
    left, right = max(shift, 0), max(-shift, 0)
    return divide_by_power(multiply_high(value << left, multiplier), right)


def requantize_rows(sums: Int64, multiplier: Int64, shift: Int8) -> Int64:
    """Requantise ``sums`` [..., C] by each channel's multiplier and shift."""
    columns = []
    for channel in range(sums.shape[-1]):
        scale, power = int(multiplier[channel]), int(shift[channel])
        columns.append([requantize(int(value), scale, power) for value in sums[..., channel].flat])
    return np.array(columns, np.int64).T.reshape(sums.shape)


@dataclass(frozen=True)
class Conv1d:
    """A convolution; the bias is TFLite's, without the zero point's share."""

    weights: Int8  # [channels, kernel, in_channels]
    bias: Int64
    multiplier: Int64
    shift: Int8
    out_length: int
    stride: int
    pad_before: int
    in_zero_point: int
    zero_point: int
    low: int = -128
    high: int = 127
    table: Int8 | None = None

    @property
    def out_channels(self) -> int:
        return len(self.weights)

    def folded_bias(self) -> Int64:
        sums: Int64 = self.weights.astype(np.int64).sum(axis=(1, 2))
        return self.bias - self.in_zero_point * sums

    @property
    def doubles(self) -> bool:
        """Whether twice any sum, its bias included, fits int32, and all shifts are -22 to -2."""
        magnitudes = np.abs(self.weights.astype(np.int64)).sum(axis=(1, 2))
        start = np.maximum(np.abs(self.folded_bias()), np.abs(self.bias))
        fit = 2 * int((start + 255 * magnitudes).max()) <= INT32_MAX
        return fit and bool(((self.shift >= -22) & (self.shift <= -2)).all())

    def run(self, x: Int8) -> Int8:
        """Convolve ``x`` [T, C]."""
        codes = self.run_without_table(x)
        return codes if self.table is None else self.table[codes.astype(np.int64) + 128]

    def run_without_table(self, x: Int8) -> Int8:
        kernel = self.weights.shape[1]
        reach = (self.out_length - 1) * self.stride + kernel
        padded = np.zeros((max(reach, self.pad_before + len(x)), x.shape[1]), np.int64)
        padded[self.pad_before : self.pad_before + len(x)] = x.astype(np.int64) - self.in_zero_point
        starts = range(0, self.out_length * self.stride, self.stride)
        windows = np.stack([padded[start : start + kernel] for start in starts])
        sums = np.einsum("tkc,okc->to", windows, self.weights.astype(np.int64)) + self.bias
        scaled = requantize_rows(sums, self.multiplier, self.shift)
        return np.clip(scaled + self.zero_point, self.low, self.high).astype(np.int8)

    def least_lead(self, in_length: int) -> int:
        """Return how far the input must begin behind the output in a buffer that they share.

        It holds for tiles of up to TILE steps that start anywhere, as codegen plans: where tiles
        of three start, none of four does.
        """
        channels, _, in_channels = self.weights.shape
        lead = 0
        for step in range(self.out_length):
            read = max(0, step * self.stride - self.pad_before)
            written = min(step + TILE, self.out_length) * channels
            if read < in_length:
                lead = max(lead, written - read * in_channels)
        return lead
