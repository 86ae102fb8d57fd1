"""CONV_2D of height 1: a convolution along time."""

from dataclasses import dataclass
from typing import NoReturn

import tflite

from dynadeep.codegen.graph import Int8s, Int32s, Node, Tensor
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op

TAPS_LIMIT = 255  # kernel, stride and padding are uint8 in the kernel's parameters


@dataclass(frozen=True, eq=False)
class Conv2D(Op):
    """A convolution: ``inputs`` is one tensor [1, 1, T, C].

    ``convolved`` is its own output. A pass that folds what follows sets ``table`` (256 codes, by
    code + 128) and ``folded``, the operators in it; ``output`` is then what the table gives.
    """

    weights: Int8s  # [out_channels, kernel, in_channels]
    weight_scales: tuple[float, ...]  # float32 values, [out_channels]
    bias: Int32s  # [out_channels]
    stride: int
    pad_before: int
    pad_after: int
    activation: str
    convolved: Tensor
    table: Int8s | None = None
    folded: tuple[str, ...] = ()


def read(node: Node) -> Conv2D:
    """Read and check a CONV_2D."""
    source, filters, bias = checks.operands(node, 2, 3)
    x = checks.series(node, source)
    y = checks.series(node, node.outputs[0])
    weights, scales = checks.constant_weights(node, filters)
    _check_options(node)
    if weights.ndim != 4 or weights.shape[1] != 1 or weights.shape[3] != x.channels:
        _refuse_shape(node, f"its weights are {list(weights.shape)} for {x.channels} channels")
    stride, kernel = node.options["StrideW"], weights.shape[2]
    if not (1 <= stride <= TAPS_LIMIT and kernel <= TAPS_LIMIT):
        _refuse_shape(node, f"its kernel is {kernel} and its stride {stride}")
    before, after = _padding(node, x.time, kernel, stride)
    if y.shape[2:] != ((x.time + before + after - kernel) // stride + 1, weights.shape[0]):
        _refuse_shape(node, f'"{x.name}" {list(x.shape)} cannot give {list(y.shape)}')
    return Conv2D(
        node=node,
        inputs=(x,),
        output=y,
        weights=weights[:, 0],
        weight_scales=scales,
        bias=checks.constant_bias(node, bias, weights.shape[0]),
        stride=stride,
        pad_before=before,
        pad_after=after,
        activation=checks.fused_activation(node),
        convolved=y,
    )


def _check_options(node: Node) -> None:
    if not node.options:
        _refuse_shape(node, "it has no options")
    if node.options["DilationWFactor"] != 1 or node.options["DilationHFactor"] != 1:
        node.refuse(
            f"its dilation is {node.options['DilationWFactor']}, the kernel's is 1",
            "Use a wider kernel or a stride instead.",
        )


def _padding(node: Node, length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the time steps that TFLite pads before and after the input."""
    if node.options["Padding"] == tflite.Padding.VALID:
        if length < kernel:
            _refuse_shape(node, f"its kernel of {kernel} is longer than its input of {length}")
        return 0, 0
    out = -(-length // stride)
    total = max((out - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


def _refuse_shape(node: Node, found: str) -> NoReturn:
    node.refuse(
        found, "Expected a plain convolution along time: weights [filters, 1, kernel, channels]."
    )
