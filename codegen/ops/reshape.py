"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same values in the same order.

Where steps and channels stay as they are a pass drops it. Else it is a layer that cuts the values
into steps of another size.
"""

from dataclasses import dataclass
from math import gcd
from typing import ClassVar

from dynadeep.codegen.graph import Node, Tensor
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer, Overlap, Window
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op


@dataclass(frozen=True, eq=False, kw_only=True)
class Recut(Layer):
    """The same values in steps of another size."""

    FUNCTION: ClassVar[str] = "dd_reshape_s8"
    STRUCT: ClassVar[str] = "dd_reshape"
    OVERLAP: ClassVar[Overlap] = "step"

    @property
    def windows(self) -> tuple[Window, ...]:
        """Those of the input's steps in which an output step's values may lie."""
        in_channels, out_channels = self.inputs[0].channels, self.output.channels
        # The latest channel of an input step at which an output step may begin.
        latest = in_channels - gcd(in_channels, out_channels)
        return (Window(-(-(latest + out_channels) // in_channels), out_channels, 0, in_channels),)

    @property
    def words(self) -> str:
        """``reshape``."""
        return "reshape"

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_reshape``."""
        return {"in_channels": self.inputs[0].channels, "channels": self.output.channels}

    def instructions(self, kernels: KernelSet, cpu: str) -> float:
        """Return about how many instructions one run takes on a core: a copy's."""
        return self.output.size * 2.0


@dataclass(frozen=True, eq=False)
class Reshape(Op):
    """The same values in the same order under another shape."""

    def lower(self) -> Recut:
        """Return the layer."""
        return Recut(
            name=self.node.layer, inputs=self.inputs, computed=self.output, output=self.output
        )


def read(node: Node) -> Reshape:
    """Read and check a RESHAPE."""
    source, shape = checks.operands(node, 1, 2)
    reshape = checked(node, checks.activation(node, source), node.outputs[0])
    if shape is not None:
        _check_constant(node, shape, reshape.output)
    return reshape


def read_ones(node: Node) -> Reshape:
    """Read and check a SQUEEZE or EXPAND_DIMS, of which the output's own shape says all."""
    source, _ = checks.operands(node, 1, 2)
    return checked(node, checks.activation(node, source), node.outputs[0])


def checked(node: Node, source: Tensor, output: Tensor) -> Reshape:
    """Check what any operator that is a reshape must keep: one series, every value, its meaning."""
    y = checks.series(node, output)
    checks.same_quantization(node, source, y)
    if y.size != source.size:
        node.refuse(
            f"{list(source.shape)} becomes {list(y.shape)}, which has {y.size} values, not "
            f"{source.size}",
            "It must keep every value; convert the network again.",
        )
    return Reshape(node, (source,), y)


def _check_constant(node: Node, shape: Tensor, y: Tensor) -> None:
    """Check that the shape which the interpreter reads is the output's; one size may be -1."""
    if shape.data is None or shape.type != "INT32":
        node.refuse(f'its shape "{shape.name}" is not an INT32 constant', "Use a fixed shape.")
    sizes = shape.data.reshape(-1).tolist()
    comparable = len(sizes) == len(y.shape) and sizes.count(-1) <= 1
    if not comparable or any(a not in (-1, b) for a, b in zip(sizes, y.shape, strict=True)):
        node.refuse(
            f'its shape "{shape.name}" is {sizes}, its output {list(y.shape)}',
            "They must agree; convert the network again.",
        )
