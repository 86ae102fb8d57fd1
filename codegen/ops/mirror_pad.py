"""MIRROR_PAD along time."""

from dataclasses import dataclass
from typing import ClassVar

import tflite

from dynadeep.codegen.graph import Node
from dynadeep.codegen.layers import Layer, Window
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op
from dynadeep.codegen.ops.pad import paddings_of


@dataclass(frozen=True, eq=False, kw_only=True)
class MirrorPad(Layer):
    """The input's own steps around it, mirrored at its ends."""

    FUNCTION: ClassVar[str] = "dd_mirror_pad_s8"
    STRUCT: ClassVar[str] = "dd_mirror_pad"

    before: int
    after: int
    edge: int

    @property
    def windows(self) -> tuple[Window, ...]:
        """As far as the mirrors reach: ahead of a step at the beginning, back at the end."""
        reach = 2 * self.before + 2 * self.after + 1
        return (Window(reach, 1, self.before + 2 * self.after),)

    @property
    def words(self) -> str:
        """``mirror pad 2 + 3``."""
        return f"mirror pad {self.before} + {self.after}"

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_mirror_pad``."""
        return {
            "channels": self.output.channels,
            "in_length": self.inputs[0].time,
            "before": self.before,
            "edge": self.edge,
        }


@dataclass(frozen=True, eq=False)
class Mirror(Op):
    """A MIRROR_PAD of one series."""

    before: int
    after: int
    edge: int

    def lower(self) -> MirrorPad:
        """Return the layer."""
        return MirrorPad(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            before=self.before,
            after=self.after,
            edge=self.edge,
        )


def read(node: Node) -> Mirror:
    """Read and check a MIRROR_PAD: REFLECT leaves the outermost step out, SYMMETRIC doubles it."""
    source, paddings = checks.operands(node, 2, 2)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    checks.same_quantization(node, x, y)
    *steps, channels = paddings_of(node, paddings, x)
    before, after = sum(before for before, _ in steps), sum(after for _, after in steps)
    edge = 1 if node.options.get("Mode", 0) == tflite.MirrorPadMode.REFLECT else 0
    if channels != (0, 0) or max(before, after) > x.time - edge:
        node.refuse(
            f"it mirrors {before} and {after} of {x.time} steps, and {channels} channels",
            "Mirror along time alone, and no more than there is.",
        )
    if (y.time, y.channels) != (before + x.time + after, x.channels):
        node.refuse(f"{list(x.shape)} padded is not {list(y.shape)}", checks.CONVERT)
    return Mirror(node, (x,), y, before, after, edge)
