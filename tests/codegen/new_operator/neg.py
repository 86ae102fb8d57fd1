"""NEG of a series, whose output has the input's scale and zero point."""

from dataclasses import dataclass
from typing import ClassVar

from dynadeep.codegen.graph import Node
from dynadeep.codegen.layers import Layer, Overlap, Window
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op


@dataclass(frozen=True, eq=False, kw_only=True)
class NegLayer(Layer):
    """The negative, value by value."""

    FUNCTION: ClassVar[str] = "dd_neg_s8"
    STRUCT: ClassVar[str] = "dd_neg"
    OVERLAP: ClassVar[Overlap] = "step"

    @property
    def windows(self) -> tuple[Window, ...]:
        """One step."""
        return (Window(1, 1, 0),)

    @property
    def words(self) -> str:
        """``neg``."""
        return "neg"

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_neg``."""
        return {"channels": self.output.channels, "zero_point": self.output.zero_point}


@dataclass(frozen=True, eq=False)
class Neg(Op):
    """The negative."""

    def lower(self) -> NegLayer:
        """Return the layer."""
        return NegLayer(
            name=self.node.layer, inputs=self.inputs, computed=self.output, output=self.output
        )


def read(node: Node) -> Neg:
    """Read and check a NEG."""
    (source,) = checks.operands(node, 1, 1)
    x, y = checks.series(node, source), checks.series(node, node.outputs[0])
    checks.same_quantization(node, x, y)
    return Neg(node, (x,), y)
