"""Do without reshapes: a layer is left only where steps or channels change for what reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dynadeep.codegen.graph import Graph, Tensor
from dynadeep.codegen.ops.operation import Op, Pointwise
from dynadeep.codegen.ops.reshape import Reshape


def drop_reshapes(ops: Sequence[Op], graph: Graph) -> tuple[list[Op], dict[int, Tensor]]:
    """Let each operator read the tensor that holds its values, wherever that can be.

    An output of the graph that is but its reshaped input is a layer that copies it.

    Returns:
        The operators, and what replaces each dropped tensor, by its index: the tensor that holds
        its values, under the dropped one's shape.
    """
    state = _State(ops)
    for op in ops:
        if isinstance(op, Reshape):
            state.reshapes[op.output.index] = op
            state.holders[op.output.index] = state.holder(op.inputs[0])
        elif any(tensor.index in state.holders for tensor in op.inputs):
            state.new_ops.append(state.rewritten(op))
        else:
            state.new_ops.append(op)
    for output in graph.outputs:
        if output.index in state.reshapes and state.holder(output) in graph.inputs:
            state.cut(state.holder(output), output)
    cut_indices = {tensor.index for tensor in state.cuts.values()}
    shapes = {op.output.index: op.output for op in ops}
    replaced = {
        index: _shaped(state.cuts.get((holder.index, *_size(shapes[index])), holder), shapes[index])
        for index, holder in state.holders.items()
        if index not in cut_indices
    }
    return state.new_ops, replaced


@dataclass
class _State:
    """Where the values of reshaped tensors lie, while operators are rewritten one by one."""

    ops: Sequence[Op]
    new_ops: list[Op] = field(default_factory=list)
    holders: dict[int, Tensor] = field(default_factory=dict)
    reshapes: dict[int, Reshape] = field(default_factory=dict)
    cuts: dict[tuple[int, int, int], Tensor] = field(default_factory=dict)

    def holder(self, tensor: Tensor) -> Tensor:
        """Return the tensor that holds a tensor's values, in its own steps and channels."""
        return self.holders.get(tensor.index, tensor)

    def rewritten(self, op: Op) -> Op:
        """Return an operator behind reshapes, as it reads what holds its values."""
        sources = tuple(self.holder(tensor) for tensor in op.inputs)
        if self._commutes(op, sources):
            output = _shaped(op.output, sources[0])
            self.holders[op.output.index] = output
            return replace(op, inputs=sources, output=output)
        inputs = tuple(self._input(op, tensor) for tensor in op.inputs)
        return replace(op, inputs=inputs)

    def _input(self, op: Op, tensor: Tensor) -> Tensor:
        source = self.holder(tensor)
        if _size(source) == _size(tensor):
            return _shaped(source, tensor)
        return source if op.flattens(source) else _shaped(self.cut(source, tensor), tensor)

    def cut(self, source: Tensor, tensor: Tensor) -> Tensor:
        """Return the values of ``source`` in the steps of ``tensor``: one layer for each size."""
        key = (source.index, *_size(tensor))
        if key not in self.cuts:
            self.cuts[key] = tensor
            self.new_ops.append(
                replace(self.reshapes[tensor.index], inputs=(source,), output=tensor)
            )
        return self.cuts[key]

    def _commutes(self, op: Op, sources: Sequence[Tensor]) -> bool:
        """Whether an operator on single codes can come before the reshape that it is behind.

        Only reshapes, and others that come before them, may read it then: for the rest its tensor
        would have to lie there twice.
        """
        if not isinstance(op, Pointwise) or len({_size(source) for source in sources}) != 1:
            return False
        return all(
            isinstance(reader, Reshape)
            or reader.flattens(sources[0])
            or self._commutes(reader, [self._beside(op, sources[0], t) for t in reader.inputs])
            for reader in self.ops
            if op.output in reader.inputs
        )

    def _beside(self, op: Op, source: Tensor, tensor: Tensor) -> Tensor:
        """Return what would hold a tensor's values if ``op`` were computed where ``source`` is."""
        return source if tensor is op.output else self.holder(tensor)


def _size(tensor: Tensor) -> tuple[int, int]:
    return tensor.time, tensor.channels


def _shaped(tensor: Tensor, like: Tensor) -> Tensor:
    return replace(tensor, shape=like.shape)
