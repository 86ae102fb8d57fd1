"""CONCATENATION of series, along channels or one behind the other in time."""

from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

from dynadeep.codegen.graph import Node, Tensor
from dynadeep.codegen.layers import Layer, Window
from dynadeep.codegen.ops import axes, checks
from dynadeep.codegen.ops.operation import Op
from dynadeep.codegen.ops.reshape import checked

OPTIONS = ("Axis", "FusedActivationFunction")


@dataclass(frozen=True, eq=False, kw_only=True)
class Concatenation(Layer):
    """Series side by side; ``along_time``: one behind the other."""

    FUNCTION: ClassVar[str] = "dd_concatenation_s8"
    STRUCT: ClassVar[str] = "dd_concatenation"

    along_time: bool

    @property
    def _starts(self) -> list[int]:
        sizes = [x.time if self.along_time else x.channels for x in self.inputs]
        return list(accumulate(sizes, initial=0))[:-1]

    @property
    def windows(self) -> tuple[Window, ...]:
        """The same step of each, or the one that it becomes; others lie outside."""
        if not self.along_time:
            return (Window(1, 1, 0),) * len(self.inputs)
        return tuple(Window(1, 1, start) for start in self._starts)

    @property
    def words(self) -> str:
        """``concatenation of 3``."""
        along = " in time" if self.along_time else ""
        return f"concatenation of {len(self.inputs)}{along}"

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_concatenation``; ``inputs`` says where each one goes."""
        places = [
            f"{{{x.channels}, 0, {x.time}, {start}}}"
            if self.along_time
            else f"{{{x.channels}, {start}, {x.time}, 0}}"
            for x, start in zip(self.inputs, self._starts, strict=True)
        ]
        return {
            "channels": self.output.channels,
            "count": len(self.inputs),
            "inputs": f"{{{', '.join(places)}}}",
        }


@dataclass(frozen=True, eq=False)
class Concatenate(Op):
    """A CONCATENATION of several series."""

    along_time: bool

    def lower(self) -> Concatenation:
        """Return the layer."""
        return Concatenation(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            along_time=self.along_time,
        )


def read(node: Node) -> Op:
    """Read and check a CONCATENATION; TFLite wants all scales and zero points equal in int8."""
    y = checks.series(node, node.outputs[0])
    inputs = tuple(checks.series(node, tensor) for tensor in node.inputs)
    if checks.fused_activation(node) != "NONE" or not inputs:
        node.refuse("it has a fused activation or no input", "Let the activation stand alone.")
    for x in inputs:
        checks.same_quantization(node, x, y)
    if len(inputs) == 1:
        return checked(node, inputs[0], y)
    axis = axes.axis_of(node, node.options.get("Axis", 0), len(y.shape))
    along_time = axis != len(y.shape) - 1
    if not _fits(inputs, y, axis):
        shapes = [list(x.shape) for x in inputs]
        node.refuse(f"{shapes} on axis {axis} do not make {list(y.shape)}", checks.CONVERT)
    return Concatenate(node, inputs, y, along_time)


def read_pack(node: Node) -> Op:
    """Read and check a PACK of one tensor, which adds a dimension to it."""
    if len(node.inputs) != 1:
        node.refuse(
            f"it stacks {len(node.inputs)} tensors in a new dimension",
            "Only one can be: concatenate them along time or channels instead.",
        )
    return checked(node, checks.activation(node, node.inputs[0]), node.outputs[0])


def _fits(inputs: tuple[Tensor, ...], y: Tensor, axis: int) -> bool:
    """Check that the inputs' sizes add up on the axis, and are the output's on all others."""
    sizes = [list(x.shape) for x in inputs]
    if any(len(size) != len(y.shape) for size in sizes):
        return False
    joined = sum(size[axis] for size in sizes)
    rests = [size[:axis] + size[axis + 1 :] for size in (*sizes, list(y.shape))]
    return joined == y.shape[axis] and all(rest == rests[0] for rest in rests)
