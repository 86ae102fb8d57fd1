"""PAD along time; a pass folds it into the convolution behind it."""

from dataclasses import dataclass

from dynadeep.codegen.graph import Node
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op


@dataclass(frozen=True, eq=False)
class Pad(Op):
    """Time steps of zero point before and after the input."""

    before: int
    after: int


def read(node: Node) -> Pad:
    """Read and check a PAD; its values are the output's zero point, by TFLite's definition."""
    source, paddings = checks.operands(node, 2, 2)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    checks.same_quantization(node, x, y)
    if paddings is None or paddings.data is None or paddings.type != "INT32":
        node.refuse("its paddings are not an INT32 constant", "Pad by fixed amounts.")
    if paddings.shape != (4, 2):
        node.refuse(f"its paddings are {list(paddings.shape)}, expected [4, 2]", checks.CONVERT)
    amounts = [tuple(row) for row in paddings.data.tolist()]
    before, after = amounts[2]
    if any(amounts[axis] != (0, 0) for axis in (0, 1, 3)) or before < 0 or after < 0:
        node.refuse(f"it pads by {amounts}, expected only axis 2", "Pad along time.")
    if y.shape != (1, 1, before + x.time + after, x.channels):
        node.refuse(f"{list(x.shape)} padded by {amounts} is not {list(y.shape)}", checks.CONVERT)
    return Pad(node, (x,), y, before, after)
