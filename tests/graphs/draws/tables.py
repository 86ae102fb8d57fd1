"""Operators on one value: what may fold into the table of the layer before them, and SOFTMAX."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

from tests.graphs.canvas import OPS, Canvas, Codes
from tests.graphs.draws.draw import GAINS, MILD_GAINS, Draw

FIXED = {OPS.LOGISTIC: Codes(1 / 256, -128), OPS.TANH: Codes(1 / 128, 0)}
"""The codes that TFLite asks of an output."""

SOFTMAX_LIMIT = 512
"""Values whose exponentials sum up to what TFLite's kernel takes: beyond it aborts."""


@dataclass(frozen=True)
class Curve:
    """RELU, LOGISTIC, QUANTIZE and the like."""

    code: int
    gain: float

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        codes = FIXED.get(self.code) or canvas.any_codes(canvas.codes(at).scale / self.gain)
        return [canvas.op(self.code, [at], canvas.shape(at), codes)]


@dataclass(frozen=True)
class Gelu:
    """GELU, by the error function or approximated."""

    approximate: bool
    gain: float

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        codes = canvas.any_codes(canvas.codes(at).scale / self.gain)
        options = {"Approximate": self.approximate}
        return [canvas.op(OPS.GELU, [at], canvas.shape(at), codes, **options)]


@dataclass(frozen=True)
class LeakyRelu:
    """LEAKY_RELU."""

    alpha: float
    gain: float

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        codes = canvas.any_codes(canvas.codes(at).scale / self.gain)
        return [canvas.op(OPS.LEAKY_RELU, [at], canvas.shape(at), codes, Alpha=self.alpha)]


@dataclass(frozen=True)
class Softmax:
    """SOFTMAX over the channels of a step, or over all values."""

    over: Literal["channels", "all"]
    beta: float

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        if self.over == "all":
            at = canvas.reshaped(at, (1, math.prod(canvas.shape(at))))
        multiplier = self.beta * canvas.codes(at).scale * (1 << 26)
        if canvas.shape(at)[-1] > SOFTMAX_LIMIT or multiplier < 2:  # TFLite's kernel aborts
            return []
        codes = Codes(1 / 256, -128)
        return [canvas.op(OPS.SOFTMAX, [at], canvas.shape(at), codes, Beta=self.beta)]


def _curve(code: int, gains: st.SearchStrategy[float]) -> st.SearchStrategy[Draw]:
    return st.builds(Curve, code=st.just(code), gain=gains)


def _of_gain(limit: float) -> Callable[[float], float]:
    return lambda gain: min(gain, limit)


DRAWS: dict[str, st.SearchStrategy[Draw]] = {
    "RELU": _curve(OPS.RELU, GAINS),
    "RELU6": _curve(OPS.RELU6, GAINS),
    "RELU_0_TO_1": _curve(OPS.RELU_0_TO_1, GAINS),
    "RELU_N1_TO_1": _curve(OPS.RELU_N1_TO_1, GAINS),
    "ABS": _curve(OPS.ABS, GAINS),
    "EXP": _curve(OPS.EXP, GAINS),
    "GELU": st.builds(Gelu, approximate=st.booleans(), gain=GAINS),
    "QUANTIZE": _curve(OPS.QUANTIZE, GAINS),
    "LOGISTIC": _curve(OPS.LOGISTIC, st.just(1.0)),
    "TANH": _curve(OPS.TANH, st.just(1.0)),
    "ELU": _curve(OPS.ELU, GAINS),
    # Beyond 2^7 its output multiplier is above 1, which TFLite's kernel does not foresee.
    "HARD_SWISH": _curve(OPS.HARD_SWISH, MILD_GAINS.map(_of_gain(64.0))),
    "LEAKY_RELU": st.builds(
        LeakyRelu, alpha=st.sampled_from((0.1, 0.01, 0.3, 1.5, -0.2)), gain=GAINS
    ),
    "SOFTMAX": st.builds(
        Softmax,
        over=st.sampled_from(("channels", "all")),
        beta=st.sampled_from((1.0, 1.0, 0.1, 3.5)),
    ),
}
