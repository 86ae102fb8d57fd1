"""From a graph of TFLite operators to the layers of the runtime, every constant final."""

from collections.abc import Iterable

from dynadeep.codegen import passes
from dynadeep.codegen.canonical import canonical
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Graph, Tensor
from dynadeep.codegen.layers import Network
from dynadeep.codegen.naming import unique_layer_names
from dynadeep.codegen.reshapes import drop_reshapes


def lower(graph: Graph) -> Network:
    """Run the passes and build the layers.

    Raises:
        ModelError: the model holds what the kernels cannot run, or could overflow int32.
    """
    graph = canonical(graph)
    graph, unread = passes.drop_unread(graph)
    understood = passes.understand(graph)
    ops, replaced = drop_reshapes(understood, graph)
    outputs = tuple(replaced.get(tensor.index, tensor) for tensor in graph.outputs)
    _check_outputs(graph, outputs)
    layers = passes.fold_tables(passes.fold_pads(ops, outputs), outputs)
    names = {
        op.output.name: replaced[op.output.index].name
        for op in understood
        if op.output.index in replaced and replaced[op.output.index].index != op.output.index
    }
    return Network(graph.inputs, unique_layer_names(layers), outputs, names, unread)


def _check_outputs(graph: Graph, outputs: Iterable[Tensor]) -> None:
    """Refuse outputs that no layer makes."""
    inputs = {tensor.index for tensor in graph.inputs}
    if any(tensor.index in inputs for tensor in outputs):
        raise ModelError(
            f"{graph.file}: its outputs are {[tensor.name for tensor in graph.outputs]}, "
            "expected only what operators compute. Output what a layer makes."
        )
