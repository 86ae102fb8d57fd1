"""Bring what converters write into the forms that the operators' readers know.

Every step works on the file's operators before any of them is understood, and leaves the values of
every tensor that stays as they are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dynadeep.codegen.bundle import FileEnd, TensorSpec
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Graph, Node, Tensor
from dynadeep.codegen.ops.checks import QUANTISE
from dynadeep.codegen.patterns import merged
from dynadeep.codegen.shapes import with_fixed_shapes
from dynadeep.codegen.tflite import read_graph

TO_INT8 = ("QUANTIZE",)
FROM_INT8 = ("DEQUANTIZE", "QUANTIZE")
RESHAPES = ("EXPAND_DIMS", "RESHAPE", "SQUEEZE")
REAL = ("ELU",)  # operators that can stand in float32 between the two


def canonical(graph: Graph) -> Graph:
    """Return the graph as the operators' readers know it."""
    stripped = _strip_inputs(merged(with_fixed_shapes(graph)))
    return _close_islands(_strip_outputs(_unfold_inputs(stripped)))


def ends(content: bytes, file: str = "model.tflite") -> tuple[tuple[TensorSpec, ...], ...]:
    """Return what a manifest says of the inputs and of the outputs of a .tflite.

    Raises:
        ModelError: the file is damaged, or an end is not int8 and no QUANTIZE or DEQUANTIZE stands
            between it and the network.
    """
    graph = canonical(read_graph(content, file))
    return (
        tuple(_spec(tensor, graph) for tensor in graph.inputs),
        tuple(_spec(tensor, graph) for tensor in graph.outputs),
    )


def _spec(tensor: Tensor, graph: Graph) -> TensorSpec:
    quantization = tensor.quantization
    if tensor.type != "INT8" or quantization is None or len(quantization.scales) != 1:
        raise ModelError(
            f'{graph.file}: its input or output "{tensor.name}" is {tensor.type}, expected INT8 '
            f"with one scale. {QUANTISE}"
        )
    end = graph.file_ends.get(tensor.index)
    return TensorSpec(
        scale=tensor.scale,
        zero_point=tensor.zero_point,
        name=tensor.name,
        time=tensor.time,
        channels=tensor.channels,
        file_end=None if end is None or end.type == "INT8" else _file_end(end),
    )


def _file_end(end: Tensor) -> FileEnd:
    if end.quantization is None:
        return FileEnd(end.name, end.type)
    return FileEnd(end.name, end.type, end.scale, end.zero_point)


def _strip_inputs(graph: Graph) -> Graph:
    """Let the network begin behind the QUANTIZE that makes its int8 input of a float or uint8."""
    dropped: list[Node] = []
    inputs = list(graph.inputs)
    file_ends = dict(graph.file_ends)
    for index, end in enumerate(graph.inputs):
        readers = _readers(graph.nodes, end)
        if end.type == "INT8" or len(readers) != 1 or end in graph.outputs:
            continue
        outputs = readers[0].outputs[:1]
        if readers[0].kind in TO_INT8 and outputs and outputs[0].type == "INT8":
            inputs[index] = outputs[0]
            file_ends[outputs[0].index] = end
            dropped.append(readers[0])
    return replace(
        graph, nodes=_without(graph.nodes, dropped), inputs=tuple(inputs), file_ends=file_ends
    )


def _unfold_inputs(graph: Graph) -> Graph:
    """Let the network begin behind the reshape that makes steps of its input's values.

    An input [1, 187] would be one step of 187 channels, all of which must come before any of it.
    """
    for end in graph.inputs:
        readers = _readers(graph.nodes, end)
        if len(readers) == 1 and readers[0].kind in RESHAPES and end not in graph.outputs:
            (output,) = readers[0].outputs
            if (output.type, output.size) == (end.type, end.size) and output.time > end.time:
                graph = _unfolded(graph, end, readers[0])
    return graph


def _unfolded(graph: Graph, end: Tensor, reshape: Node) -> Graph:
    """Return the graph without a reshape of an input, which has the reshaped one's shape."""
    (output,) = reshape.outputs
    begin = replace(output, name=end.name)

    def renamed(tensor: Tensor | None) -> Tensor | None:
        return begin if tensor is not None and tensor.index == output.index else tensor

    nodes = [
        replace(node, inputs=tuple(map(renamed, node.inputs)))
        for node in _without(graph.nodes, [reshape])
    ]
    return replace(
        graph,
        nodes=tuple(nodes),
        inputs=tuple(begin if tensor.index == end.index else tensor for tensor in graph.inputs),
        outputs=tuple(
            begin if tensor.index == output.index else tensor for tensor in graph.outputs
        ),
        file_ends={**graph.file_ends, begin.index: graph.file_ends.get(end.index, end)},
    )


def _strip_outputs(graph: Graph) -> Graph:
    """Let the network end before the DEQUANTIZE or QUANTIZE that makes a float or uint8 of it."""
    makers = {tensor.index: node for node in graph.nodes for tensor in node.outputs}
    dropped: list[Node] = []
    outputs = list(graph.outputs)
    file_ends = dict(graph.file_ends)
    for index, end in enumerate(graph.outputs):
        maker = makers.get(end.index)
        if end.type == "INT8" or maker is None or maker.kind not in FROM_INT8:
            continue
        source = maker.inputs[0] if maker.inputs else None
        if source is None or source.type != "INT8" or source.data is not None:
            continue
        outputs[index] = source
        file_ends[source.index] = end
        if not _readers(graph.nodes, end):
            dropped.append(maker)
    return replace(
        graph, nodes=_without(graph.nodes, dropped), outputs=tuple(outputs), file_ends=file_ends
    )


def _close_islands(graph: Graph) -> Graph:
    """Make DEQUANTIZE, ELU in float32 and QUANTIZE one operator from codes to codes.

    So converters write ELU, of which they have no int8 form.
    """
    makers = {tensor.index: node for node in graph.nodes for tensor in node.outputs}
    nodes = []
    for node in graph.nodes:
        middle = _maker(makers, node) if node.kind == "QUANTIZE" else None
        begin = None if middle is None else _maker(makers, middle)
        nodes.append(_closed(begin, middle, node))
    return replace(graph, nodes=_without_unread_reals(nodes, graph))


def _closed(begin: Node | None, middle: Node | None, end: Node) -> Node:
    """Return the operator from the input of ``begin`` to the output of ``end``, if there is one."""
    if begin is None or middle is None or begin.kind != "DEQUANTIZE" or middle.kind not in REAL:
        return end
    options = {**middle.options, "BetweenReals": True}
    return replace(middle, inputs=begin.inputs, outputs=end.outputs, options=options)


def _maker(makers: Mapping[int, Node], node: Node) -> Node | None:
    """Return the operator that makes the only input of ``node``, if that is a float32 tensor."""
    if len(node.inputs) != 1 or node.inputs[0] is None or node.inputs[0].type != "FLOAT32":
        return None
    return makers.get(node.inputs[0].index)


def _without_unread_reals(nodes: list[Node], graph: Graph) -> tuple[Node, ...]:
    """Drop the operators that make float32 tensors which nothing reads."""
    read = {tensor.index for tensor in graph.outputs}
    needed = []
    for node in reversed(nodes):
        unread = all(t.type == "FLOAT32" and t.index not in read for t in node.outputs)
        if not unread:
            read |= {tensor.index for tensor in node.inputs if tensor is not None}
            needed.append(node)
    return tuple(needed[::-1])


def _readers(nodes: Iterable[Node], tensor: Tensor) -> list[Node]:
    return [node for node in nodes if tensor in node.inputs]


def _without(nodes: Iterable[Node], dropped: list[Node]) -> tuple[Node, ...]:
    return tuple(node for node in nodes if node not in dropped)
