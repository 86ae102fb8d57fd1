"""What an operator is to the passes, and what its reader promises."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dynadeep.codegen.graph import Int8s, Node, Tensor
from dynadeep.codegen.layers import Layer, table_words
from dynadeep.codegen.ops.lookup import Lookup


@dataclass(frozen=True, eq=False)
class Op:
    """An operator that was read and checked.

    ``inputs`` are activations only; constants are fields of the subclass that uses them.
    """

    node: Node
    inputs: tuple[Tensor, ...]
    output: Tensor

    def flattens(self, source: Tensor) -> bool:
        """Return whether it could read its values from ``source``, in steps of another size."""
        return False

    def lower(self) -> Layer:
        """Return the layer that computes it; those that a pass makes part of another have none.

        Raises:
            ModelError: no pass could.
        """
        self.node.refuse(
            "it has no kernel and does not follow a convolution, into whose table it would go",
            "Put it directly behind a convolution.",
        )


@dataclass(frozen=True, eq=False)
class Pointwise(Op, ABC):
    """An operator that maps each int8 code by itself, so that it can end up in a table."""

    @abstractmethod
    def evaluate(self, codes: tuple[Int8s, ...]) -> Int8s:
        """Return the output codes for the codes of ``inputs``, as TFLite's reference does."""

    def lookup(self, folded: Sequence["Pointwise"], codes: Int8s) -> Layer:
        """Return a layer of nothing but a table, for where no layer before it can take it.

        Args:
            folded: the operators that the table holds, on one input; the last one makes the output.
            codes: what they make of all codes.
        """
        source = self.inputs[0]
        output = replace(folded[-1].output, shape=source.shape)
        return Lookup(
            name=folded[-1].node.layer,
            inputs=(source,),
            computed=output,
            output=output,
            codes=codes,
            described=table_words(tuple(op.node.kind for op in folded)),
        )


@dataclass(frozen=True)
class Operation:
    """One row of the table of operators.

    ``options`` are names of the schema's ``options_table``, which the node then holds. ``read``
    returns several operators where the file's has several outputs.
    """

    read: Callable[[Node], Op | tuple[Op, ...]]
    options_table: str = ""
    options: tuple[str, ...] = ()
