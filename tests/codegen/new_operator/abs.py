"""ABS of a series, whose output has the input's scale and zero point."""

from dataclasses import dataclass
from typing import ClassVar

from dynadeep.codegen.graph import Node
from dynadeep.codegen.layers import Layer, Overlap, Window
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op


@dataclass(frozen=True, eq=False, kw_only=True)
class AbsLayer(Layer):
    """The distance from zero, value by value."""

    FUNCTION: ClassVar[str] = "dd_abs_s8"
    STRUCT: ClassVar[str] = "dd_abs"
    OVERLAP: ClassVar[Overlap] = "step"

    @property
    def windows(self) -> tuple[Window, ...]:
        """One step."""
        return (Window(1, 1, 0),)

    @property
    def words(self) -> str:
        """``abs``."""
        return "abs"

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_abs``."""
        return {"channels": self.output.channels, "zero_point": self.output.zero_point}


@dataclass(frozen=True, eq=False)
class Abs(Op):
    """The distance from zero."""

    def lower(self) -> AbsLayer:
        """Return the layer."""
        return AbsLayer(
            name=self.node.layer, inputs=self.inputs, computed=self.output, output=self.output
        )


def read(node: Node) -> Abs:
    """Read and check an ABS."""
    (source,) = checks.operands(node, 1, 1)
    x, y = checks.series(node, source), checks.series(node, node.outputs[0])
    checks.same_quantization(node, x, y)
    return Abs(node, (x,), y)
