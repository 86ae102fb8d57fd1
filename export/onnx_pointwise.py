"""Lowerings of what works on numbers by themselves, or on two tensors."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dynadeep.export.onnx_node import Lowering, Node, Outputs
from dynadeep.export.onnx_values import ONE, LayoutError, Value, as_series
from dynadeep.export.packages import tensorflow


def binary(function: Callable[[Any, Any, Any], Any]) -> Lowering:
    """Return the lowering of an operator on two values, either of which may be constant."""

    def lower(node: Node) -> Outputs:
        first, second = node.inputs[:2]
        like = first if isinstance(first, Value) else node.value(1)
        sides = []
        for side in (first, second):
            if isinstance(side, Value):
                if len(side.layout) == len(like.layout) and _clash(side, like):
                    raise LayoutError(f"combines {side.layout} with {like.layout}")
                sides.append(side.tensor)
            else:
                sides.append(as_series(np.asarray(side, np.float32), like))
        largest = max((s for s in (first, second) if isinstance(s, Value)), key=_rank_and_size)
        return (largest.having(function(tensorflow(), *sides)),)

    return lower


def divide(node: Node) -> Outputs:
    """Lower Div by a constant, which is a factor."""
    divisor = np.asarray(node.constant(1), np.float32)
    return binary(lambda tf, a, b: a * b)(replace(node, inputs=(node.inputs[0], 1 / divisor)))


def _rank_and_size(value: Value) -> tuple[int, int]:
    return len(value.layout), math.prod(value.shape)


def _clash(left: Value, right: Value) -> bool:
    return any(
        ONE not in (a, b) and a != b and 1 not in (m, n)
        for a, b, m, n in zip(left.layout, right.layout, left.shape, right.shape, strict=True)
    )


def unary(function: Callable[[Any, Any], Any]) -> Lowering:
    """Return the lowering of an operator on each number by itself."""
    return lambda node: (node.value().having(function(tensorflow(), node.value().tensor)),)


def leaky_relu(node: Node) -> Outputs:
    """Lower LeakyRelu."""
    x, alpha = node.value(), node.attributes.get("alpha", 0.01)
    return (x.having(tensorflow().nn.leaky_relu(x.tensor, alpha)),)


def prelu(node: Node) -> Outputs:
    """Lower PRelu as the converter knows it: relu(x) + (-slope) * relu(-x)."""
    tf, x = tensorflow(), node.value()
    slope = as_series(np.asarray(node.constant(1), np.float32), x)[0]
    return (x.having(tf.nn.relu(x.tensor) + (-slope) * tf.nn.relu(-x.tensor)),)


def hard_sigmoid(node: Node) -> Outputs:
    """Lower HardSigmoid: max(0, min(1, alpha * x + beta))."""
    tf, x = tensorflow(), node.value()
    alpha, beta = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    return (x.having(tf.minimum(tf.maximum(x.tensor * alpha + beta, 0.0), 1.0)),)


def elu(node: Node) -> Outputs:
    """Lower Elu."""
    if node.attributes.get("alpha", 1.0) != 1.0:
        node.refuse(f"its alpha is {node.attributes['alpha']}, 1 runs")
    return unary(lambda tf, x: tf.nn.elu(x))(node)


def gelu(node: Node) -> Outputs:
    """Lower Gelu."""
    about = node.attributes.get("approximate", b"none") == b"tanh"
    return unary(lambda tf, x: tf.nn.gelu(x, approximate=about))(node)


def clip(node: Node) -> Outputs:
    """Lower Clip; that to 0 and 6 is RELU6."""
    tf, x = tensorflow(), node.value()
    low = float(node.constant(1, "min").reshape(-1)[0]) if node.has(1, "min") else None
    high = float(node.constant(2, "max").reshape(-1)[0]) if node.has(2, "max") else None
    if (low, high) == (0.0, 6.0):
        return (x.having(tf.nn.relu6(x.tensor)),)
    y = x.tensor if low is None else tf.maximum(x.tensor, low)
    return (x.having(y if high is None else tf.minimum(y, high)),)


def softmax(node: Node) -> Outputs:
    """Lower Softmax over the channels."""
    x = node.value()
    axis = int(node.attributes.get("axis", -1))
    if x.axis(axis) != 3:
        node.refuse(f"it works along time, dimension {axis} of {list(x.shape)}")
    return (x.having(tensorflow().nn.softmax(x.tensor)),)


def batch_normalization(node: Node) -> Outputs:
    """Lower BatchNormalization as a factor and a term for each channel."""
    x = node.value()
    scale, bias, mean, variance = (node.constant(index).astype(np.float64) for index in range(1, 5))
    factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    term = bias - mean * factor
    y = x.tensor * factor.astype(np.float32) + term.astype(np.float32)
    return (x.having(y),)
