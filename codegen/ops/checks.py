"""Checks that several operators share; each refuses with operator, layer and tensor by name."""

from collections.abc import Mapping

import numpy as np
import tflite

from dynadeep.codegen.fixed_point import activation_range, quantize_multiplier
from dynadeep.codegen.graph import Int8s, Int32s, Node, Tensor

LENGTH_LIMIT = (1 << 16) - 2  # time steps and channels are uint16 in the kernels' parameters
SIZE_LIMIT = 1 << 24  # values of a tensor: with any padding an offset stays within int32
CODE_SHIFT_LIMIT = 23  # a code less its zero point has 9 bits; more would overflow int32
PRODUCT_SHIFT_LIMIT = 14  # two of them make 17 bits
ACTIVATIONS: Mapping[int, str] = {
    tflite.ActivationFunctionType.NONE: "NONE",
    tflite.ActivationFunctionType.RELU: "RELU",
    tflite.ActivationFunctionType.RELU6: "RELU6",
    tflite.ActivationFunctionType.RELU_N1_TO_1: "RELU_N1_TO_1",
}
QUANTISE = (
    "Quantise the network to int8: dynadeep import does, with --calibration, for a float one."
)
CONVERT = "Convert the network again."


def operands(node: Node, least: int, most: int) -> tuple[Tensor | None, ...]:
    """Return the inputs, padded with None to ``most``; the first ``least`` must be there."""
    count = len(node.inputs)
    if len(node.outputs) != 1 or not least <= count <= most or None in node.inputs[:least]:
        node.refuse(
            f"has {count} inputs and {len(node.outputs)} outputs, expected {least} to {most} and 1",
            CONVERT,
        )
    return node.inputs + (None,) * (most - count)


def activation(node: Node, tensor: Tensor | None) -> Tensor:
    """Return ``tensor`` if it is computed, int8 and quantised as a whole."""
    if tensor is None or tensor.data is not None:
        name = "an input that is left out" if tensor is None else f'the constant "{tensor.name}"'
        node.refuse(f"it reads {name}, expected a computed tensor", CONVERT)
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
    """Return an activation that is one series in time: [time, channels] and dimensions of 1.

    Which of its dimensions is time does not matter: [1, T, C], [1, 1, T, C] and [1, T, 1, C] hold
    the same values in the same order, as [1, C] holds one step.
    """
    checked = activation(node, tensor)
    if sum(size != 1 for size in checked.shape[:-1]) > 1:
        node.refuse(
            f'"{checked.name}" is {list(checked.shape)}, expected one dimension of time and one '
            "of channels, and a batch of 1",
            "Only one-dimensional networks run: [1, time, channels].",
        )
    return checked


def time_axis(tensor: Tensor) -> int:
    """Return which dimension of a ``series`` is time; of one step the last before the channels."""
    axes = [axis for axis, size in enumerate(tensor.shape[:-1]) if size != 1]
    return axes[0] if axes else max(len(tensor.shape) - 2, 0)


def constant_weights(
    node: Node, tensor: Tensor | None, axis: int = 0
) -> tuple[Int8s, tuple[float, ...]]:
    """Return symmetric int8 weights and a float32 scale for each output, which ``axis`` counts."""
    if tensor is None or tensor.data is None or tensor.type != "INT8" or not tensor.shape:
        node.refuse("its weights are not an INT8 constant", QUANTISE)
    quantization = tensor.quantization
    if quantization is None:
        node.refuse(f'the weights "{tensor.name}" have no scale', QUANTISE)
    if any(quantization.zero_points):
        node.refuse(
            f'the weights "{tensor.name}" are asymmetric, their zero points must all be 0', QUANTISE
        )
    count, scales = tensor.shape[axis % len(tensor.shape)], quantization.scales
    if len(scales) == 1:
        return tensor.data, scales * count
    if quantization.axis != axis or len(scales) != count:
        node.refuse(
            f'the weights "{tensor.name}" have {len(scales)} scales on axis {quantization.axis}, '
            f"expected {count} on axis {axis}",
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
            "It must only move values; convert the network again.",
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
    """Return the name of the fused activation, one of ``ACTIVATIONS``."""
    number = node.options.get("FusedActivationFunction", 0)
    if number not in ACTIVATIONS:
        node.refuse(
            f"its fused activation is number {number} of the schema",
            f"Only {', '.join(ACTIVATIONS.values())} can be fused; use one of them.",
        )
    return ACTIVATIONS[number]


def one_to_one(node: Node) -> tuple[Tensor, Tensor]:
    """Return the input and the output of an operator that maps each value by itself."""
    (source,) = operands(node, 1, 1)
    x, y = activation(node, source), activation(node, node.outputs[0])
    if x.shape != y.shape:
        node.refuse(f"{list(x.shape)} becomes {list(y.shape)}", "It must keep the shape.")
    return x, y


def code_multiplier(node: Node, x: Tensor, y: Tensor, factor: float = 1.0) -> tuple[int, int]:
    """Return the multiplier from steps of ``x`` times ``factor`` to steps of ``y``.

    TFLite multiplies and divides the scales in float32, and only then widens to double.
    """
    with np.errstate(over="ignore", under="ignore"):
        scale = np.float32(x.scale) * np.float32(factor) / np.float32(y.scale)
    return multiplier(node, float(scale), CODE_SHIFT_LIMIT)


def constant_codes(node: Node, tensor: Tensor) -> Tensor:
    """Return a constant of int8 codes with one scale and zero point, as an activation has them."""
    quantization = tensor.quantization
    if tensor.type != "INT8":
        node.refuse(f'the constant "{tensor.name}" is {tensor.type}, not INT8', QUANTISE)
    if quantization is None or len(quantization.scales) != 1:
        node.refuse(f'the constant "{tensor.name}" is not quantised by one scale', QUANTISE)
    if not -128 <= quantization.zero_points[0] <= 127:
        node.refuse(
            f'the constant "{tensor.name}" has the zero point {quantization.zero_points[0]}',
            QUANTISE,
        )
    return tensor
