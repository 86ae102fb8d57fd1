"""The passes: each turns a list of operators into a shorter one that computes the same bits.

What is left afterwards are convolutions; ``lowering`` refuses the others.
"""

import dataclasses
from collections.abc import Iterable
from typing import NoReturn

import numpy as np

from dynadeep.codegen.graph import Graph, Int8s, Node, Tensor, all_or_refused
from dynadeep.codegen.layers import Layer
from dynadeep.codegen.ops import OPERATIONS, REFUSED
from dynadeep.codegen.ops.checks import same_quantization
from dynadeep.codegen.ops.conv_2d import Conv2D
from dynadeep.codegen.ops.operation import Op, Pointwise
from dynadeep.codegen.ops.pad import Pad
from dynadeep.codegen.ops.reshape import Reshape

ALL_CODES: Int8s = np.arange(-128, 128).astype(np.int8)


def drop_unread(graph: Graph) -> tuple[Graph, tuple[str, ...]]:
    """Drop the operators that neither the model's outputs nor anything that leads to them reads.

    Returns:
        What is left, and the names of the tensors that nothing computes any more.
    """
    wanted = {tensor.index for tensor in graph.outputs}
    kept: list[Node] = []
    unread: list[str] = []
    for node in reversed(graph.nodes):
        if any(tensor.index in wanted for tensor in node.outputs):
            wanted |= {tensor.index for tensor in node.inputs if tensor is not None}
            kept.append(node)
        else:
            unread += [tensor.name for tensor in node.outputs]
    return dataclasses.replace(graph, nodes=tuple(kept[::-1])), tuple(unread[::-1])


def understand(graph: Graph) -> list[Op]:
    """Read every operator.

    Raises:
        ModelError: operators have no reader, or their readers refuse them; it names all of them.
    """
    return all_or_refused(graph.nodes, _understand)


def _understand(node: Node) -> Op:
    operation = OPERATIONS.get(node.kind)
    if operation is None:
        _refuse_unknown(node)
    return operation.read(node)


def _refuse_unknown(node: Node) -> NoReturn:
    if node.kind in REFUSED:
        node.refuse(*REFUSED[node.kind])
    node.refuse(
        "it is not supported",
        f"Use one of {', '.join(sorted(OPERATIONS))}, or add the operator "
        "(codegen/ops/__init__.py says how).",
    )


def drop_reshapes(ops: list[Op]) -> tuple[list[Op], dict[int, Tensor]]:
    """Drop RESHAPE, whose values stay where they are.

    Returns:
        The operators, and what replaces each dropped tensor, by its index: the tensor that holds
        its values, under the shape in which the operators behind the RESHAPE were checked.
    """
    replaced: dict[int, Tensor] = {}
    kept = []
    for op in ops:
        inputs = tuple(replaced.get(tensor.index, tensor) for tensor in op.inputs)
        if isinstance(op, Reshape):
            replaced[op.output.index] = dataclasses.replace(inputs[0], shape=op.output.shape)
        else:
            kept.append(dataclasses.replace(op, inputs=inputs))
    return kept, replaced


def fold_pads(ops: list[Op], outputs: Iterable[Tensor]) -> list[Op]:
    """Make each PAD the border of the convolutions behind it, which read the same zero point."""
    pads = {op.output.index: op for op in ops if isinstance(op, Pad)}
    for output in outputs:
        if output.index in pads:
            pads[output.index].node.refuse("the model outputs it", "Output what it pads.")
    kept: list[Op] = []
    for op in ops:
        pad = pads.get(op.inputs[0].index)
        if pad is not None and isinstance(op, Conv2D):
            kept.append(_with_border(op, pad))
        elif pad is not None:
            op.node.refuse(
                f"it reads the padded {pad.output.name}", "Only a convolution can follow a PAD."
            )
        elif not isinstance(op, Pad):
            kept.append(op)
    return kept


def _with_border(conv: Conv2D, pad: Pad) -> Conv2D:
    same_quantization(conv.node, pad.inputs[0], conv.inputs[0])
    if conv.inputs[0].shape != pad.output.shape:
        conv.node.refuse(
            f"it reads the padded {pad.output.name}, reshaped from {list(pad.output.shape)} to "
            f"{list(conv.inputs[0].shape)}",
            "Pad behind the RESHAPE.",
        )
    return dataclasses.replace(
        conv,
        inputs=pad.inputs,
        pad_before=conv.pad_before + pad.before,
        pad_after=conv.pad_after + pad.after,
    )


def fold_tables(ops: list[Op], outputs: Iterable[Tensor]) -> list[Layer]:
    """Lower all operators; fold what is a function of one layer's codes into a table behind it."""
    left = list(ops)
    wanted = {tensor.index for tensor in outputs}
    layers = []
    while left:
        layer, left = _fold_behind(left[0].node, left[0].lower(), left[1:], wanted)
        layers.append(layer)
    return layers


def _fold_behind(
    node: Node, layer: Layer, ops: list[Op], wanted: set[int]
) -> tuple[Layer, list[Op]]:
    """Return the layer with its table, and the operators that are not in it."""
    codes = {layer.output.index: ALL_CODES}
    folded: list[Op] = []
    for op in ops:
        if isinstance(op, Pointwise) and all(tensor.index in codes for tensor in op.inputs):
            codes[op.output.index] = op.evaluate(tuple(codes[t.index] for t in op.inputs))
            folded.append(op)
    if not folded:
        return layer, ops
    kept = [op for op in ops if op not in folded]
    read = {tensor.index for op in kept for tensor in op.inputs} | wanted
    needed = [index for index in codes if index in read]
    if needed != [folded[-1].output.index]:
        node.refuse(
            f"{len(needed)} of the {len(codes)} tensors computed from its codes are used later, "
            "where a table keeps only the last",
            "Let only the activation's result be used.",
        )
    # Behind a RESHAPE the last operator has another shape than the layer that now writes it.
    last = dataclasses.replace(folded[-1].output, shape=layer.output.shape)
    kinds = tuple(op.node.kind for op in folded)
    return dataclasses.replace(layer, output=last, table=codes[last.index], folded=kinds), kept
