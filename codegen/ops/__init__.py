"""The operators that codegen understands, one file each.

To add one:
1. write ``codegen/ops/<operator>.py`` with a frozen subclass of ``Op`` and a ``read`` that checks
   everything the operator could say and refuses, by ``node.refuse``, what the kit cannot run;
2. add its line to ``OPERATIONS``, with the options that ``read`` looks at;
3. an operator on single codes (RELU, TANH) subclasses ``Pointwise``: its ``evaluate`` is then
   folded into the table of the convolution before it, and that is all. An operator with a kernel of
   its own needs a layer in ``codegen/layers.py``, a line in ``codegen/lowering.py``, a C kernel in
   ``firmware_templates/runtime`` and its call in ``firmware_templates/model/dd_model.c.j2``;
4. test it in ``tests/codegen``: equal to the interpreter, and refusing what it must.
"""

from dynadeep.codegen.ops import (
    conv_2d,
    hard_swish,
    leaky_relu,
    mul,
    pad,
    quantize,
    real_function,
    relu,
    reshape,
)
from dynadeep.codegen.ops.operation import Operation

OPERATIONS: dict[str, Operation] = {
    "CONV_2D": Operation(
        conv_2d.read,
        "Conv2DOptions",
        (
            "Padding",
            "StrideH",
            "StrideW",
            "DilationHFactor",
            "DilationWFactor",
            "FusedActivationFunction",
        ),
    ),
    "ELU": Operation(real_function.read),
    "EXP": Operation(real_function.read),
    "GELU": Operation(real_function.read, "GeluOptions", ("Approximate",)),
    "HARD_SWISH": Operation(hard_swish.read),
    "LEAKY_RELU": Operation(leaky_relu.read, "LeakyReluOptions", ("Alpha",)),
    "LOGISTIC": Operation(real_function.read),
    "MUL": Operation(mul.read, "MulOptions", ("FusedActivationFunction",)),
    "PAD": Operation(pad.read),
    "QUANTIZE": Operation(quantize.read),
    "RELU": Operation(relu.read),
    "RELU6": Operation(relu.read),
    "RELU_0_TO_1": Operation(relu.read),
    "RELU_N1_TO_1": Operation(relu.read),
    "RESHAPE": Operation(reshape.read),
    "TANH": Operation(real_function.read),
}

REFUSED: dict[str, tuple[str, str]] = {
    "FULLY_CONNECTED": (
        "TFLite and TFLite-Micro round it differently, so that no kernel can equal both",
        "Export it as a convolution over the whole length, as the kit's export does.",
    ),
}
"""Operators that have no line above for a reason: what is wrong, and what to do."""
