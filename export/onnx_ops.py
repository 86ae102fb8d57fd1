"""The ONNX operators that become TensorFlow's; every computed value is [1, 1, T, C] there.

To add one, write a function of a ``Node`` in a file beside this one, and its line in ``LOWERINGS``.
What an operator does in another way than its function knows is refused by ``Node.refuse``.
"""

from dynadeep.export.onnx_moves import (
    concat,
    pad,
    reshape,
    resize,
    same,
    slice_,
    split,
    squeeze,
    transpose,
    unsqueeze,
)
from dynadeep.export.onnx_node import Lowering
from dynadeep.export.onnx_pointwise import (
    batch_normalization,
    binary,
    clip,
    divide,
    elu,
    gelu,
    hard_sigmoid,
    leaky_relu,
    prelu,
    softmax,
    unary,
)
from dynadeep.export.onnx_windows import conv, conv_transpose, gemm, matmul, pool, reduce

LOWERINGS: dict[str, Lowering] = {
    "Add": binary(lambda tf, a, b: a + b),
    "AveragePool": pool("AVG"),
    "BatchNormalization": batch_normalization,
    "Cast": same,
    "Clip": clip,
    "Concat": concat,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Div": divide,
    "Dropout": same,
    "Elu": elu,
    "Flatten": reshape,
    "Gelu": gelu,
    "Gemm": gemm,
    "GlobalAveragePool": reduce("mean", whole=True),
    "GlobalMaxPool": reduce("max", whole=True),
    "HardSigmoid": hard_sigmoid,
    "HardSwish": unary(lambda tf, x: x * tf.nn.relu6(x + 3.0) * (1.0 / 6.0)),
    "Identity": same,
    "LeakyRelu": leaky_relu,
    "MatMul": matmul,
    "Max": binary(lambda tf, a, b: tf.maximum(a, b)),
    "MaxPool": pool("MAX"),
    "Min": binary(lambda tf, a, b: tf.minimum(a, b)),
    "Mul": binary(lambda tf, a, b: a * b),
    "Neg": unary(lambda tf, x: -x),
    "PRelu": prelu,
    "Pad": pad,
    "ReduceMax": reduce("max", whole=False),
    "ReduceMean": reduce("mean", whole=False),
    "Relu": unary(lambda tf, x: tf.nn.relu(x)),
    "Reshape": reshape,
    "Resize": resize,
    "Sigmoid": unary(lambda tf, x: tf.sigmoid(x)),
    "Slice": slice_,
    "Softmax": softmax,
    "Split": split,
    "Squeeze": squeeze,
    "Sub": binary(lambda tf, a, b: a - b),
    "Tanh": unary(lambda tf, x: tf.tanh(x)),
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
    "Upsample": resize,
}
