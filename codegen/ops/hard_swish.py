"""HARD_SWISH, x * relu6(x + 3) / 6, in the 16-bit fixed point of TFLite's reference kernel."""

from dataclasses import dataclass

import numpy as np

from dynadeep.codegen.fixed_point import Int64s, clamp_int8, divide_by_power_of_two
from dynadeep.codegen.graph import Int8s, Node
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Pointwise

INT16_MIN, INT16_MAX = -(1 << 15), (1 << 15) - 1
HIRES_SHIFT = 7  # a code less its zero point has 9 bits; this moves it up in 16

EXPONENT_LIMIT = 15  # beyond it the reference shifts 16 bits by 16 or more


@dataclass(frozen=True, eq=False)
class HardSwish(Pointwise):
    """Both multipliers as a mantissa of 16 bits and an exponent.

    ``output`` goes from steps of the input to steps of the output, ``reluish`` from steps of the
    input to 3 / 2**15.
    """

    output_multiplier: tuple[int, int]
    reluish_multiplier: tuple[int, int]

    def evaluate(self, codes: tuple[Int8s, ...]) -> Int8s:
        """Multiply the input by what relu6 makes of it, each in 16 bits."""
        steps = (codes[0].astype(np.int64) - self.inputs[0].zero_point) << HIRES_SHIFT
        mantissa, exponent = self.output_multiplier
        scaled = _rounding_high_product(steps, mantissa)
        product = _high_product(_reluish(steps, *self.reluish_multiplier), scaled)
        return clamp_int8(divide_by_power_of_two(product, -exponent) + self.output.zero_point)


def _reluish(steps: Int64s, mantissa: int, exponent: int) -> Int64s:
    """Return relu6(x + 3) / 6 in steps of 2**-15; x beyond 3 saturates."""
    wide = _saturated(steps << max(exponent - 1, 0))
    scaled = _rounding_high_product(wide, mantissa)
    if exponent > 0:
        scaled = _saturated(scaled << 1)
    scaled = divide_by_power_of_two(scaled, max(-exponent, 0))
    moved: Int64s = (scaled + (1 << 15)) >> 1
    return moved


def _saturated(values: Int64s) -> Int64s:
    clipped: Int64s = np.clip(values, INT16_MIN, INT16_MAX)
    return clipped


def _rounding_high_product(values: Int64s, mantissa: int) -> Int64s:
    """Return the upper half of twice the 16-bit product, rounded to nearest, halves upward."""
    high: Int64s = (values * mantissa + (1 << 14)) >> 15
    return high


def _high_product(values: Int64s, factors: Int64s) -> Int64s:
    """Return the upper half of twice the 16-bit product, rounded towards zero."""
    products = values * factors
    high: Int64s = np.sign(products) * (np.abs(products) >> 15)
    return _saturated(high)


def read(node: Node) -> HardSwish:
    """Read and check a HARD_SWISH."""
    x, y = checks.one_to_one(node)
    with np.errstate(over="ignore", under="ignore"):  # TFLite's scales are float32 throughout
        hires = np.float32(1 / 128) * np.float32(x.scale)
        output = _short_multiplier(node, float(hires / np.float32(y.scale)))
        reluish = _short_multiplier(node, float(hires / np.float32(3 / 32768)))
    if not -EXPONENT_LIMIT <= output[1] <= 0:
        node.refuse(
            f"its input's scale {x.scale:g} is not from 1/512 to 128 of its output's {y.scale:g}, "
            "within which TFLite's 16 bits suffice",
            checks.QUANTISE,
        )
    return HardSwish(node, (x,), y, output, reluish)


def _short_multiplier(node: Node, real: float) -> tuple[int, int]:
    """Return a multiplier with a mantissa of 16 bits, rounded from 32."""
    mantissa, exponent = checks.multiplier(node, real, checks.CODE_SHIFT_LIMIT)
    return min((mantissa + (1 << 15)) >> 16, INT16_MAX), exponent
