"""Checks that several operators share; each refuses with operator, layer and tensor by name."""

from collections.abc import Mapping

import numpy as np
import tflite

from dynadeep.codegen.fixed_point import activation_range, quantize_multiplier
from dynadeep.codegen.graph import Int8s, Int32s, Node, Tensor

LENGTH_LIMIT = (1 << 16) - 1  # time steps and channels are uint16 in the kernels' parameters
SIZE_LIMIT = 1 << 24  # values of a tensor: with any padding an offset stays within int32
ACTIVATIONS: Mapping[int, str] = {
    tflite.ActivationFunctionType.NONE: "NONE",
    tflite.ActivationFunctionType.RELU: "RELU",
    tflite.ActivationFunctionType.RELU6: "RELU6",
}
QUANTISE = "Quantise the model to int8 with the kit's export."


def operands(node: Node, least: int, most: int) -> tuple[Tensor | None, ...]:
    """Return the inputs, padded with None to ``most``; the first ``least`` must be there."""
    count = len(node.inputs)
    if len(node.outputs) != 1 or not least <= count <= most or None in node.inputs[:least]:
        node.refuse(
            f"has {count} inputs and {len(node.outputs)} outputs, expected {least} to {most} and 1",
            "Export the bundle again.",
        )
    return node.inputs + (None,) * (most - count)


def activation(node: Node, tensor: Tensor | None) -> Tensor:
    """Return ``tensor`` if it is computed, int8 and quantised as a whole."""
    if tensor is None or tensor.data is not None:
        node.refuse("an input is missing or constant, expected a computed one", "Export it again.")
    if tensor.type != "INT8":
        node.refuse(f'"{tensor.name}" is {tensor.type}, the kernels take INT8', QUANTISE)
    quantization = tensor.quantization
    if quantization is None or len(quantization.scales) != 1:
        node.refuse(f'"{tensor.name}" is not quantised as a whole by one scale', QUANTISE)
    if not -128 <= quantization.zero_points[0] <= 127:
        node.refuse(f'"{tensor.name}" has the zero point {quantization.zero_points[0]}', QUANTISE)
    if max(tensor.shape, default=0) > LENGTH_LIMIT or not tensor.shape:
        node.refuse(
            f'"{tensor.name}" is {list(tensor.shape)}, at most {LENGTH_LIMIT} fit a dimension',
            "Use a shorter segment.",
        )
    if tensor.size > SIZE_LIMIT:
        node.refuse(
            f'"{tensor.name}" is {list(tensor.shape)}, {tensor.size} values, at most {SIZE_LIMIT} '
            "fit the kernels' offsets",
            "Use a shorter segment or fewer channels.",
        )
    return tensor


def series(node: Node, tensor: Tensor | None) -> Tensor:
    """Return an activation of shape [1, 1, T, C]: one segment in one dimension."""
    checked = activation(node, tensor)
    if len(checked.shape) != 4 or checked.shape[:2] != (1, 1):
        node.refuse(
            f'"{checked.name}" is {list(checked.shape)}, expected [1, 1, time, channels]',
            "Only one-dimensional models with a batch of 1 can run; export with the kit.",
        )
    return checked


def constant_weights(node: Node, tensor: Tensor | None) -> tuple[Int8s, tuple[float, ...]]:
    """Return symmetric int8 weights, whose axis 0 is the output, and a float32 scale for each."""
    if tensor is None or tensor.data is None or tensor.type != "INT8" or not tensor.shape:
        node.refuse("its weights are not an INT8 constant", QUANTISE)
    quantization = tensor.quantization
    if quantization is None:
        node.refuse(f'the weights "{tensor.name}" have no scale', QUANTISE)
    if any(quantization.zero_points):
        node.refuse(
            f'the weights "{tensor.name}" are asymmetric, their zero points must all be 0', QUANTISE
        )
    count, scales = tensor.shape[0], quantization.scales
    if len(scales) == 1:
        return tensor.data, scales * count
    if quantization.axis != 0 or len(scales) != count:
        node.refuse(
            f'the weights "{tensor.name}" have {len(scales)} scales on axis {quantization.axis}, '
            f"expected {count} on axis 0",
            QUANTISE,
        )
    return tensor.data, scales


def constant_bias(node: Node, tensor: Tensor | None, count: int) -> Int32s:
    """Return the int32 bias of ``count`` outputs, zeros if the operator has none."""
    if tensor is None:
        return np.zeros(count, np.int32)
    if tensor.data is None or tensor.type != "INT32" or tensor.shape != (count,):
        node.refuse(
            f'the bias "{tensor.name}" is {tensor.type} {list(tensor.shape)}, '
            f"expected an INT32 constant of [{count}]",
            QUANTISE,
        )
    return tensor.data


def same_quantization(node: Node, first: Tensor, second: Tensor) -> None:
    """Check that an operator that only moves codes leaves their meaning alone."""
    if (first.scale, first.zero_point) != (second.scale, second.zero_point):
        node.refuse(
            f'"{first.name}" and "{second.name}" differ in scale or zero point',
            "It must only move values; export the bundle again.",
        )


def multiplier(node: Node, real: float, largest_shift: int) -> tuple[int, int]:
    """Return a multiplier as a mantissa and a shift."""
    try:
        mantissa, shift = quantize_multiplier(real)
    except OverflowError:
        mantissa, shift = 0, largest_shift + 1
    if shift > largest_shift:
        node.refuse(f"its scales give the multiplier {real:g}, which overflows int32", QUANTISE)
    return mantissa, shift


def activation_codes(node: Node, kind: str, tensor: Tensor) -> tuple[int, int]:
    """Return the clamp of the fused activation ``kind`` on the codes of ``tensor``."""
    try:
        return activation_range(kind, tensor.scale, tensor.zero_point)
    except OverflowError as error:
        node.refuse(f"{error}, where its {kind} ends", QUANTISE)


def fused_activation(node: Node) -> str:
    """Return "NONE", "RELU" or "RELU6"."""
    number = node.options.get("FusedActivationFunction", 0)
    if number not in ACTIVATIONS:
        node.refuse(
            f"its fused activation is number {number} of the schema",
            f"Only {', '.join(ACTIVATIONS.values())} can be fused; use one of them.",
        )
    return ACTIVATIONS[number]
