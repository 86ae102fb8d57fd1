"""The operators that codegen understands, one file each.

To add one:
1. write ``codegen/ops/<operator>.py`` with a frozen subclass of ``Op`` and a ``read`` that checks
   everything the operator could say and refuses, by ``node.refuse``, what the kit cannot run (one
   with several outputs returns an ``Op`` for each);
2. add its import and its line in ``OPERATIONS``, with the options that ``read`` looks at;
3. an operator on single codes (RELU, TANH) subclasses ``Pointwise``: its ``evaluate`` goes into the
   table of the layer before it, or into a table of its own, and that is all. An operator on two
   tensors (ADD) subclasses ``Pair``. Any other has its own subclass of ``Layer`` in its file, which
   ``lower`` returns, and a C kernel ``dd_<operator>_s8.[ch]`` in ``firmware_templates/runtime``;
4. test it in ``tests/codegen``: equal to the interpreter, and refusing what it must; draw it in
   ``tests/graphs/draws``.
"""

from dynadeep.codegen.ops import (
    absolute,
    add,
    concatenation,
    conv_2d,
    convolution,
    depthwise_conv_2d,
    fully_connected,
    hard_swish,
    leaky_relu,
    maximum,
    mirror_pad,
    mul,
    pad,
    pool_2d,
    prelu,
    quantize,
    real_function,
    reduce,
    relu,
    reshape,
    resize_nearest_neighbor,
    softmax,
    split,
    strided_slice,
    transpose,
    transpose_conv,
)
from dynadeep.codegen.ops.operation import Operation

OPERATIONS: dict[str, Operation] = {
    "ABS": Operation(absolute.read),
    "ADD": Operation(add.read, "AddOptions", ("FusedActivationFunction",)),
    "AVERAGE_POOL_2D": Operation(pool_2d.read_average, "Pool2DOptions", pool_2d.OPTIONS),
    "CONCATENATION": Operation(concatenation.read, "ConcatenationOptions", concatenation.OPTIONS),
    "CONV_2D": Operation(conv_2d.read, "Conv2DOptions", convolution.OPTIONS),
    "DEPTHWISE_CONV_2D": Operation(
        depthwise_conv_2d.read, "DepthwiseConv2DOptions", convolution.OPTIONS
    ),
    "ELU": Operation(real_function.read),
    "EXP": Operation(real_function.read),
    "EXPAND_DIMS": Operation(reshape.read_ones),
    "FULLY_CONNECTED": Operation(
        fully_connected.read, "FullyConnectedOptions", fully_connected.OPTIONS
    ),
    "GELU": Operation(real_function.read, "GeluOptions", ("Approximate",)),
    "HARD_SWISH": Operation(hard_swish.read),
    "LEAKY_RELU": Operation(leaky_relu.read, "LeakyReluOptions", ("Alpha",)),
    "LOGISTIC": Operation(real_function.read),
    "MAXIMUM": Operation(maximum.read),
    "MAX_POOL_2D": Operation(pool_2d.read_max, "Pool2DOptions", pool_2d.OPTIONS),
    "MEAN": Operation(reduce.read_mean),
    "MINIMUM": Operation(maximum.read),
    "MIRROR_PAD": Operation(mirror_pad.read, "MirrorPadOptions", ("Mode",)),
    "MUL": Operation(mul.read, "MulOptions", ("FusedActivationFunction",)),
    "PACK": Operation(concatenation.read_pack),
    "PAD": Operation(pad.read),
    "PADV2": Operation(pad.read),
    "PRELU": Operation(prelu.read),
    "QUANTIZE": Operation(quantize.read),
    "REDUCE_MAX": Operation(reduce.read_extreme),
    "REDUCE_MIN": Operation(reduce.read_extreme),
    "RELU": Operation(relu.read),
    "RELU6": Operation(relu.read),
    "RELU_0_TO_1": Operation(relu.read),
    "RELU_N1_TO_1": Operation(relu.read),
    "RESHAPE": Operation(reshape.read),
    "RESIZE_NEAREST_NEIGHBOR": Operation(
        resize_nearest_neighbor.read,
        "ResizeNearestNeighborOptions",
        resize_nearest_neighbor.OPTIONS,
    ),
    "SLICE": Operation(strided_slice.read_slice),
    "SOFTMAX": Operation(softmax.read, "SoftmaxOptions", ("Beta",)),
    "SPLIT": Operation(split.read_split),
    "SPLIT_V": Operation(split.read_split_v),
    "SQUEEZE": Operation(reshape.read_ones),
    "STRIDED_SLICE": Operation(
        strided_slice.read_strided, "StridedSliceOptions", strided_slice.OPTIONS
    ),
    "SUB": Operation(add.read, "SubOptions", ("FusedActivationFunction",)),
    "TANH": Operation(real_function.read),
    "TRANSPOSE": Operation(transpose.read),
    "TRANSPOSE_CONV": Operation(
        transpose_conv.read, "TransposeConvOptions", transpose_conv.OPTIONS
    ),
    "UNPACK": Operation(split.read_unpack, "UnpackOptions", ("Axis",)),
}

REFUSED: dict[str, tuple[str, str]] = {
    "DEQUANTIZE": (
        "its float32 values lead to operators that the converter had no int8 form of, and that do "
        "not stand alone between it and a QUANTIZE",
        "Use others in the network (a RELU or a TANH for an ELU whose values go right into a "
        "CONCATENATION, batch for layer normalisation), and convert it again.",
    ),
    "SUM": (
        "TFLite's own kernel for int8 is wrong: it clamps to the codes of uint8",
        "Use MEAN, whose output's scale may be as much smaller.",
    ),
}
"""Operators that have no line above for a reason: what is wrong, and what to do."""
