"""MAX_POOL_2D and AVERAGE_POOL_2D along time.

TFLite pads with nothing: a window is what the input has of it, and an average counts that alone.
"""

from dataclasses import dataclass
from typing import ClassVar

import tflite

from dynadeep.codegen.graph import Node
from dynadeep.codegen.kernels import KernelName, KernelSet
from dynadeep.codegen.layers import Layer, Overlap, Window
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op

OPTIONS = (
    "Padding",
    "StrideH",
    "StrideW",
    "FilterHeight",
    "FilterWidth",
    "FusedActivationFunction",
)
RECIPROCAL_STEPS, RECIPROCAL_SHIFT = 128, 23  # DD_RECIPROCAL_STEPS, DD_RECIPROCAL_SHIFT
PER_VALUE: dict[KernelName, float] = {"plain": 7.0, "lanes": 6.0, "dsp": 1.3, "helium": 0.7}
"""Instructions for a value in a window, as counted for two or three steps of sixteen channels."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pool(Layer):
    """The largest value of each window, or with ``FUNCTION`` of its subclass the average."""

    FUNCTION: ClassVar[str] = "dd_max_pool_s8"
    STRUCT: ClassVar[str] = "dd_pool"
    OVERLAP: ClassVar[Overlap] = "none"  # all steps of a few channels come before the others'
    WORDS: ClassVar[str] = "max pool"

    kernel: int
    stride: int
    pad_before: int
    activation: str
    low: int
    high: int

    @property
    def windows(self) -> tuple[Window, ...]:
        """What an output step reads."""
        return (Window(self.kernel, self.stride, self.pad_before),)

    @property
    def words(self) -> str:
        """``max pool k2 s2``, and the activation that is a clamp."""
        words = f"{self.WORDS} k{self.kernel} s{self.stride}"
        return words if self.activation == "NONE" else f"{words}, {self.activation}"

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_pool``."""
        return {
            "channels": self.output.channels,
            "kernel": self.kernel,
            "stride": self.stride,
            "before": self.pad_before,
            "out_min": self.low,
            "out_max": self.high,
        }

    def instructions(self, kernels: KernelSet, cpu: str) -> float:
        """Return about how many instructions one run takes on a core."""
        return self.output.size * self.kernel * PER_VALUE[kernels.name]


@dataclass(frozen=True, eq=False, kw_only=True)
class AveragePool(Pool):
    """The average of each window's steps that the input has, ties away from zero."""

    FUNCTION: ClassVar[str] = "dd_average_pool_s8"
    WORDS: ClassVar[str] = "average pool"

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_pool``, the kernel's reciprocal among them."""
        return {**super().fields(), "reciprocal": (1 << RECIPROCAL_SHIFT) // self.kernel + 1}


@dataclass(frozen=True, eq=False)
class Pool2D(Op):
    """A pooling along time: ``inputs`` is one series."""

    layer: type[Pool]
    kernel: int
    stride: int
    pad_before: int
    activation: str

    def lower(self) -> Pool:
        """Turn the activation into a clamp."""
        low, high = checks.activation_codes(self.node, self.activation, self.output)
        return self.layer(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            kernel=self.kernel,
            stride=self.stride,
            pad_before=self.pad_before,
            activation=self.activation,
            low=low,
            high=high,
        )


def read_max(node: Node) -> Pool2D:
    """Read and check a MAX_POOL_2D."""
    return _read(node, Pool)


def read_average(node: Node) -> Pool2D:
    """Read and check an AVERAGE_POOL_2D."""
    return _read(node, AveragePool)


def _read(node: Node, layer: type[Pool]) -> Pool2D:
    (source,) = checks.operands(node, 1, 1)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    checks.same_quantization(node, x, y)
    if len(x.shape) != 4 or not node.options or x.channels != y.channels:
        node.refuse(
            f'it makes "{y.name}" {list(y.shape)} of "{x.name}" {list(x.shape)}, expected '
            "[batch, height, width, channels] and its options",
            checks.CONVERT,
        )
    along_width = checks.time_axis(x) == 2
    kernel, stride = _window(node, "FilterWidth", "StrideW", along_time=along_width)
    if along_width:
        across, _ = _window(node, "FilterHeight", "StrideH", along_time=False)
    else:
        across, _ = kernel, kernel
        kernel, stride = _window(node, "FilterHeight", "StrideH", along_time=True)
    before, steps = _placed(node, x.time, kernel, stride)
    if y.time != steps or (across != 1 and node.options["Padding"] == tflite.Padding.VALID):
        node.refuse(
            f"windows of {kernel} steps, {stride} apart, and {across} across cannot make "
            f'"{y.name}" {list(y.shape)} of {list(x.shape)}',
            "Pool along time alone.",
        )
    activation = checks.fused_activation(node)
    return Pool2D(node, (x,), y, layer, kernel, stride, before, activation)


def _window(node: Node, size: str, stride: str, *, along_time: bool) -> tuple[int, int]:
    """Return one dimension's kernel and stride; those along time must fit the kernel's fields."""
    values = node.options[size], node.options[stride]
    limit = checks.LENGTH_LIMIT if along_time else (1 << 31) - 1
    if not all(1 <= value <= limit for value in values):
        node.refuse(
            f"its {size} is {values[0]} and its {stride} {values[1]}",
            f"Both must be from 1 to {limit}.",
        )
    return values


def _placed(node: Node, length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the steps of padding before the input, and the number of windows."""
    if node.options["Padding"] == tflite.Padding.VALID:
        return 0, (length - kernel) // stride + 1
    steps = -(-length // stride)
    return max((steps - 1) * stride + kernel - length, 0) // 2, steps
