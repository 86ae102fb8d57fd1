"""ADD and SUB of two int8 tensors, or of one and a constant."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynadeep.codegen.fixed_point import Int64s, requantize
from dynadeep.codegen.graph import Int8s, Node, Tensor
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.linear_sum import high_sum, linear_sum
from dynadeep.codegen.ops.pair import (
    Pair,
    PairLayer,
    PointwisePair,
    is_pointwise,
    operands_of,
    read_pair,
)

LEFT_SHIFT = 20  # bits that TFLite gives both operands before it scales them
FLOAT32_MAX = float(np.finfo(np.float32).max)
CODES = np.arange(-128, 128).astype(np.int8)


@dataclass(frozen=True)
class Scaling:
    """Multipliers as a mantissa, below zero where its operand is subtracted, and a shift."""

    first: tuple[int, int]
    second: tuple[int, int]
    output: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Add(Pair):
    """The sum of two operands, value by value."""

    scaling: Scaling
    low: int
    high: int

    def compute(self, first: Int8s, second: Int8s) -> Int8s:
        """Scale both operands with 20 bits more, add, requantise, clamp."""
        left, right = self.operands
        total = _scaled(first, left.zero_point, *self.scaling.first)
        total = total + _scaled(second, right.zero_point, *self.scaling.second)
        codes = requantize(total, *self.scaling.output) + self.output.zero_point
        return np.clip(codes, self.low, self.high).astype(np.int8)

    def lower(self) -> PairLayer:
        """Return a layer of one linear form, or of TFLite's steps where there is no such form."""
        first, second = self.operands
        codes = self.compute(CODES[:, np.newaxis], CODES[np.newaxis])
        signs = (np.sign(self.scaling.first[0]), np.sign(self.scaling.second[0]))
        ratios = tuple(
            int(sign) * operand.scale / self.output.scale
            for sign, operand in zip(signs, (first, second), strict=True)
        )
        clamp = (self.low, self.high)
        form = linear_sum(codes, ratios, clamp)
        bounds = {"out_min": self.low, "out_max": self.high}
        if form is None:
            return self.layer(SteppedSum, self._steps() | bounds)
        halves = high_sum(codes, ratios, clamp)
        return self.layer(Sum, {**form.fields(), **halves.fields(), **bounds})

    def _steps(self) -> dict[str, int]:
        """Return what TFLite's own arithmetic needs."""
        first, second = self.operands
        return {
            "first_multiplier": self.scaling.first[0],
            "second_multiplier": self.scaling.second[0],
            "out_multiplier": self.scaling.output[0],
            "first_shift": self.scaling.first[1],
            "second_shift": self.scaling.second[1],
            "out_shift": self.scaling.output[1],
            "first_zero_point": first.zero_point,
            "second_zero_point": second.zero_point,
            "out_zero_point": self.output.zero_point,
        }


@dataclass(frozen=True, eq=False)
class PointwiseAdd(Add, PointwisePair):
    """One that a table can hold."""


def _scaled(codes: Int8s, zero_point: int, mantissa: int, shift: int) -> Int64s:
    return requantize((codes.astype(np.int64) - zero_point) << LEFT_SHIFT, mantissa, shift)


@dataclass(frozen=True, eq=False, kw_only=True)
class Sum(PairLayer):
    """A sum as one linear form of the codes."""

    FUNCTION: ClassVar[str] = "dd_add_s8"
    STRUCT: ClassVar[str] = "dd_addition"
    PER_VALUE: ClassVar = {"plain": 20.0, "lanes": 6.4, "dsp": 5.4, "helium": 2.6}


@dataclass(frozen=True, eq=False, kw_only=True)
class SteppedSum(PairLayer):
    """A sum in the steps of TFLite's arithmetic."""

    FUNCTION: ClassVar[str] = "dd_add_stepwise_s8"
    STRUCT: ClassVar[str] = "dd_add_stepwise"
    PER_VALUE: ClassVar = {"plain": 255.0, "lanes": 98.0, "dsp": 96.0, "helium": 100.0}


def read(node: Node) -> Add:
    """Read and check an ADD or a SUB."""
    inputs, constant, y, swapped = read_pair(node)
    operands = operands_of(inputs, constant)
    subtracts = node.kind == "SUB"
    signs = (-1 if subtracts and swapped else 1, -1 if subtracts and not swapped else 1)
    scaling = _scaling(node, operands, signs, y)
    low, high = checks.activation_codes(node, checks.fused_activation(node), y)
    kind = PointwiseAdd if is_pointwise(inputs, constant, y) else Add
    return kind(node, inputs, y, constant, scaling, low, high)


def _scaling(
    node: Node, operands: tuple[Tensor, ...], signs: tuple[int, int], y: Tensor
) -> Scaling:
    """Return TFLite's multipliers: of twice the larger scale, so that the sum cannot overflow."""
    if y.scale * (1 << LEFT_SHIFT) > FLOAT32_MAX:
        node.refuse(
            f"its output has the scale {y.scale:g}, expected one of at most "
            f"{FLOAT32_MAX / (1 << LEFT_SHIFT):g}: TFLite multiplies it in float32",
            checks.QUANTISE,
        )
    twice = 2 * max(operand.scale for operand in operands)
    pairs = []
    for sign, operand in zip(signs, operands, strict=True):
        mantissa, shift = checks.multiplier(node, operand.scale / twice, 0)
        pairs.append((sign * mantissa, shift))
    output = checks.multiplier(node, twice / ((1 << LEFT_SHIFT) * y.scale), 0)
    return Scaling(pairs[0], pairs[1], output)
