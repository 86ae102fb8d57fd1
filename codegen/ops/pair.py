"""Operators on the values of two operands: what ADD, MUL, MAXIMUM and PRELU have in common.

The operands have one shape, or one of them is the same for all steps, for all channels or for both;
one of them may be a constant.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynadeep.codegen.graph import Int8s, Int32s, Node, Tensor
from dynadeep.codegen.kernels import KernelName, KernelSet
from dynadeep.codegen.layers import Layer, Overlap, Window
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op, Pointwise


@dataclass(frozen=True, eq=False)
class Pair(Op, ABC):
    """An operator on two operands: two ``inputs``, or one and a ``constant`` behind it."""

    constant: Tensor | None

    @property
    def operands(self) -> tuple[Tensor, Tensor]:
        """Both."""
        first, second = operands_of(self.inputs, self.constant)
        return first, second

    @abstractmethod
    def compute(self, first: Int8s, second: Int8s) -> Int8s:
        """Return the output's codes for codes of the operands, as TFLite's reference does."""

    @abstractmethod
    def lower(self) -> "PairLayer":
        """Return the layer that computes it for any operands."""

    def layer(self, kind: type["PairLayer"], numbers: Mapping[str, int | str]) -> "PairLayer":
        """Return a layer of one kind on the operands, with its own numbers."""
        return kind(
            name=self.node.layer,
            inputs=self.inputs,
            computed=self.output,
            output=self.output,
            constant=self.constant,
            described=self.node.kind.lower(),
            numbers=numbers,
        )


@dataclass(frozen=True, eq=False)
class PointwisePair(Pair, Pointwise):
    """One whose output values are computed each from input values at its own place alone."""

    def evaluate(self, codes: tuple[Int8s, ...]) -> Int8s:
        """Return the output's codes for those of the inputs."""
        if self.constant is None:
            return self.compute(codes[0], codes[1])
        assert self.constant.data is not None
        return self.compute(codes[0], self.constant.data.reshape(-1))


def operands_of(inputs: tuple[Tensor, ...], constant: Tensor | None) -> tuple[Tensor, ...]:
    """Return both operands: the inputs, and the constant behind them where there is one."""
    return inputs if constant is None else (*inputs, constant)


def is_pointwise(operands: tuple[Tensor, ...], constant: Tensor | None, y: Tensor) -> bool:
    """Return whether an operator on these is a ``PointwisePair``."""
    return all(x.size == y.size for x in operands) and (constant is None or constant.size == 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class PairLayer(Layer):
    """A kernel that ``dd_pair_rows`` drives."""

    OVERLAP: ClassVar[Overlap] = "step"
    PER_VALUE: ClassVar[Mapping[KernelName, float]]
    """Instructions for a value of the output, as counted on each kernel set's own core."""

    constant: Tensor | None
    described: str
    numbers: Mapping[str, int | str]  # of the parameters' struct, behind the pair

    @property
    def words(self) -> str:
        """The operator: ``add``."""
        return self.described

    @property
    def windows(self) -> tuple[Window, ...]:
        """One step of each, or always the only one."""
        return tuple(Window(1, int(self._hop(tensor) != 0), 0) for tensor in self.inputs)

    def constants(self, kernels: KernelSet) -> dict[str, Int8s | Int32s]:
        """Return the constant operand."""
        if self.constant is None:
            return {}
        assert self.constant.data is not None
        return {"constant": self.constant.data.reshape(-1, self.constant.channels)}

    def fields(self) -> dict[str, int | str]:
        """Return how the kernel walks through the operands, and its own numbers."""
        first, second = operands_of(self.inputs, self.constant)
        return {
            "pair.channels": self.output.channels,
            "pair.first_step": self._hop(first),
            "pair.second_step": self._hop(second),
            "pair.first_channel": int(first.channels == self.output.channels),
            "pair.second_channel": int(second.channels == self.output.channels),
            **self.numbers,
        }

    def instructions(self, kernels: KernelSet, cpu: str) -> float:
        """Return about what it takes."""
        return self.PER_VALUE[kernels.name] * self.output.size

    def _hop(self, operand: Tensor) -> int:
        """Return the values from one step of an operand to its next; 0 where there is none."""
        return operand.channels if operand.time == self.output.time else 0


def read_pair(node: Node) -> tuple[tuple[Tensor, ...], Tensor | None, Tensor, bool]:
    """Read and check an operator on two operands.

    Returns:
        The inputs, the constant operand, the output, and whether the constant is the first operand
        of the file's.
    """
    operands = checks.operands(node, 2, 2)
    constants = [tensor for tensor in operands if tensor is not None and tensor.data is not None]
    if len(constants) == 2:
        node.refuse("both its operands are constants", "Compute it before the conversion.")
    inputs = tuple(
        checks.series(node, tensor) for tensor in operands if tensor is None or tensor.data is None
    )
    constant = checks.constant_codes(node, constants[0]) if constants else None
    y = checks.series(node, node.outputs[0])
    _check_shapes(node, (*inputs, *constants), y)
    return inputs, constant, y, bool(constants) and operands[0] is constant


def _check_shapes(node: Node, operands: tuple[Tensor, ...], y: Tensor) -> None:
    shapes = [operand.shape for operand in operands]
    try:
        together = np.broadcast_shapes(*shapes)
    except ValueError:
        together = ()
    # A constant may have more dimensions of 1 than the file's output.
    if tuple(size for size in together if size != 1) != tuple(s for s in y.shape if s != 1):
        node.refuse(
            f"{' and '.join(str(list(shape)) for shape in shapes)} do not give {list(y.shape)}",
            checks.CONVERT,
        )
    for operand in operands:
        fits = operand.time in (1, y.time) and operand.channels in (1, y.channels)
        if not fits or operand.size > y.size:
            node.refuse(
                f'"{operand.name}" is {list(operand.shape)} for an output {list(y.shape)}',
                "An operand has all steps or one, and all channels or one.",
            )
