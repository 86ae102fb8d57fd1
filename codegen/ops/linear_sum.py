"""A sum of two requantised codes as one linear form, where one gives the same 65,536 codes.

TFLite rounds four times on the way from two codes to their sum's; what comes out is nearly always
``(first x a + second x b + offset) >> shift`` for the right three numbers, at a tenth of the cost.
They are searched for, and proven by trying all pairs of codes. So are those of another form, which
the DSP extension computes on four codes at a time.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.fixed_point import INT32_MAX, Int64s
from dynadeep.codegen.graph import Int8s

FAST_SHIFT = 22  # DD_ADD_SHIFT
LARGEST_SHIFT = 30
HIGH_TRIES = 100
HIGH_REACH = 60
REACH = 6  # how far from the rounded factors better ones are looked for
HIGH_LIMIT = 64.0  # of the factors: the sums fit int32
Bools = npt.NDArray[np.bool_]
CODES: Int64s = np.arange(-128, 128, dtype=np.int64)


@dataclass(frozen=True)
class LinearSum:
    """The three numbers and the shift; the sum fits int32 for all codes."""

    first: int
    second: int
    offset: int
    shift: int

    def fields(self) -> dict[str, int]:
        """Return them as ``dd_addition`` names them."""
        return {
            "first_factor": self.first,
            "second_factor": self.second,
            "offset": self.offset,
            "shift": self.shift,
        }


def linear_sum(table: Int8s, ratios: tuple[float, ...], clamp: tuple[int, int]) -> LinearSum | None:
    """Return the form that gives ``table``, or None if none was found.

    Args:
        table: int8 [256, 256], the output's code for each code of the first and the second operand.
        ratios: what a step of each operand is in steps of the output, below zero where it is
            subtracted.
        clamp: the lowest and the highest code that the output is clamped to.
    """
    codes = table.astype(np.int64)
    for shift in _shifts(ratios):
        for first, second in _factors(ratios, shift):
            form = _with_offset(codes, first, second, shift, clamp)
            if form is not None:
                return form
    return None


def _shifts(ratios: tuple[float, ...]) -> Iterator[int]:
    """Yield the fast shift if it can be, then the largest one."""
    span = 256 * (2 + sum(abs(ratio) for ratio in ratios))  # of the sum, in steps of the output
    largest = min(LARGEST_SHIFT, math.floor(31 - math.log2(span)))
    if largest < 0:
        return
    if largest >= FAST_SHIFT - 1:
        yield FAST_SHIFT
    if largest != FAST_SHIFT:
        yield largest


def _factors(ratios: tuple[float, ...], shift: int) -> Iterator[tuple[int, int]]:
    """Yield the rounded factors, then those around them, the nearer ones first."""
    first, second = (round(ratio * (1 << shift)) for ratio in ratios)
    around = range(-REACH, REACH + 1)
    steps = [(first_step, second_step) for first_step in around for second_step in around]
    for first_step, second_step in sorted(steps, key=lambda step: max(abs(step[0]), abs(step[1]))):
        yield first + first_step, second + second_step


def _with_offset(
    codes: Int64s, first: int, second: int, shift: int, clamp: tuple[int, int]
) -> LinearSum | None:
    """Return the form with the offset in the middle of those that serve, if there are any."""
    sums = first * CODES[:, np.newaxis] + second * CODES[np.newaxis]
    low, high = clamp
    bounds = _bounds((codes << shift) - sums, 1 << shift, codes > low, codes < high)
    if bounds is None:
        return None
    offset = (bounds[0] + bounds[1]) // 2
    reach = max(abs(int(sums.min()) + offset), abs(int(sums.max()) + offset), abs(offset))
    if max(reach, abs(first), abs(second)) > INT32_MAX:
        return None
    return LinearSum(first, second, offset, shift)


@dataclass(frozen=True)
class HighSum:
    """``((first x 256a >> 16) + (second x 256b >> 16) + offset) >> 16`` is the code plus 128."""

    first: int = 0
    second: int = 0
    offset: int = 0

    def fields(self) -> dict[str, int]:
        """Return them as ``dd_addition`` names them."""
        return {
            "first_high": self.first,
            "second_high": self.second,
            "high_offset": self.offset,
        }


def high_sum(table: Int8s, ratios: tuple[float, ...], clamp: tuple[int, int]) -> HighSum:
    """Return the form that gives ``table`` once it is clamped; all zeros if none was found.

    The arguments are those of ``linear_sum``.
    """
    if sum(abs(ratio) for ratio in ratios) >= HIGH_LIMIT:
        return HighSum()
    codes, (low, high) = table.astype(np.int64), clamp
    rounded = [round(ratio * (1 << 24)) for ratio in ratios]
    random = np.random.default_rng(0)  # where to look next does not matter
    for attempt in range(HIGH_TRIES):
        steps = random.integers(-HIGH_REACH, HIGH_REACH + 1, 2) if attempt else (0, 0)
        first, second = (factor + int(step) for factor, step in zip(rounded, steps, strict=True))
        sums = ((first * CODES) >> 8)[:, np.newaxis] + ((second * CODES) >> 8)
        bounds = _bounds((codes << 16) - sums, 1 << 16, codes > low, codes < high)
        if bounds is not None:
            return HighSum(first, second, (bounds[0] + bounds[1]) // 2 + (128 << 16))
    return HighSum()


def _bounds(lower: Int64s, step: int, least: Bools, most: Bools) -> tuple[int, int] | None:
    """Return the offsets from the least to the largest that serve, or None.

    Args:
        lower: the least offset for each pair's code.
        step: of a code: as many offsets serve each pair.
        least: for which pairs an offset below that is too small; the others' codes are clamped.
        most: for which one beyond is too large.
    """
    low = int(lower[least].max()) if least.any() else None
    high = int(lower[most].min()) + step - 1 if most.any() else None
    if low is None or high is None:
        only = low if high is None else high
        return (only or 0, only or 0)
    return (low, high) if low <= high else None
