"""Operators that TFLite's reference computes in float32, once for each of the 256 codes.

LOGISTIC, TANH, ELU, EXP and GELU. TFLite-Micro computes the first two in fixed point; over random
scales LOGISTIC differs by one in about one code of 150,000. The contract is the reference kernel.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.fixed_point import INT32_MAX, clamp_int8
from dynadeep.codegen.graph import Int8s, Node
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Pointwise

Floats = npt.NDArray[np.float32]
LOGISTIC_SCALE, LOGISTIC_ZERO_POINT = 1 / 256, -128  # demanded by TFLite's int8 specification


def _exp(x: Floats) -> Floats:
    # numpy's own float32 functions are less exact than the C library's; rounding the double is
    # equal.
    power: Floats = np.exp(x.astype(np.float64)).astype(np.float32)
    return power


def _logistic(x: Floats) -> Floats:
    sigmoid: Floats = np.float32(1) / (np.float32(1) + _exp(-x))
    return sigmoid


def _tanh(x: Floats) -> Floats:
    tangent: Floats = np.tanh(x.astype(np.float64)).astype(np.float32)
    return tangent


def _elu(x: Floats) -> Floats:
    below = np.expm1(np.minimum(x, 0).astype(np.float64)).astype(np.float32)
    values: Floats = np.where(x < 0, below, x)
    return values


def _gelu(x: Floats) -> Floats:
    halves = [math.erfc(-value * math.sqrt(0.5)) / 2 for value in x.astype(np.float64).tolist()]
    values: Floats = (x * np.array(halves)).astype(np.float32)
    return values


def _gelu_by_tanh(x: Floats) -> Floats:
    half, one, third = np.float32(0.5), np.float32(1), np.float32(0.044715)
    inside = np.float32(math.sqrt(2 / math.pi)) * (x + third * x * x * x)
    values: Floats = (half * x * (one + _tanh(inside.astype(np.float32)))).astype(np.float32)
    return values


FUNCTIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "ELU": _elu,
    "EXP": _exp,
    "GELU": _gelu,
    "GELU by tanh": _gelu_by_tanh,
    "LOGISTIC": _logistic,
    "TANH": _tanh,
}


@dataclass(frozen=True, eq=False)
class RealFunction(Pointwise):
    """A function of real numbers on one tensor."""

    function: Callable[[Floats], Floats]
    between_reals: bool = False  # a DEQUANTIZE stands before it and a QUANTIZE behind

    def evaluate(self, codes: tuple[Int8s, ...]) -> Int8s:
        """Dequantise, evaluate and quantise, each step in float32 as the reference does."""
        x, y = self.inputs[0], self.output
        with np.errstate(over="ignore", under="ignore"):
            steps = codes[0].astype(np.float32) - np.float32(x.zero_point)
            values = self.function(np.float32(x.scale) * steps)
            scaled = self._in_steps(values)
        rounded = np.trunc(scaled + np.copysign(np.float32(0.5), scaled))
        bounded = np.clip(rounded.astype(np.float64), -INT32_MAX, INT32_MAX)
        return clamp_int8(bounded.astype(np.int64) + y.zero_point)

    def _in_steps(self, values: Floats) -> Floats:
        """Return values in steps of the output: QUANTIZE divides, a table's kernel multiplies."""
        scale = np.float32(self.output.scale)
        return values / scale if self.between_reals else values * (np.float32(1) / scale)


def read(node: Node) -> RealFunction:
    """Read and check one of the operators."""
    x, y = checks.one_to_one(node)
    if (
        node.kind == "LOGISTIC"
        and not node.options.get("BetweenReals")
        and (y.scale, y.zero_point)
        != (
            LOGISTIC_SCALE,
            LOGISTIC_ZERO_POINT,
        )
    ):
        node.refuse(
            f"its output has scale {y.scale:g} and zero point {y.zero_point}, "
            "expected 1/256 and -128",
            checks.QUANTISE,
        )
    kind = "GELU by tanh" if node.options.get("Approximate", 0) else node.kind
    between_reals = bool(node.options.get("BetweenReals", False))
    return RealFunction(node, (x,), y, FUNCTIONS[kind], between_reals)
