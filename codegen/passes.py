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
from dynadeep.codegen.ops.convolution import PaddedConvolution
from dynadeep.codegen.ops.operation import Op, Pointwise
from dynadeep.codegen.ops.pad import Pad

ALL_CODES: Int8s = np.arange(-128, 128).astype(np.int8)


def drop_unread(graph: Graph) -> tuple[Graph, tuple[str, ...]]:
    """Drop the operators that neither the model's outputs nor anything that leads to them reads.

    Returns:
        What is left, and the names of the tensors that nothing computes any more.
    """
    needed = {tensor.index for tensor in graph.outputs}
    nodes: list[Node] = []
    unread: list[str] = []
    for node in reversed(graph.nodes):
        if any(tensor.index in needed for tensor in node.outputs):
            needed |= {tensor.index for tensor in node.inputs if tensor is not None}
            nodes.append(node)
        unread += [tensor.name for tensor in node.outputs[::-1] if tensor.index not in needed]
    return dataclasses.replace(graph, nodes=tuple(nodes[::-1])), tuple(unread[::-1])


def understand(graph: Graph) -> list[Op]:
    """Read every operator; of one with several outputs, what makes those that are read.

    Raises:
        ModelError: operators have no reader, or their readers refuse them; it names all of them.
    """
    read = {tensor.index for tensor in graph.outputs}
    read |= {tensor.index for node in graph.nodes for tensor in node.inputs if tensor is not None}
    several = all_or_refused(graph.nodes, _understand)
    return [op for ops in several for op in ops if op.output.index in read]


def _understand(node: Node) -> tuple[Op, ...]:
    operation = OPERATIONS.get(node.kind)
    if operation is None:
        _refuse_unknown(node)
    ops = operation.read(node)
    return ops if isinstance(ops, tuple) else (ops,)


def _refuse_unknown(node: Node) -> NoReturn:
    if node.kind in REFUSED:
        node.refuse(*REFUSED[node.kind])
    node.refuse(
        "it is not supported",
        f"Use one of {', '.join(sorted(OPERATIONS))}, or add the operator "
        "(codegen/ops/__init__.py says how).",
    )


def fold_pads(ops: list[Op], outputs: Iterable[Tensor]) -> list[Op]:
    """Make each PAD the border of the convolutions behind it, which read the same zero point.

    A PAD that something else reads as well stays for that.
    """
    pads = {op.output.index: op for op in ops if isinstance(op, Pad) and op.is_border}
    bordered = [_with_border(op, pads.get(op.inputs[0].index)) for op in ops]
    read = {tensor.index for op in bordered for tensor in op.inputs}
    read |= {tensor.index for tensor in outputs}
    return [op for op in bordered if op.output.index not in pads or op.output.index in read]


def _with_border(op: Op, pad: Pad | None) -> Op:
    """Return a convolution with what a PAD before it adds; any other operator as it is.

    One that reads other steps than the PAD made, behind a RESHAPE, reads what it made.
    """
    if pad is None or not isinstance(op, PaddedConvolution):
        return op
    source, padded = op.inputs[0], pad.output
    if (source.time, source.channels) != (padded.time, padded.channels):
        return op
    same_quantization(op.node, pad.inputs[0], source)
    return op.padded(pad.before, pad.after, pad.inputs[0])


def fold_tables(ops: list[Op], outputs: Iterable[Tensor]) -> list[Layer]:
    """Lower all operators; fold what is a function of one tensor's codes into one table.

    The table goes behind the layer that makes the tensor, or makes a layer of its own.
    """
    remaining = list(ops)
    output_indices = {tensor.index for tensor in outputs}
    layers: list[Layer] = []
    while remaining:
        first = remaining[0]
        if isinstance(first, Pointwise) and len({tensor.index for tensor in first.inputs}) == 1:
            folded, codes = _table_from(first.inputs[0], remaining, output_indices, keeps=True)
            layers.append(first.lookup(folded, codes))
            remaining = [op for op in remaining if op not in folded]
        else:
            layer = first.lower()
            folded, codes = _table_from(layer.output, remaining[1:], output_indices, keeps=False)
            layers.append(_with_table(layer, folded, codes) if folded else layer)
            remaining = [op for op in remaining[1:] if op not in folded]
    return layers


def _with_table(layer: Layer, folded: list[Pointwise], table: Int8s) -> Layer:
    # Behind a RESHAPE the last operator has another shape than the layer that now writes it.
    output = dataclasses.replace(folded[-1].output, shape=layer.output.shape)
    kinds = tuple(op.node.kind for op in folded)
    return dataclasses.replace(layer, output=output, table=table, folded=kinds)


def _table_from(
    tensor: Tensor, ops: list[Op], output_indices: set[int], *, keeps: bool
) -> tuple[list[Pointwise], Int8s]:
    """Return the operators that a table of ``tensor``'s codes can take, and the table.

    As many go into it as can without losing a tensor that is read elsewhere: a table gives only
    the last one's, and the codes themselves where the layer ``keeps`` them. There may be none.
    """
    codes = {tensor.index: ALL_CODES}
    behind: list[Pointwise] = []
    for op in ops:
        if isinstance(op, Pointwise) and all(tensor.index in codes for tensor in op.inputs):
            codes[op.output.index] = op.evaluate(tuple(codes[t.index] for t in op.inputs))
            behind.append(op)
    for last in reversed(behind):
        folded = _leading_to(last, behind)
        remaining = [op for op in ops if op not in folded]
        read = {tensor.index for op in remaining for tensor in op.inputs} | output_indices
        lost = {op.output.index for op in folded[:-1]} | (set() if keeps else {tensor.index})
        if not lost & read:
            return folded, codes[last.output.index]
    return [], ALL_CODES


def _leading_to(last: Pointwise, ops: list[Pointwise]) -> list[Pointwise]:
    """Return those of ``ops`` that ``last`` is computed from, and itself."""
    needed = {last.output.index}
    leading = []
    for op in reversed(ops):
        if op.output.index in needed:
            needed |= {tensor.index for tensor in op.inputs}
            leading.append(op)
    return leading[::-1]
