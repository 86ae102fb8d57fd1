"""The layers that the runtime's kernel executes, with every constant in its final form."""

from collections.abc import Mapping
from dataclasses import dataclass

from dynadeep.codegen.graph import Int8s, Int32s, Tensor


@dataclass(frozen=True)
class Window:
    """Which steps of its input a layer's output step reads; steps outside are zero points."""

    kernel: int  # how many
    stride: int  # from one output step's to the next one's
    before: int  # by how many steps the first one begins ahead of the input

    def begin(self, step: int) -> int:
        """Return the first input step that output ``step`` reads; negative before the input."""
        return step * self.stride - self.before

    def end(self, step: int) -> int:
        """Return the input step behind the last one that output ``step`` reads."""
        return self.begin(step) + self.kernel


@dataclass(frozen=True, eq=False)
class Conv1d:
    """A convolution along time and the table behind it: all that the network is made of.

    ``bias`` has the input's zero point folded in: it is the TFLite bias less zero point x sum of
    the channel's weights. ``multiplier`` and ``shift`` are in ``fixed_point``'s form. ``convolved``
    is the convolution's own output; with a ``table`` (256 codes, by code + 128), ``output`` is what
    the table makes of it, else the two are one.
    """

    name: str  # "conv5"
    input: Tensor
    output: Tensor
    convolved: Tensor
    weights: Int8s  # [out_channels, kernel, in_channels]
    weight_scales: tuple[float, ...]  # [out_channels], for the reader of the C
    bias: Int32s  # [out_channels]
    multiplier: Int32s  # [out_channels]
    shift: Int8s  # [out_channels], left if positive
    low: int  # clamp of the requantised code
    high: int
    activation: str  # "NONE", "RELU", "RELU6": what the clamp stands for
    doubles: bool  # twice any accumulator fits int32
    stride: int
    pad_before: int
    pad_after: int
    table: Int8s | None
    folded: tuple[str, ...]  # the operators in the table, for the reader of the C

    @property
    def kernel(self) -> int:
        """Taps."""
        return int(self.weights.shape[1])

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run, those on padding included."""
        return self.output.time * int(self.weights.size)

    @property
    def constants(self) -> dict[str, Int8s | Int32s]:
        """The arrays by kind, as ``dd_model.json`` orders them; the weights are in rows."""
        arrays: dict[str, Int8s | Int32s] = {
            "weights": self.weights,
            "bias": self.bias,
            "multiplier": self.multiplier,
            "shift": self.shift,
        }
        return arrays if self.table is None else {**arrays, "table": self.table}

    @property
    def window(self) -> Window:
        """What an output step reads."""
        return Window(self.kernel, self.stride, self.pad_before)


@dataclass(frozen=True, eq=False)
class Network:
    """The layers in the order of execution.

    ``names`` maps the name of each tensor that a dropped RESHAPE made to the name of the one that
    holds its values. ``unread`` names the tensors that lead to no output, which nothing computes.
    """

    input: Tensor
    layers: tuple[Conv1d, ...]
    outputs: tuple[Tensor, ...]
    names: Mapping[str, str]
    unread: tuple[str, ...] = ()

    def holder(self, name: str) -> str:
        """Return the name of the tensor that holds the values of the file's tensor ``name``."""
        return self.names.get(name, name)

    def tensor(self, name: str) -> Tensor | None:
        """Return the tensor that holds the values of ``name``, if the firmware keeps it."""
        kept = self.holder(name)
        tensors = (self.input, *(layer.output for layer in self.layers))
        return next((tensor for tensor in tensors if tensor.name == kept), None)
