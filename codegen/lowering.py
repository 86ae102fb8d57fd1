"""From a graph of TFLite operators to the layers of the runtime, every constant final."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from dynadeep.codegen import passes
from dynadeep.codegen.accumulators import accumulator_bounds, check_accumulators
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.fixed_point import INT32_MAX, LARGEST_SHIFT
from dynadeep.codegen.graph import Graph, Int8s, Int32s, Tensor
from dynadeep.codegen.layers import Conv1d, Network
from dynadeep.codegen.naming import unique_layer_names
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.conv_2d import Conv2D
from dynadeep.codegen.ops.operation import Op

PAD_LIMIT = 255  # uint8 in the kernel's parameters


def lower(graph: Graph) -> Network:
    """Run the passes and build the layers.

    Raises:
        ModelError: the model holds what the kernels cannot run, or could overflow int32.
    """
    if len(graph.inputs) != 1:
        raise ModelError(
            f"{graph.file}: has {len(graph.inputs)} inputs, one can run. Join them in front of it."
        )
    graph, unread = passes.drop_unread(graph)
    understood = passes.understand(graph)
    ops, replaced = passes.drop_reshapes(understood)
    outputs = tuple(replaced.get(tensor.index, tensor) for tensor in graph.outputs)
    _check_outputs(graph, outputs)
    ops = passes.fold_tables(passes.fold_pads(ops, outputs), outputs)
    layers = unique_layer_names(_layer(op) for op in ops)
    names = {
        op.output.name: replaced[op.output.index].name
        for op in understood
        if op.output.index in replaced
    }
    return Network(graph.input, layers, outputs, names, unread)


def _check_outputs(graph: Graph, outputs: Iterable[Tensor]) -> None:
    """Refuse outputs that no layer makes."""
    given = {tensor.index for tensor in graph.inputs}
    if any(tensor.index in given for tensor in outputs):
        raise ModelError(
            f"{graph.file}: its outputs are {[tensor.name for tensor in graph.outputs]}, "
            "expected only what operators compute. Output what a layer makes."
        )


def _layer(op: Op) -> Conv1d:
    if not isinstance(op, Conv2D):
        op.node.refuse(
            "it has no kernel and does not follow a convolution, into whose table it would go",
            "Put it directly behind a convolution.",
        )
    if op.pad_before > PAD_LIMIT:
        op.node.refuse(f"its input is padded by {op.pad_before}", f"At most {PAD_LIMIT} fit.")
    layer = _conv1d(op)
    check_accumulators(op.node, layer, op.bias)
    return replace(layer, doubles=2 * max(accumulator_bounds(layer, op.bias)) <= INT32_MAX)


def _conv1d(op: Conv2D) -> Conv1d:
    source, convolved = op.inputs[0], op.convolved
    # TFLite widens the float32 scales to double before it multiplies and divides them.
    scales = [source.scale * scale / convolved.scale for scale in op.weight_scales]
    multipliers = [checks.multiplier(op.node, scale, LARGEST_SHIFT) for scale in scales]
    low, high = checks.activation_codes(op.node, op.activation, convolved)
    return Conv1d(
        name=op.node.layer,
        input=source,
        output=op.output,
        convolved=convolved,
        weights=op.weights,
        weight_scales=op.weight_scales,
        bias=_folded_bias(op.weights, op.bias, source.zero_point),
        multiplier=np.array([mantissa for mantissa, _ in multipliers], np.int32),
        shift=np.array([shift for _, shift in multipliers], np.int8),
        low=low,
        high=high,
        activation=op.activation,
        doubles=False,  # until it is known
        stride=op.stride,
        pad_before=op.pad_before,
        pad_after=op.pad_after,
        table=op.table,
        folded=op.folded,
    )


def _folded_bias(weights: Int8s, bias: Int32s, zero_point: int) -> Int32s:
    """Return bias - zero point x sum of each output's weights, on whose range others decide."""
    sums = weights.reshape(len(weights), -1).sum(axis=1, dtype=np.int64)
    folded: Int32s = (bias.astype(np.int64) - zero_point * sums).astype(np.int32)
    return folded
