"""Operators of two operands: any broadcast of computed ones, and constants of every shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

from tests.graphs.canvas import OPS, Canvas, Codes, Shape
from tests.graphs.draws.draw import ACTIVATIONS, GAINS, Draw, often

Operand = Literal["computed", "number", "channels", "steps", "all"]

OPERANDS: st.SearchStrategy[Operand] = st.sampled_from(
    ("computed", "computed", "computed", "number", "channels", "steps", "all")
)


@dataclass(frozen=True)
class Arithmetic:
    """ADD, SUB and MUL."""

    code: int
    operand: Operand
    back: int
    swapped: bool
    activation: int
    ratio: float  # of a constant's scale to the other operand's
    gain: float

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        scale = canvas.codes(at).scale
        codes = canvas.any_codes(scale * self.ratio)
        operand = _operand(canvas, at, self.operand, self.back, codes)
        pair = (operand, at) if self.swapped else (at, operand)
        return [joined(canvas, self.code, *pair, activation=self.activation, gain=self.gain)]


def joined(
    canvas: Canvas, code: int, first: int, second: int, *, activation: int = 0, gain: float = 1.0
) -> int:
    """Add ADD, SUB or MUL of two tensors, in codes that fit them; return what it makes."""
    first_scale, second_scale = canvas.codes(first).scale, canvas.codes(second).scale
    # Within what TFLite's kernels foresee of a multiplier.
    sum_scale = 1.5 * max(first_scale, second_scale) / min(gain, 2.0**16)
    product_scale = first_scale * second_scale * 128 / min(gain, 2.0**12)
    codes = canvas.any_codes(product_scale if code == OPS.MUL else sum_scale)
    shape = _broadcast(canvas, first, second)
    return canvas.op(code, [first, second], shape, codes, FusedActivationFunction=activation)


@dataclass(frozen=True)
class Extreme:
    """MINIMUM and MAXIMUM, whose operands have the same codes."""

    code: int
    operand: Operand
    back: int
    swapped: bool

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        codes = canvas.codes(at)
        operand = _operand(canvas, at, self.operand, self.back, codes)
        operand = canvas.quantized_like(operand, codes)
        pair = [operand, at] if self.swapped else [at, operand]
        return [canvas.op(self.code, pair, _broadcast(canvas, at, operand), codes)]


@dataclass(frozen=True)
class PRelu:
    """PRELU, whose slopes may be computed too."""

    operand: Operand
    back: int
    slope: float  # of the largest code
    gain: float

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        at = canvas.formed(at)
        codes = canvas.any_codes(self.slope / 127)
        slopes = _operand(canvas, at, self.operand, self.back, codes)
        target = canvas.any_codes(canvas.codes(at).scale / self.gain)
        return [canvas.op(OPS.PRELU, [at, slopes], _broadcast(canvas, at, slopes), target)]


def _operand(canvas: Canvas, at: int, operand: Operand, back: int, codes: Codes) -> int:
    """Return the second operand: a tensor that fits ``at``, itself at worst, or a constant."""
    if operand == "computed":
        fitting = [
            tensor for tensor in canvas.readable if fit(canvas.size(at), canvas.size(tensor))
        ]
        return canvas.formed(fitting[-1 - back % len(fitting)]) if fitting else at
    time, channels = canvas.size(at)
    shapes: dict[str, Shape] = {
        "number": (),
        "channels": (channels,),
        "steps": canvas.whole_shape(time, 1),
        "all": canvas.whole_shape(time, channels),
    }
    return canvas.constant(canvas.random(shapes[operand]), codes)


def fit(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Return whether tensors of these steps and channels have one shape, or one broadcasts."""
    return all(a == b or 1 in (a, b) for a, b in zip(first, second, strict=True))


def _broadcast(canvas: Canvas, at: int, operand: int) -> Shape:
    shapes = [canvas.shape(at), canvas.shape(operand)]
    rank = max(map(len, shapes))
    filled = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return tuple(map(max, *filled))


def _arithmetic(code: int) -> st.SearchStrategy[Draw]:
    return st.builds(
        Arithmetic,
        code=st.just(code),
        operand=OPERANDS,
        back=st.integers(0, 6),
        swapped=st.booleans(),
        activation=ACTIVATIONS,
        ratio=often(0.7, st.floats(-20, 20).map(lambda x: 2.0**x)),
        gain=GAINS,
    )


def _extreme(code: int) -> st.SearchStrategy[Draw]:
    return st.builds(
        Extreme,
        code=st.just(code),
        operand=OPERANDS,
        back=st.integers(0, 6),
        swapped=st.booleans(),
    )


DRAWS: dict[str, st.SearchStrategy[Draw]] = {
    "ADD": _arithmetic(OPS.ADD),
    "SUB": _arithmetic(OPS.SUB),
    "MUL": _arithmetic(OPS.MUL),
    "MINIMUM": _extreme(OPS.MINIMUM),
    "MAXIMUM": _extreme(OPS.MAXIMUM),
    "PRELU": st.builds(
        PRelu,
        operand=OPERANDS,
        back=st.integers(0, 6),
        slope=st.floats(0.01, 2),
        gain=GAINS,
    ),
}
