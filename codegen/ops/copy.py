"""The layer behind the operators that take some steps or channels and leave each code as it is."""

from dataclasses import dataclass
from typing import ClassVar

from dynadeep.codegen.graph import Node, Tensor
from dynadeep.codegen.layers import Layer, Window
from dynadeep.codegen.ops import axes, checks
from dynadeep.codegen.ops.operation import Op

POSITION_LIMIT = (1 << 31) - 1  # the kernel's positions are int32
STEP_LIMIT = (1 << 16) - 1  # strides and the like are uint16


@dataclass(frozen=True)
class Selection:
    """Which values an operator takes.

    Output step o is input step floor((o x stride - before) / up), output channel c is input channel
    skip + c x every; what the input does not have is ``value``.
    """

    steps: int
    channels: int
    stride: int = 1
    before: int = 0
    up: int = 1
    skip: int = 0
    every: int = 1
    value: int = 0

    def step(self, output: int) -> int:
        """Return the input step that an output step is; it may lie outside."""
        return (output * self.stride - self.before) // self.up


@dataclass(frozen=True, eq=False, kw_only=True)
class Copy(Layer):
    """Some steps and channels of the input, with a constant around them."""

    FUNCTION: ClassVar[str] = "dd_copy_s8"
    STRUCT: ClassVar[str] = "dd_copy"

    selection: Selection
    described: str

    @property
    def windows(self) -> tuple[Window, ...]:
        """One step."""
        selection = self.selection
        return (Window(1, selection.stride, selection.before, selection.up),)

    @property
    def words(self) -> str:
        """What the operator does: ``slice``."""
        return self.described

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_copy``."""
        return {
            "in_channels": self.inputs[0].channels,
            "channels": self.output.channels,
            "skip": self.selection.skip,
            "every": self.selection.every,
            "stride": self.selection.stride,
            "up": self.selection.up,
            "before": self.selection.before,
            "value": self.selection.value,
        }


@dataclass(frozen=True, eq=False)
class Select(Op):
    """An operator that is a copy."""

    selection: Selection
    described: str

    def lower(self) -> Copy:
        """Check the numbers, and return the layer."""
        selection = self.selection
        reach = self.output.time * selection.stride + abs(selection.before)
        if (
            max(selection.stride, selection.up, selection.every) > STEP_LIMIT
            or reach > POSITION_LIMIT
        ):
            self.node.refuse(
                f"its step is {selection.stride}/{selection.up} in time from {-selection.before} "
                f"on and {selection.every} over channels",
                f"Steps of up to {STEP_LIMIT} and positions of up to {POSITION_LIMIT} fit.",
            )
        return Copy(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            selection=selection,
            described=self.described,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Transpose(Layer):
    """Time to channels and channels to time: of the whole input, or of a part of it."""

    FUNCTION: ClassVar[str] = "dd_transpose_s8"
    STRUCT: ClassVar[str] = "dd_transpose"

    selection: Selection  # as of the input: the output's channels are its steps

    @property
    def windows(self) -> tuple[Window, ...]:
        """All of the input, each time."""
        return (Window(self.inputs[0].time, 0, 0),)

    @property
    def words(self) -> str:
        """``transpose``."""
        return "transpose"

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_transpose``."""
        return {
            "in_channels": self.inputs[0].channels,
            "channels": self.output.channels,
            "skip": self.selection.skip,
            "every": self.selection.every,
            "begin": -self.selection.before,
            "stride": self.selection.stride,
        }


@dataclass(frozen=True, eq=False)
class Turn(Op):
    """An operator that makes channels of the steps that it takes."""

    selection: Selection

    def lower(self) -> Transpose:
        """Return the layer."""
        return Transpose(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            selection=self.selection,
        )


def select(node: Node, x: Tensor, y: Tensor, selection: Selection, described: str) -> Op:
    """Return the operator that copies a selection of ``x`` to ``y``, ``described`` for the plan.

    Where the operator drops the dimension of a single channel, the steps become channels.

    Raises:
        ModelError: ``y`` has another quantisation, or holds those values in another order.
    """
    checks.same_quantization(node, x, y)
    shape = (y.time, y.channels)
    if selection.channels == 1 and shape == (1, selection.steps) != (selection.steps, 1):
        return Turn(node, (x,), y, selection)
    axes.same_size(node, y, selection.steps, selection.channels)
    return Select(node, (x,), y, selection, described)
