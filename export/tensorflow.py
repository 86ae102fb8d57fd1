"""ONNX -> TensorFlow, for the few operations that the encoder uses.

Activations are [1, 1, T, C] here (a picture of height 1), [1, C, T] in ONNX: convolutions become
conv2d without a transpose. A Linear layer over a whole series becomes a convolution as long as that
series: TFLite rounds a FULLY_CONNECTED in another way than TFLite-Micro does, a CONV_2D in the same
way. To add an operation, write a function and one line in ``LOWERINGS``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from dynadeep.export.errors import UnsupportedOpError
from dynadeep.export.onnx import INPUT, constants, module_of
from dynadeep.export.packages import tensorflow
from dynadeep.export.padding import padding_mode

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Node:
    """One ONNX node with what its lowering needs."""

    name: str  # <layer>/<role>
    op: str
    module: str
    tensors: tuple[Any, ...]  # TensorFlow tensors of the inputs that are computed
    constants: tuple[Array, ...]  # values of the inputs that are constant
    attributes: dict[str, Any]

    @property
    def layer(self) -> str:
        """Return the layer's name."""
        return self.name.partition("/")[0]

    def refuse(self, what: str, advice: str) -> UnsupportedOpError:
        """Return the error that names this node."""
        return UnsupportedOpError(
            f"encoder.onnx: node {self.name} ({self.op}, PyTorch module {self.module}) {what}. "
            f"{advice}"
        )


def lower(proto: onnx.ModelProto) -> Any:
    """Rebuild the graph in TensorFlow.

    Returns:
        A ``tf.function`` of one float ``segment`` [1, 1, T, C] that returns the graph's outputs by
        name; latents are [1, 1, T', C], predicted errors [1, 1, 1, 1].

    Raises:
        UnsupportedOpError: a node has no lowering; it names the node and its PyTorch module.
    """
    tf = tensorflow()
    _, channels, samples = (d.dim_value for d in proto.graph.input[0].type.tensor_type.shape.dim)
    initializers = constants(proto)

    def encode(segment: Any) -> dict[str, Any]:
        values = {INPUT: segment}
        for item in proto.graph.node:
            node = _read(item, values, initializers)
            values[item.output[0]] = _lowering(node)(tf, node)
        return {output.name: values[output.name] for output in proto.graph.output}

    signature = [tf.TensorSpec([1, 1, samples, channels], tf.float32, name=INPUT)]
    return tf.function(encode, input_signature=signature, autograph=False)


def _read(item: onnx.NodeProto, values: dict[str, Any], initializers: dict[str, Array]) -> Node:
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in item.attribute}
    tensors = tuple(values[name] for name in item.input if name in values)
    arrays = tuple(initializers[name] for name in item.input if name in initializers)
    return Node(item.name, item.op_type, module_of(item), tensors, arrays, attributes)


def _lowering(node: Node) -> Callable[[Any, Node], Any]:
    if node.op not in LOWERINGS:
        raise node.refuse(
            f"has no lowering; there are {', '.join(LOWERINGS)}",
            "Add one to LOWERINGS in export/tensorflow.py, or build the layer from these.",
        )
    return LOWERINGS[node.op]


def conv(tf: Any, node: Node) -> Any:
    """Lower a one-dimensional Conv; a PAD is made only where TensorFlow's SAME pads otherwise."""
    weights, _ = _weights_and_bias(node)
    if node.attributes.get("group", 1) != 1 or node.attributes.get("dilations", [1]) != [1]:
        raise node.refuse("is grouped or dilated", "Use an ordinary Conv1d.")
    if weights.ndim != 3:
        raise node.refuse(f"has {weights.ndim - 2} dimensions, not 1", "Use a Conv1d.")
    x = node.tensors[0]
    before, after = node.attributes["pads"]
    stride, kernel = node.attributes["strides"][0], weights.shape[2]
    mode = padding_mode(int(x.shape[2]), kernel, stride, before, after)
    if mode == "PAD":
        x = tf.pad(x, [[0, 0], [0, 0], [before, after], [0, 0]], name=f"{node.layer}/pad")
        mode = "VALID"
    return _conv2d(tf, node, x, stride, mode)


def gemm(tf: Any, node: Node) -> Any:
    """Lower the Gemm of a Linear layer to a convolution over the whole series."""
    weights, _ = _weights_and_bias(node)
    form = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0} | node.attributes
    if (form["alpha"], form["beta"], form["transA"], form["transB"]) != (1.0, 1.0, 0, 1):
        raise node.refuse("is scaled or transposed", "Use an ordinary Linear layer.")
    x = node.tensors[0]
    if list(x.shape) != [1, 1, weights.shape[2], 1]:
        raise node.refuse(
            f"has {weights.shape[2]} inputs and reads {x.shape[2]} samples x {x.shape[3]} channels",
            "A Linear layer can only follow the flatten of one channel.",
        )
    return _conv2d(tf, node, x, 1, "VALID")


def _conv2d(tf: Any, node: Node, x: Any, stride: int, mode: str) -> Any:
    weights, bias = _weights_and_bias(node)
    filters = np.transpose(weights, (2, 1, 0))[None]
    y = tf.nn.conv2d(x, filters, [1, 1, stride, 1], mode, name=f"{node.layer}/conv")
    return tf.nn.bias_add(y, bias)


def reshape(_: Any, node: Node) -> Any:
    """Lower the flatten of a series of one channel, which is that series."""
    x = node.tensors[0]
    if x.shape[3] != 1:
        raise node.refuse(
            f"flattens {x.shape[3]} channels x {x.shape[2]} samples, whose order differs here",
            "Reduce to one channel first.",
        )
    shape = [int(n) for n in node.constants[0]] if node.constants else "a computed shape"
    if shape not in ([1, -1], [1, int(x.shape[2])]):
        raise node.refuse(f"reshapes {x.shape[2]} samples to {shape}", "Flatten them: flatten(1).")
    return x


def sigmoid(tf: Any, node: Node) -> Any:
    """Lower Sigmoid."""
    return tf.sigmoid(node.tensors[0], name=node.name)


def mul(tf: Any, node: Node) -> Any:
    """Lower the Mul of two computed tensors, as SiLU makes it."""
    if len(node.tensors) != 2:
        raise node.refuse("multiplies by a constant", "Fold the factor into a convolution.")
    return tf.multiply(*node.tensors, name=node.name)


def relu(tf: Any, node: Node) -> Any:
    """Lower Relu."""
    return tf.nn.relu(node.tensors[0], name=node.name)


def max_pool(tf: Any, node: Node) -> Any:
    """Lower a MaxPool along time whose windows lie side by side."""
    (kernel,) = node.attributes["kernel_shape"]
    form = {"strides": [1], "pads": [0, 0], "dilations": [1], "ceil_mode": 0} | node.attributes
    settings = (form["strides"], form["pads"], form["dilations"], form["ceil_mode"])
    if settings != ([kernel], [0, 0], [1], 0):
        raise node.refuse("has windows that overlap or are padded", "Use max_pool1d(x, kernel).")
    window = [1, 1, kernel, 1]
    return tf.nn.max_pool2d(node.tensors[0], window, window, "VALID", name=node.name)


def _weights_and_bias(node: Node) -> tuple[Floats, Floats]:
    """Return weights [filters, channels, kernel] and the bias.

    Weights of a Gemm are filters over one channel; the exporter drops a bias that is all zeros.
    """
    if len(node.tensors) != 1 or not node.constants:
        raise node.refuse("has computed weights", "Use a layer whose weights are parameters.")
    weights = node.constants[0].astype(np.float32)
    bias = node.constants[1] if len(node.constants) > 1 else np.zeros(len(weights))
    return weights[:, None] if node.op == "Gemm" else weights, bias.astype(np.float32)


LOWERINGS: dict[str, Callable[[Any, Node], Any]] = {
    "Conv": conv,
    "Gemm": gemm,
    "MaxPool": max_pool,
    "Mul": mul,
    "Relu": relu,
    "Reshape": reshape,
    "Sigmoid": sigmoid,
}
