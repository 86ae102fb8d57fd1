"""A sum of two requantised codes as one linear form, where one gives the same 65,536 codes.

TFLite rounds four times on the way from two codes to their sum's; what comes out is nearly always
``(first x a + second x b + offset) >> shift`` for the right three numbers, at a tenth of the cost.
They are searched for, and proven by trying all pairs of codes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dynadeep.codegen.fixed_point import INT32_MAX, Int64s
from dynadeep.codegen.graph import Int8s

FAST_SHIFT = 22  # DD_ADD_SHIFT
LARGEST_SHIFT = 30
REACH = 6  # how far from the rounded factors better ones are looked for
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


def linear_sum(made: Int8s, ratios: tuple[float, ...], clamp: tuple[int, int]) -> LinearSum | None:
    """Return the form that gives ``made``, or None if none was found.

    Args:
        made: int8 [256, 256], the output's code for each code of the first and the second operand.
        ratios: what a step of each operand is in steps of the output, below zero where it is
            subtracted.
        clamp: the lowest and the highest code that the output is clamped to.
    """
    codes = made.astype(np.int64)
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
    steps = [(one, other) for one in around for other in around]
    for one, other in sorted(steps, key=lambda step: max(abs(step[0]), abs(step[1]))):
        yield first + one, second + other


def _with_offset(
    codes: Int64s, first: int, second: int, shift: int, clamp: tuple[int, int]
) -> LinearSum | None:
    """Return the form with the offset in the middle of those that serve, if there are any."""
    sums = first * CODES[:, np.newaxis] + second * CODES[np.newaxis]
    low, high = clamp
    # A code in the middle bounds the offset on both sides, the lowest and highest on one only.
    least, most = codes > low, codes < high
    lower = (codes << shift) - sums
    upper = lower + (1 << shift) - 1
    bounds = (
        int(lower[least].max()) if least.any() else int(upper[most].min()) if most.any() else 0,
        int(upper[most].min()) if most.any() else int(lower[least].max()) if least.any() else 0,
    )
    if bounds[0] > bounds[1]:
        return None
    offset = (bounds[0] + bounds[1]) // 2
    reach = max(abs(int(sums.min()) + offset), abs(int(sums.max()) + offset), abs(offset))
    if max(reach, abs(first), abs(second)) > INT32_MAX:
        return None
    return LinearSum(first, second, offset, shift)
