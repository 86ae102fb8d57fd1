"""A .tflite cut into models of one operator each, for what no interpreter runs in one piece.

TFLite registers no reference kernel for a few operators (ELU): in a network that has one, every
other operator must still be computed by its reference kernel.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

from dynadeep.export import flatbuffer


@dataclass(frozen=True)
class Piece:
    """One operator as a model of its own; the indices are those of the whole file."""

    content: bytes
    inputs: tuple[int, ...]  # what it reads of others, each once
    outputs: tuple[int, ...]


def pieces(content: bytes) -> Iterator[Piece]:
    """Yield the operators in the order of the file."""
    model = flatbuffer.parse(content)
    graph = model.subgraphs[0]
    model.signatureDefs = None
    for operator in list(graph.operators):
        computed = (int(index) for index in operator.inputs if index >= 0)
        inputs = dict.fromkeys(
            index for index in computed if not flatbuffer.is_constant(model, index)
        )
        single = copy.copy(model)
        single.subgraphs = [copy.copy(graph)]
        # A resolver looks up every code of a file, also those that no operator has.
        single.operatorCodes = [model.operatorCodes[operator.opcodeIndex]]
        alone = copy.copy(operator)
        alone.opcodeIndex = 0
        single.subgraphs[0].operators = [alone]
        single.subgraphs[0].inputs = list(inputs)
        single.subgraphs[0].outputs = [int(index) for index in operator.outputs]
        yield Piece(
            flatbuffer.pack(single), tuple(inputs), tuple(int(index) for index in operator.outputs)
        )
