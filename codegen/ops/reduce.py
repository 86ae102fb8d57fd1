"""MEAN, REDUCE_MAX and REDUCE_MIN over time, over channels or both.

TFLite divides a mean's sum by changing the multiplier: it carries 1 / count, cut to an integer.
"""

from dataclasses import dataclass
from typing import ClassVar

from dynadeep.codegen.fixed_point import INT32_MAX, LARGEST_SHIFT
from dynadeep.codegen.graph import Node, Tensor
from dynadeep.codegen.kernels import KernelName, KernelSet
from dynadeep.codegen.layers import Layer, Window
from dynadeep.codegen.ops import axes, checks
from dynadeep.codegen.ops.operation import Op
from dynadeep.codegen.running import State, state_of

LARGEST_STEP = 255  # between a code and a zero point
PER_VALUE: dict[KernelName, float] = {"plain": 7.5, "lanes": 6.2, "dsp": 1.4, "helium": 1.5}
"""Instructions for a value of the input, as counted for means of sixteen channels."""


@dataclass(frozen=True)
class Geometry:
    """Where the values lie of which one is made: the first numbers of ``dd_reduce``.

    Value i of an output step is made of ``count`` values, at i x next + j x hop from where the
    step's ``steps`` input steps begin.
    """

    steps: int
    channels: int
    next: int
    hop: int
    count: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Extreme(Layer):
    """The largest value, or with ``smallest`` the smallest one."""

    FUNCTION: ClassVar[str] = "dd_extreme_s8"
    STRUCT: ClassVar[str] = "dd_reduce"

    geometry: Geometry
    smallest: bool

    @property
    def windows(self) -> tuple[Window, ...]:
        """Whole inputs, or single steps of which the channels become one."""
        return (Window(self.geometry.steps, self.geometry.steps, 0),)

    @property
    def words(self) -> str:
        """``max over 40 values``."""
        return f"{'min' if self.smallest else 'max'} over {self.geometry.count} values"

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_reduce`` that this kernel reads."""
        return {**_places(self), "flip": -1 if self.smallest else 0}

    def instructions(self, kernels: KernelSet, cpu: str) -> float:
        """Return about how many instructions one run takes on a core."""
        return self.inputs[0].size * PER_VALUE[kernels.name]

    def running(self) -> tuple[Layer, Layer] | None:
        """Return the two halves of one over time."""
        return _halves(self, RunningExtreme, 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Mean(Layer):
    """The mean, requantised."""

    FUNCTION: ClassVar[str] = "dd_mean_s8"
    STRUCT: ClassVar[str] = "dd_reduce"

    geometry: Geometry
    multiplier: int
    shift: int

    @property
    def windows(self) -> tuple[Window, ...]:
        """Whole inputs, or single steps of which the channels become one."""
        return (Window(self.geometry.steps, self.geometry.steps, 0),)

    @property
    def words(self) -> str:
        """``mean over 40 values``."""
        return f"mean over {self.geometry.count} values"

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_reduce`` that this kernel reads."""
        return {
            **_places(self),
            "bias": -self.geometry.count * self.inputs[0].zero_point,
            "multiplier": self.multiplier,
            "shift": self.shift,
            "out_zero_point": self.computed.zero_point,
        }

    def instructions(self, kernels: KernelSet, cpu: str) -> float:
        """Return about how many instructions one run takes on a core."""
        return self.inputs[0].size * PER_VALUE[kernels.name]

    def running(self) -> tuple[Layer, Layer] | None:
        """Return the two halves of one over time."""
        return _halves(self, RunningMean, 4)


@dataclass(frozen=True, eq=False, kw_only=True)
class Running(Layer):
    """Half of a reduction over time: it takes steps into a state, or with that for its input ends.

    What it is told is what the whole reduction is, and which half this is.
    """

    STRUCT: ClassVar[str] = "dd_running_reduce"

    whole: Extreme | Mean

    @property
    def ends(self) -> bool:
        """Whether it makes the output of the state."""
        return isinstance(self.inputs[0], State)

    @property
    def windows(self) -> tuple[Window, ...]:
        """A step, or the state of all of them."""
        steps = self.whole.geometry.steps
        return (Window(steps, steps, 0) if self.ends else Window(1, 1, 0),)

    @property
    def words(self) -> str:
        """``mean over 40 values, step by step``; the end is but the end of it."""
        return "the end of it" if self.ends else f"{self.whole.words}, step by step"

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_running_reduce``."""
        numbers = {f"whole.{name}": value for name, value in self.whole.fields().items()}
        per_step = self.whole.geometry.count // self.whole.geometry.steps
        return {**numbers, "per_step": per_step, "ends": "true" if self.ends else "false"}

    def instructions(self, kernels: KernelSet, cpu: str) -> float:
        """Return about how many instructions one run takes on a core."""
        return 0.0 if self.ends else self.whole.instructions(kernels, cpu)


@dataclass(frozen=True, eq=False, kw_only=True)
class RunningExtreme(Running):
    """Half of a maximum or minimum over time."""

    FUNCTION: ClassVar[str] = "dd_running_extreme_s8"


@dataclass(frozen=True, eq=False, kw_only=True)
class RunningMean(Running):
    """Half of a mean over time."""

    FUNCTION: ClassVar[str] = "dd_running_mean_s8"


def _halves(
    whole: Extreme | Mean, half: type[Running], value_bytes: int
) -> tuple[Layer, Layer] | None:
    """Return both halves of a reduction over time; None for one over channels alone."""
    if whole.geometry.steps == 1 or whole.geometry.next != 1:
        return None
    state = state_of(whole, value_bytes * whole.geometry.channels)
    taking = half(
        name=f"{whole.name}/state", inputs=whole.inputs, computed=state, output=state, whole=whole
    )
    end = half(
        name=whole.name,
        inputs=(state,),
        computed=whole.computed,
        output=whole.output,
        table=whole.table,
        folded=whole.folded,
        whole=whole,
    )
    return taking, end


def _places(layer: Extreme | Mean) -> dict[str, int | str]:
    return {
        "in_channels": layer.inputs[0].channels,
        "in_stride": layer.geometry.steps,
        "channels": layer.geometry.channels,
        "next": layer.geometry.next,
        "hop": layer.geometry.hop,
        "count": layer.geometry.count,
    }


@dataclass(frozen=True, eq=False)
class ReduceExtreme(Op):
    """REDUCE_MAX or REDUCE_MIN of one series."""

    geometry: Geometry

    def lower(self) -> Extreme:
        """Return the layer."""
        return Extreme(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            geometry=self.geometry,
            smallest=self.node.kind == "REDUCE_MIN",
        )


@dataclass(frozen=True, eq=False)
class ReduceMean(Op):
    """MEAN of one series."""

    geometry: Geometry

    def lower(self) -> Mean:
        """Compute the multiplier; prove that neither the sum nor its shift overflows."""
        ratio = self.inputs[0].scale / self.output.scale
        whole = checks.multiplier(self.node, ratio, LARGEST_SHIFT)
        multiplier, shift = _over(*whole, self.geometry.count)
        largest = LARGEST_STEP * self.geometry.count << max(shift, 0)
        if largest > INT32_MAX:
            self.node.refuse(
                f"its sum of {self.geometry.count} values can reach {largest}, beyond int32's "
                f"{INT32_MAX}",
                "Sum fewer values, or give the output a larger scale.",
            )
        return Mean(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            geometry=self.geometry,
            multiplier=multiplier,
            shift=shift,
        )


def _over(multiplier: int, shift: int, count: int) -> tuple[int, int]:
    """Return a multiplier divided by ``count`` as TFLite does: scaled up, and cut."""
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << bits) // count, shift - bits


def read_mean(node: Node) -> ReduceMean:
    """Read and check a MEAN."""
    x, y, geometry = _read(node)
    return ReduceMean(node, (x,), y, geometry)


def read_extreme(node: Node) -> ReduceExtreme:
    """Read and check a REDUCE_MAX or REDUCE_MIN."""
    x, y, geometry = _read(node)
    checks.same_quantization(node, x, y)
    return ReduceExtreme(node, (x,), y, geometry)


def _read(node: Node) -> tuple[Tensor, Tensor, Geometry]:
    source, axis = checks.operands(node, 2, 2)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    rank = len(x.shape)
    reduced = {axes.axis_of(node, a, rank) for a in axes.constants(node, axis, "axes")}
    time = x.time == 1 or checks.time_axis(x) in reduced
    geometry = _geometry(x, y, time=time, channels=rank - 1 in reduced)
    if y.size * geometry.count != x.size:
        node.refuse(
            f"{list(x.shape)} over the axes {sorted(reduced)} is not {list(y.shape)}",
            checks.CONVERT,
        )
    return x, y, geometry


def _geometry(x: Tensor, y: Tensor, *, time: bool, channels: bool) -> Geometry:
    if time and channels:
        return Geometry(x.time, 1, 1, 1, x.size)
    if time:
        return Geometry(x.time, x.channels, 1, x.channels, x.time)
    if not channels:
        return Geometry(1, x.channels, 1, 1, 1)
    if y.time == x.time:
        return Geometry(1, 1, 1, 1, x.channels)
    return Geometry(x.time, x.time, x.channels, 1, x.channels)  # the steps become channels
