"""TFLite's requantisation as its reference kernels compute it, bit by bit.

A real multiplier becomes a 31-bit mantissa and a power of two; multiplying by it rounds twice: once
to the mantissa's unit, once in the shift to the right.
"""

import math

import numpy as np
import numpy.typing as npt

INT8_MIN, INT8_MAX = -128, 127
INT32_MAX = (1 << 31) - 1
SMALLEST_SHIFT, LARGEST_SHIFT = -31, 30

Int64s = npt.NDArray[np.int64]


def round_half_away(value: float) -> int:
    """Round to the nearest integer, halves away from zero, as C's ``round`` does."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Return (mantissa, shift) with ``real`` close to ``mantissa * 2**(shift - 31)``.

    The mantissa is 0 or in [2**30, 2**31). What is below 2**-32 or so becomes 0.

    Raises:
        OverflowError: ``real`` is not finite, or its shift is above ``LARGEST_SHIFT``.
    """
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    mantissa = round_half_away(fraction * (1 << 31))
    if mantissa == 1 << 31:
        mantissa //= 2
        shift += 1
    if shift < SMALLEST_SHIFT:
        return 0, 0
    if shift > LARGEST_SHIFT:
        raise OverflowError(f"the multiplier {real:g} is above 2^{LARGEST_SHIFT}")
    return mantissa, shift


def split_multiplier(real: float) -> tuple[int, int, int]:
    """Return (mantissa, fraction, shift): ``real`` with all bits that a double has.

    It is (mantissa + fraction * 2**-32) * 2**(shift - 31), with a mantissa of 0 or in
    [2**30, 2**31), and a fraction below 2**32. What is below 2**-32 becomes 0.

    Raises:
        OverflowError: ``real`` is not finite, or its shift is above ``LARGEST_SHIFT``.
    """
    part, shift = math.frexp(real)
    if real == 0 or shift < SMALLEST_SHIFT:
        return 0, 0, 0
    if shift > LARGEST_SHIFT or not math.isfinite(real):
        raise OverflowError(f"the multiplier {real:g} is above 2^{LARGEST_SHIFT}")
    mantissa, fraction = divmod(int(math.ldexp(part, 63)), 1 << 32)
    return mantissa, fraction, shift


def requantize_once(value: int, mantissa: int, fraction: int, shift: int) -> int:
    """Multiply an int32 by a split multiplier, rounded once, ties away from zero."""
    size = abs(value)
    product = size * mantissa + (size * fraction >> 32)
    down = 31 - shift
    rounded = (product + (1 << (down - 1))) >> down
    return rounded if value >= 0 else -rounded


def is_rounded_once(real: float, largest: int) -> bool:
    """Return whether ``requantize_once`` is a double's ``round(value * real)`` up to ``largest``.

    Both are odd and rise with the value, so that it is enough to look where the result steps, and
    no further than int8 reaches.
    """
    if real == 0:
        return True
    steps = (math.ceil((code - 0.5) / real) for code in range(1, 257))
    candidates = {
        value for step in steps for value in range(step - 1, step + 2) if 0 <= value <= largest
    }
    split = split_multiplier(real)
    return all(
        round_half_away(value * real) == requantize_once(value, *split) for value in candidates
    )


def requantize(values: Int64s, mantissa: int, shift: int) -> Int64s:
    """Multiply int32 ``values`` by a quantised multiplier.

    ``values << shift`` must fit int32 where the shift is to the left.
    """
    return divide_by_power_of_two(
        _doubling_high_product(values << max(shift, 0), mantissa), max(-shift, 0)
    )


def _doubling_high_product(values: Int64s, mantissa: int) -> Int64s:
    """Return the upper half of twice the product, rounded to nearest, ties upward."""
    high: Int64s = (values * mantissa + (1 << 30)) >> 31
    return high


def divide_by_power_of_two(values: Int64s, shift: int) -> Int64s:
    """Divide by a power of two, rounded to nearest, ties away from zero."""
    mask = (1 << shift) - 1
    threshold = (mask >> 1) + (values < 0)
    shifted: Int64s = (values >> shift) + ((values & mask) > threshold)
    return shifted


def clamp_int8(values: Int64s) -> npt.NDArray[np.int8]:
    """Clamp to int8."""
    clamped: Int64s = np.clip(values, INT8_MIN, INT8_MAX)
    return clamped.astype(np.int8)


def activation_range(activation: str, scale: float, zero_point: int) -> tuple[int, int]:
    """Return the int8 clamp of a fused activation: "NONE", "RELU", "RELU6" or "RELU_N1_TO_1".

    Raises:
        KeyError: the activation is another one.
        OverflowError: a bound of the activation has a code beyond int32, which TFLite refuses.
    """
    bounds: dict[str, tuple[float | None, float | None]] = {
        "NONE": (None, None),
        "RELU": (0.0, None),
        "RELU6": (0.0, 6.0),
        "RELU_N1_TO_1": (-1.0, 1.0),
    }
    low, high = bounds[activation]
    return (
        INT8_MIN if low is None else max(INT8_MIN, code_of(low, scale, zero_point)),
        INT8_MAX if high is None else min(INT8_MAX, code_of(high, scale, zero_point)),
    )


def code_of(value: float, scale: float, zero_point: int) -> int:
    """Quantise ``value`` with float32 arithmetic, as TFLite does.

    Raises:
        OverflowError: its code is beyond int32, which TFLite refuses.
    """
    with np.errstate(over="ignore"):
        steps = float(np.float32(value) / np.float32(scale))
    if abs(steps) > INT32_MAX:
        raise OverflowError(f"the code of {value:g} at scale {scale:g} is beyond int32")
    return zero_point + round_half_away(steps)
