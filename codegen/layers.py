"""The layers that the runtime's kernels execute, with every constant in its final form."""

from dataclasses import dataclass

from dynadeep.codegen.graph import Int8s, Int32s, Tensor


@dataclass(frozen=True, eq=False)
class Kernel:
    """What all layers have: tensors, weights and how the accumulators become int8 codes.

    ``bias`` has the input's zero point folded in: it is the TFLite bias less zero point x sum of
    the output's weights. ``multiplier`` and ``shift`` are in ``fixed_point``'s form.
    """

    name: str  # "conv5"
    input: Tensor
    output: Tensor
    weights: Int8s  # [outputs, ...]
    bias: Int32s  # [outputs]
    multiplier: Int32s  # [outputs]
    shift: Int8s  # [outputs], left if positive
    low: int  # clamp of the requantised code
    high: int
    activation: str  # "NONE", "RELU", "RELU6": what the clamp stands for
    weight_scales: tuple[float, ...]  # [outputs], for the reader of the C

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run."""
        return int(self.weights.size)

    @property
    def constants(self) -> dict[str, Int8s | Int32s]:
        """The arrays that lie in flash, in the order of ``dd_model.json``."""
        return {
            "weights": self.weights,
            "bias": self.bias,
            "multiplier": self.multiplier,
            "shift": self.shift,
        }

    @property
    def constant_bytes(self) -> int:
        """Flash of the layer's arrays."""
        return sum(array.nbytes for array in self.constants.values())


@dataclass(frozen=True, eq=False)
class Conv1d(Kernel):
    """A convolution along time; ``weights`` are [out_channels, kernel, in_channels].

    ``convolved`` is its own output; with a ``table`` (256 codes, by code + 128), ``output`` is what
    the table makes of it, else the two are one.
    """

    convolved: Tensor
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
        """The arrays that lie in flash, the table last."""
        arrays = super().constants
        return arrays if self.table is None else {**arrays, "table": self.table}

    def first_read(self, step: int) -> int:
        """Return the first input step that output ``step`` or a later one reads."""
        return max(step * self.stride - self.pad_before, 0)


@dataclass(frozen=True, eq=False)
class Dense(Kernel):
    """A fully connected layer; ``weights`` are [outputs, inputs]."""


Layer = Conv1d | Dense


@dataclass(frozen=True, eq=False)
class Network:
    """The layers in the order of execution.

    ``names`` maps each tensor's name in the file to the one that holds its values, where a pass
    dropped an operator that only renamed or reshaped it.
    """

    input: Tensor
    layers: tuple[Layer, ...]
    outputs: tuple[Tensor, ...]
    names: dict[str, str]

    def tensor(self, name: str) -> Tensor | None:
        """Return the tensor of this name that the firmware keeps, if it does."""
        kept = self.names.get(name, name)
        tensors = (self.input, *(layer.output for layer in self.layers))
        return next((tensor for tensor in tensors if tensor.name == kept), None)
