"""The integer arithmetic between the ADC sample and the packet, as Python defines it.

The C in ``firmware_templates/runtime`` computes the same; the tests hold one against the other.
Kernels have no twin here: their reference is TFLite's own.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import Codec, InputMap, Level
from dynadeep.codegen.errors import CodegenError
from dynadeep.codegen.fixed_point import INT8_MAX, INT32_MAX

ERROR_FRACTION_BITS = 24
"""Errors, margins and bounds are int32 in Q8.24: 1.0 is 2**24, the largest is just under 128."""

ERROR_ONE = 1 << ERROR_FRACTION_BITS
FRACTION_BITS = 16
"""Of the way from one knot of a margin table to the next."""

LEVEL_NONE = 0


def map_input(samples: npt.NDArray[np.int16], input_map: InputMap) -> npt.NDArray[np.int8]:
    """Map ADC samples to the encoder's int8 input.

    Args:
        samples: int16 ``[..., T]``, ADC units. ``minmax`` scales over the last axis.
        input_map: the map; its integers are part of the numeric contract.

    Returns:
        int8 ``[..., T]``.
    """
    if input_map.kind == "affine":
        clipped: npt.NDArray[np.int64] = np.clip(_scaled(samples, input_map), -128, 127)
        return clipped.astype(np.int8)
    wide = samples.astype(np.int64)
    low = wide.min(axis=-1, keepdims=True)
    span = wide.max(axis=-1, keepdims=True) - low
    # A flat window has no span; all of it maps to the lowest code.
    scaled = (255 * (wide - low) + span // 2) // np.maximum(span, 1)
    codes: npt.NDArray[np.int64] = scaled - 128
    return codes.astype(np.int8)


def clipped_samples(samples: npt.NDArray[np.int16], input_map: InputMap) -> npt.NDArray[np.int64]:
    """Return how many samples of each segment, int16 ``[..., T]``, the input map clips, ``[...]``.

    ``minmax`` clips none, since it scales each segment by its own range.
    """
    if input_map.kind == "minmax":
        return np.zeros(samples.shape[:-1], np.int64)
    scaled = _scaled(samples, input_map)
    counts: npt.NDArray[np.int64] = ((scaled < -128) | (scaled > 127)).sum(axis=-1)
    return counts


def _scaled(samples: npt.NDArray[np.int16], input_map: InputMap) -> npt.NDArray[np.int64]:
    """Return what the affine map makes of ``samples`` before it is clipped to int8."""
    half = 1 << (input_map.shift - 1)
    moved = samples.astype(np.int64) - input_map.offset
    scaled: npt.NDArray[np.int64] = (moved * input_map.multiplier + half) >> input_map.shift
    return scaled


def fixed_error(value: float) -> int:
    """Return an error or bound as Q8.24, saturated at the largest int32.

    Raises:
        CodegenError: ``value`` is negative or not a number.
    """
    if not value >= 0:
        raise CodegenError(f"error {value} is not a number of 0 or more. Give a positive bound.")
    if value >= 128:
        return INT32_MAX
    return min(round(value * ERROR_ONE), INT32_MAX)


def fixed_margin(value: float) -> int:
    """Return a margin as Q8.24, saturated: like an error, but it may be negative.

    A head that foresees more than comes true gets a negative one.

    Raises:
        CodegenError: ``value`` is not a number.
    """
    return fixed_error(value) if value >= 0 else -fixed_error(-value)


def real_error(fixed: int) -> float:
    """Return a Q8.24 error as a float."""
    return fixed / ERROR_ONE


def error_scale(level: Level) -> int:
    """Return the Q8.24 step of one code of a level's predicted error.

    Raises:
        CodegenError: 255 steps do not fit int32, or a step is too small to be represented.
    """
    step = round(level.error.scale * ERROR_ONE)
    if not 1 <= step <= INT32_MAX // 255:
        raise CodegenError(
            f"level {level.name}: the predicted error's scale {level.error.scale:g} is outside "
            f"[{1 / ERROR_ONE:g}, 0.5]. Train the head in another unit."
        )
    return step


def predicted_error(code: int, level: Level) -> int:
    """Return the predicted error (Q8.24, not negative) for a head's int8 output ``code``.

    The highest code stands for itself and all that lies above: it becomes the largest error, which
    no bound below that admits.
    """
    if code == INT8_MAX:
        return INT32_MAX
    return max(0, (code - level.error.zero_point) * error_scale(level))


@dataclass(frozen=True)
class MarginTable:
    """What is added to each level's predicted error, by the bound; Q8.24 throughout.

    ``knots`` ascend; ``levels`` has a row for each level, weakest compression first, of one margin
    a knot.
    """

    knots: tuple[int, ...]
    levels: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, bounds: Sequence[float], levels: Iterable[Sequence[float]]) -> "MarginTable":
        """Return the table of real bounds and margins."""
        rows = tuple(tuple(fixed_margin(margin) for margin in row) for row in levels)
        return cls(tuple(fixed_error(bound) for bound in bounds), rows)

    @classmethod
    def of_segments(cls, codec: Codec) -> "MarginTable":
        """Return the table of a codec for one decision a segment, which is what a device does."""
        return cls.of(codec.margin_bounds, [level.margins for level in codec.levels])

    @classmethod
    def of_records(cls, codec: Codec) -> "MarginTable":
        """Return the table of a codec for one decision a record, ``record_level``."""
        return cls.of(codec.margin_bounds, [level.record_margins for level in codec.levels])

    def at(self, bound: int) -> list[int]:
        """Return each level's margin at a bound: linear between two knots, constant beyond them.

        ``fraction`` is rounded down, and so is the margin; at a knot it is the knot's own.
        """
        knot = max(bisect_right(self.knots, bound) - 1, 0)
        fraction = self._fraction(knot, bound)
        if fraction == 0:
            return [margins[knot] for margins in self.levels]
        return [
            margins[knot] + ((margins[knot + 1] - margins[knot]) * fraction >> FRACTION_BITS)
            for margins in self.levels
        ]

    def real_at(self, bound: float) -> npt.NDArray[np.float64]:
        """Return each level's margin at a bound, both real numbers, as ``at`` has it."""
        return np.array([real_error(margin) for margin in self.at(fixed_error(bound))])

    def least_bound(self, level: int, error: int) -> int:
        """Return the least bound that a predicted error of a level, counted from 0, is within.

        2**31 where none is. Limits, bound less margin, are taken to rise with the bound.
        """
        return bisect_left(
            range(INT32_MAX + 1), True, key=lambda bound: error + self.at(bound)[level] <= bound
        )

    def _fraction(self, knot: int, bound: int) -> int:
        """Return how much of the way to the next knot a bound lies, by a 32-bit division."""
        if bound <= self.knots[knot] or knot + 1 == len(self.knots):
            return 0
        part, whole = bound - self.knots[knot], self.knots[knot + 1] - self.knots[knot]
        while whole >> FRACTION_BITS:
            part, whole = part >> 1, whole >> 1
        return (part << FRACTION_BITS) // whole


def choose_level(
    predicted: list[int], margins: list[int], bound: int, *, lossless: bool = True
) -> int:
    """Return the strongest level whose predicted error plus margin is within ``bound``, else 0.

    Args:
        predicted: Q8.24 per level, weakest compression first.
        margins: Q8.24 per level: ``MarginTable.at`` that bound.
        bound: Q8.24.
        lossless: whether there is level 0; without it the weakest compression takes its place.
    """
    for index in reversed(range(len(predicted))):
        if predicted[index] + margins[index] <= bound:
            return index + 1
    return LEVEL_NONE if lossless else 1


def record_level(predicted: npt.NDArray[np.int32], margins: Sequence[int], bound: int) -> int:
    """Return the strongest level at which a whole record is within ``bound``, else 0.

    A level is within it if the mean of its segments' predicted errors plus the margin is, without
    rounding: ``sum(predicted) <= n * (bound - margin)``. One segment at the largest error makes the
    mean the largest, since it stands for all that lies above. A record of one segment is decided as
    ``choose_level`` decides it.

    Args:
        predicted: Q8.24, int32 ``[segments, levels]``, weakest compression first.
        margins: Q8.24 per level.
        bound: Q8.24.
    """
    if predicted.ndim != 2 or len(predicted) == 0 or predicted.shape[1] != len(margins):
        raise ValueError(f"predicted is {predicted.shape}, expected [1 or more, {len(margins)}]")
    count = len(predicted)
    saturated = (predicted == INT32_MAX).any(axis=0)
    sums = np.where(saturated, count * INT32_MAX, predicted.sum(axis=0, dtype=np.int64))
    for index in reversed(range(len(margins))):
        if int(sums[index]) <= count * (bound - margins[index]):
            return index + 1
    return LEVEL_NONE
