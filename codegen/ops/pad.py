"""PAD and PADV2 of a series; a pass folds padding in time into the convolution behind it."""

from dataclasses import dataclass

from dynadeep.codegen.graph import Node, Tensor
from dynadeep.codegen.ops import axes, checks
from dynadeep.codegen.ops.copy import Copy, Select, Selection
from dynadeep.codegen.ops.operation import Op


@dataclass(frozen=True, eq=False)
class Pad(Op):
    """Time steps and channels of one value before and after the input's."""

    before: int
    after: int
    channels_before: int
    channels_after: int
    value: int

    @property
    def is_border(self) -> bool:
        """Whether it adds steps of the zero point alone, as a convolution's border does."""
        along_time = self.channels_before == self.channels_after == 0
        return along_time and self.value == self.output.zero_point

    def lower(self) -> Copy:
        """Return the layer, where no pass makes it another one's border."""
        selection = Selection(
            self.output.time,
            self.output.channels,
            before=self.before,
            skip=-self.channels_before,
            value=self.value,
        )
        words = f"pad {self.before} + {self.after}"
        if self.channels_before or self.channels_after:
            words += f", channels {self.channels_before} + {self.channels_after}"
        return Select(self.node, self.inputs, self.output, selection, words).lower()


def read(node: Node) -> Pad:
    """Read and check a PAD or PADV2.

    The values of a PAD are the output's zero point, by TFLite's definition; those of a PADV2 are a
    constant's.
    """
    source, paddings, value = checks.operands(node, 2, 3)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    checks.same_quantization(node, x, y)
    amounts = paddings_of(node, paddings, x)
    padded = tuple(
        before + size + after for size, (before, after) in zip(x.shape, amounts, strict=True)
    )
    if y.shape != padded:
        node.refuse(f"{list(x.shape)} padded by {amounts} is not {list(y.shape)}", checks.CONVERT)
    *steps, channels = amounts
    return Pad(
        node=node,
        inputs=(x,),
        output=y,
        before=sum(before for before, _ in steps),
        after=sum(after for _, after in steps),
        channels_before=channels[0],
        channels_after=channels[1],
        value=_value(node, value, y),
    )


def paddings_of(node: Node, paddings: Tensor | None, x: Tensor) -> list[tuple[int, int]]:
    """Return how much is added before and after each dimension of a series."""
    numbers = axes.constants(node, paddings, "paddings")
    if len(numbers) != 2 * len(x.shape) or min(numbers) < 0 or max(numbers) > checks.LENGTH_LIMIT:
        node.refuse(
            f"its paddings are {numbers}, expected two from 0 to {checks.LENGTH_LIMIT} for each of "
            f"the {len(x.shape)} dimensions",
            checks.CONVERT,
        )
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _value(node: Node, value: Tensor | None, y: Tensor) -> int:
    if value is None:
        return y.zero_point
    if value.data is None or value.type != "INT8" or value.size != 1:
        node.refuse("the value that it pads with is not one INT8 constant", checks.QUANTISE)
    checks.same_quantization(node, value, y)
    return int(value.data.reshape(-1)[0])
