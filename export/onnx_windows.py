"""Lowerings of what slides over time or runs over all of it: convolutions, pools, dense layers."""

from typing import Any

import numpy as np

from dynadeep.export.onnx_node import Lowering, Node, Outputs
from dynadeep.export.onnx_values import CHANNELS, FLAT, ONE, TIME, Array, LayoutError, Value
from dynadeep.export.packages import tensorflow
from dynadeep.export.padding import padding_mode


def conv(node: Node) -> Outputs:
    """Lower Conv, grouped and dilated ones too."""
    tf, x = tensorflow(), node.value()
    weights = _taps(node, x)  # [filters, channels / groups, kernel]
    stride, dilation, pads = _window(node, x, weights.shape[2])
    groups = int(node.attributes.get("group", 1))
    _need_channels(node, x, weights.shape[1] * groups)
    padded, mode = _padded(x, (weights.shape[2] - 1) * dilation + 1, stride, pads)
    if groups == x.channels and groups > 1:
        if stride != 1 and dilation != 1:
            node.refuse(f"a depthwise convolution of stride {stride} and dilation {dilation}")
        strides, rates = [1, stride, stride, 1], [1, dilation]  # both strides must be one number
        filters = weights.reshape(groups, -1, weights.shape[2]).transpose(2, 0, 1)[None]
        y = tf.nn.depthwise_conv2d(padded, filters, strides, mode, dilations=rates)
        return (x.having(_biased(node, y)),)
    filters = weights.transpose(2, 1, 0)[None]  # [1, kernel, channels / groups, filters]
    y = tf.nn.conv2d(padded, filters, [1, 1, stride, 1], mode, dilations=[1, 1, dilation, 1])
    return (x.having(_biased(node, y)),)


def conv_transpose(node: Node) -> Outputs:
    """Lower ConvTranspose; what its pads cut off is sliced off behind it."""
    tf, x = tensorflow(), node.value()
    weights = _taps(node, x)  # [channels, filters, kernel]
    if node.attributes.get("group", 1) != 1:
        node.refuse(f"it has {node.attributes['group']} groups, 1 runs")
    _need_channels(node, x, weights.shape[0])
    stride, dilation, pads = _window(node, x, weights.shape[2])
    if dilation != 1:
        node.refuse(f"its dilation is {dilation}, 1 runs")
    extra = int(_last(node.attributes.get("output_padding", [0])))
    filters = weights.transpose(2, 1, 0)[None]  # [1, kernel, filters, channels]
    full = (x.time - 1) * stride + weights.shape[2]
    steps = full - sum(pads) + extra
    y = tf.nn.conv2d_transpose(
        x.tensor, filters, [1, 1, full + extra, weights.shape[1]], [1, 1, stride, 1], "VALID"
    )
    cut = y if steps == full + extra else y[:, :, pads[0] : pads[0] + steps, :]
    return (x.having(_biased(node, cut)),)


def gemm(node: Node) -> Outputs:
    """Lower Gemm with constant weights."""
    form = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0} | node.attributes
    if (form["alpha"], form["beta"], form["transA"]) != (1.0, 1.0, 0):
        node.refuse("it is scaled or transposed")
    weights = node.constant(1)
    dense = _dense(node, weights.T if form["transB"] else weights)
    bias = node.constant(2).reshape(-1) if node.has(2) else None
    return (dense if bias is None else dense.having(dense.tensor + bias.astype(np.float32)),)


def matmul(node: Node) -> Outputs:
    """Lower MatMul by constant weights [in, out]."""
    return (_dense(node, node.constant(1)),)


def _dense(node: Node, weights: Array) -> Value:
    """Multiply the last dimension by weights [in, out]."""
    tf, x = tensorflow(), node.value()
    weights = weights.astype(np.float32)
    kind = x.kind(-1)
    if weights.ndim != 2 or weights.shape[0] != x.shape[-1]:
        node.refuse(f"it multiplies {list(x.shape)} by weights of {list(weights.shape)}")
    if kind == FLAT:  # channels before time there, time before channels here
        weights = weights.reshape(x.channels, x.time, -1).transpose(1, 0, 2).reshape(weights.shape)
    elif not x.is_kind(-1, CHANNELS):
        raise LayoutError(f"multiplies the last dimension of {list(x.shape)}, which is the {kind}")
    if x.time == 1 or kind == FLAT:
        flat = tf.matmul(tf.reshape(x.tensor, [1, weights.shape[0]]), weights)
        y = tf.reshape(flat, [1, 1, 1, weights.shape[1]])
    else:  # the same at every step: a convolution of one tap
        y = tf.nn.conv2d(x.tensor, weights[None, None], 1, "VALID")
    layout = tuple(CHANNELS if k in (FLAT, CHANNELS) else k for k in x.layout[:-1])
    return Value(y, (*layout, CHANNELS))


def pool(kind: str) -> Lowering:
    """Return the lowering of MaxPool or AveragePool."""

    def lower(node: Node) -> Outputs:
        tf, x = tensorflow(), node.value()
        kernel = _one_of(node, node.attributes["kernel_shape"], "kernel")
        stride, dilation, pads = _window(node, x, kernel)
        if dilation != 1 or node.attributes.get("ceil_mode", 0):
            node.refuse("it is dilated or rounds its length up")
        mode = padding_mode(x.time, kernel, stride, *pads)
        if kind == "AVG" and mode == "SAME" and node.attributes.get("count_include_pad", 0):
            mode = "PAD"
        filled = x.tensor if mode != "PAD" else _filled(node, x, kernel, pads, kind)
        pooled = tf.nn.max_pool2d if kind == "MAX" else tf.nn.avg_pool2d
        window, steps = [1, 1, kernel, 1], [1, 1, stride, 1]
        y = pooled(filled, window, steps, "VALID" if mode == "PAD" else mode)
        return (x.having(y),)

    return lower


def _filled(node: Node, x: Value, kernel: int, pads: tuple[int, int], kind: str) -> Any:
    """Pad what is pooled: by zeros for a mean, by the outermost steps for a maximum.

    Every window that reaches beyond an end holds the outermost step, which it then holds twice.
    """
    tf = tensorflow()
    if kind == "AVG":
        if not node.attributes.get("count_include_pad", 0):
            node.refuse("it averages over what is there beside its padding", "Pad in front of it.")
        return tf.pad(x.tensor, [[0, 0], [0, 0], list(pads), [0, 0]])
    if max(pads) >= kernel:
        node.refuse(f"it pads by {list(pads)}, more than its kernel of {kernel}")
    first, last = x.tensor[:, :, :1, :], x.tensor[:, :, -1:, :]
    return tf.concat([first] * pads[0] + [x.tensor] + [last] * pads[1], 2)


def reduce(kind: str, *, whole: bool) -> Lowering:
    """Return the lowering of a mean or maximum; ``whole``: over all of time, as Global* has it."""

    def lower(node: Node) -> Outputs:
        tf, x = tensorflow(), node.value()
        axes = _axes(node, x, whole=whole)
        keep = bool(node.attributes.get("keepdims", 1))
        dimensions = sorted({x.axis(axis) for axis in axes if x.kind(axis) != ONE} or {2})
        function = tf.reduce_mean if kind == "mean" else tf.reduce_max
        y = function(x.tensor, axis=dimensions, keepdims=True)
        reduced = {axis % len(x.layout) for axis in axes}
        layout = tuple(
            ONE if i in reduced else k for i, k in enumerate(x.layout) if keep or i not in reduced
        )
        return (Value(y, layout),)

    return lower


def _axes(node: Node, x: Value, *, whole: bool) -> list[int]:
    if whole:
        return list(range(2, len(x.layout)))
    if not node.has(1, "axes"):
        node.refuse("it reduces all dimensions")
    return [int(axis) for axis in node.constant(1, "axes").reshape(-1)]


def _taps(node: Node, x: Value) -> Array:
    """Return a convolution's weights [.., .., kernel], along time alone."""
    weights = node.constant(1).astype(np.float32)
    if weights.ndim != len(x.layout) or weights.ndim < 3:
        node.refuse(f"it has weights of {list(weights.shape)} for {list(x.shape)}")
    if not x.is_kind(1, CHANNELS):
        raise LayoutError(f"takes dimension 1 of {list(x.shape)} for the channels")
    taps = [size for size in weights.shape[2:] if size != 1]
    if len(taps) > 1 or sum(size != 1 for size in x.shape[2:]) > 1:
        node.refuse(f"its kernel is {list(weights.shape[2:])} over {list(x.shape)}: two dimensions")
    return weights.reshape(*weights.shape[:2], -1)


def _window(node: Node, x: Value, kernel: int) -> tuple[int, int, tuple[int, int]]:
    """Return stride, dilation and padding along time."""
    time = next((a for a in range(2, len(x.layout)) if x.kind(a) == TIME), len(x.layout) - 1) - 2
    rank = len(x.layout) - 2
    stride = int(node.attributes.get("strides", [1] * rank)[time])
    dilation = int(node.attributes.get("dilations", [1] * rank)[time])
    pads = [int(n) for n in node.attributes.get("pads", [0] * 2 * rank)]
    for axis in range(rank):
        if axis != time and (pads[axis] or pads[axis + rank]):
            node.refuse(f"it pads {pads} across time")
    auto = node.attributes.get("auto_pad", b"NOTSET").decode()
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        out = -(-x.time // stride)
        total = max((out - 1) * stride + (kernel - 1) * dilation + 1 - x.time, 0)
        less, more = total // 2, total - total // 2
        return stride, dilation, (less, more) if auto == "SAME_UPPER" else (more, less)
    return stride, dilation, (pads[time], pads[time + rank])


def _padded(x: Value, reach: int, stride: int, pads: tuple[int, int]) -> tuple[Any, str]:
    """Return what a window of ``reach`` steps runs over, padded, and TensorFlow's mode for it."""
    mode = padding_mode(x.time, reach, stride, *pads)
    if mode != "PAD":
        return x.tensor, mode
    return tensorflow().pad(x.tensor, [[0, 0], [0, 0], list(pads), [0, 0]]), "VALID"


def _biased(node: Node, tensor: Any) -> Any:
    if not node.has(2):
        return tensor
    return tensorflow().nn.bias_add(tensor, node.constant(2).astype(np.float32))


def _need_channels(node: Node, x: Value, channels: int) -> None:
    if x.channels != channels:
        raise LayoutError(
            f"{node.name} takes {channels} channels, {list(x.shape)} has {x.channels}"
        )


def _one_of(node: Node, sizes: list[int], what: str) -> int:
    taps = [int(size) for size in sizes if size != 1]
    if len(taps) > 1:
        node.refuse(f"its {what} is {list(sizes)}: two dimensions")
    return taps[0] if taps else 1


def _last(numbers: list[int]) -> int:
    return max(numbers, key=abs)
