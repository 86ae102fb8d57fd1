"""What networks are built of: branches of different delays that meet again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

from tests.graphs.canvas import OPS, Canvas
from tests.graphs.draws import convolutions, moves, pools, tables
from tests.graphs.draws.arithmetic import fit, joined
from tests.graphs.draws.draw import Draw, often

Join = Literal["ADD", "SUB", "MUL", "CONCATENATION"]

CODES = {"ADD": OPS.ADD, "SUB": OPS.SUB, "MUL": OPS.MUL}


@dataclass(frozen=True)
class Residual:
    """A few convolutions that keep the steps, and their input joined to what they make."""

    kernels: tuple[int, ...]
    dilation: int
    depthwise: bool
    join: Join
    numbers: convolutions.Numbers

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        outputs = [canvas.formed(at)]
        for kernel in self.kernels:
            outputs += self._convolution(kernel).add(canvas, outputs[-1])
        return _join(canvas, outputs[0], outputs[-1], self.join)

    def _convolution(self, kernel: int) -> Draw:
        shared = {"kernel": kernel, "stride": 1, "dilation": self.dilation, "same": True}
        numbers = self.numbers
        if self.depthwise:
            return convolutions.Depthwise(multiplier=1, activation=1, numbers=numbers, **shared)
        return convolutions.Conv2D(channels=0, groups=0, activation=1, numbers=numbers, **shared)


@dataclass(frozen=True)
class Hourglass:
    """Fewer steps, a convolution, as many steps again, beside what they were before."""

    factor: int
    kernel: int
    transposed: bool
    join: Join
    numbers: convolutions.Numbers

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        before = canvas.formed(at)
        pool = pools.Pool(OPS.MAX_POOL_2D, self.factor, self.factor, same=True, activation=0)
        (inner,) = pool.add(canvas, before)
        outputs = convolutions.Conv2D(
            0, self.kernel, 1, 1, 0, same=True, activation=1, numbers=self.numbers
        ).add(canvas, inner)
        wider = [at for output in outputs for at in self._wider().add(canvas, output)]
        if not wider:
            return []
        (cut,) = moves.PlainSlice(
            (0, 0), (canvas.size(wider[0])[0] - canvas.size(before)[0], 0)
        ).add(canvas, wider[0])
        return _join(canvas, before, cut, self.join)

    def _wider(self) -> Draw:
        if not self.transposed:
            return moves.Resize(self.factor, 0, align_corners=False, half_pixels=False)
        return convolutions.TransposeConv(
            0, self.factor, self.factor, same=True, activation=0, numbers=self.numbers
        )


@dataclass(frozen=True)
class Excitation:
    """Each channel times a number that all of its steps decide."""

    units: int
    numbers: convolutions.Numbers

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        before = canvas.formed(at)
        channels = canvas.size(before)[1]
        (mean,) = pools.Reduce(OPS.MEAN, "time", keeps=True, all_axes=False, gain=1.0).add(
            canvas, before
        )
        for units in (self.units, channels):
            (mean,) = convolutions.FullyConnected(
                "channels", units, activation=0, numbers=self.numbers
            ).add(canvas, mean)
            (mean,) = tables.Curve(OPS.LOGISTIC, 1.0).add(canvas, mean)
        return _join(canvas, before, mean, "MUL")


def _join(canvas: Canvas, first: int, second: int, join: Join) -> Sequence[int]:
    if join != "CONCATENATION" and fit(canvas.size(first), canvas.size(second)):
        return [joined(canvas, CODES[join], first, second)]
    parts = [first, canvas.quantized_like(second, canvas.codes(first))]
    time, channels = canvas.size(first)
    shape = canvas.whole_shape(time, channels + canvas.size(second)[1])
    return [canvas.moved(OPS.CONCATENATION, parts, shape, Axis=len(shape) - 1)]


JOINS: st.SearchStrategy[Join] = st.sampled_from(("ADD", "CONCATENATION", "SUB", "MUL"))

BLOCKS: list[st.SearchStrategy[Draw]] = [
    st.builds(
        Residual,
        kernels=st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple),
        dilation=often(1, st.integers(1, 8)),
        depthwise=st.booleans(),
        join=JOINS,
        numbers=convolutions.BIASED,
    ),
    st.builds(
        Hourglass,
        factor=st.integers(2, 5),
        kernel=st.integers(1, 7),
        transposed=st.booleans(),
        join=JOINS,
        numbers=convolutions.BIASED,
    ),
    st.builds(Excitation, units=st.integers(1, 20), numbers=convolutions.BIASED),
]
