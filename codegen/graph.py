"""The model as a small typed graph: what the flatbuffer says, in terms the passes can use."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.errors import ModelError

A = TypeVar("A")
B = TypeVar("B")
LISTED = 20
"""Operators that a message names of those that one reason stands against."""

Int8s = npt.NDArray[np.int8]
Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Quantization:
    """Affine quantisation: one scale and zero point, or one of each along ``axis``.

    Scales are float32 values, kept as Python floats without loss.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of the model. ``data`` holds a constant's values in ``shape``."""

    index: int
    name: str
    shape: tuple[int, ...]
    type: str  # as the schema calls it: "INT8", "INT32"
    quantization: Quantization | None = None
    signature: tuple[int, ...] = ()  # the shape with -1 for what the file leaves open
    data: npt.NDArray[Any] | None = None

    @property
    def scale(self) -> float:
        """The scale of a tensor that was checked to be quantised as a whole."""
        assert self.quantization is not None
        return self.quantization.scales[0]

    @property
    def zero_point(self) -> int:
        """The zero point of a tensor that was checked to be quantised as a whole."""
        assert self.quantization is not None
        return self.quantization.zero_points[0]

    @property
    def size(self) -> int:
        """The number of values."""
        return math.prod(self.shape)

    @property
    def channels(self) -> int:
        """The innermost dimension."""
        return self.shape[-1] if self.shape else 1

    @property
    def time(self) -> int:
        """The time steps: all that is not channels."""
        return self.size // self.channels


@dataclass(frozen=True, eq=False)
class Node:
    """One operator as the file has it, before it is understood.

    ``options`` maps the schema's option names to their values: int, float where the schema has a
    real number; enumerations are numbers. ``file`` is how messages call the file.
    """

    index: int
    kind: str  # as the schema calls it: "CONV_2D"
    inputs: tuple[Tensor | None, ...]  # None: an optional input left out
    outputs: tuple[Tensor, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    file: str = "model.tflite"

    @property
    def layer(self) -> str:
        """The layer it belongs to: the output's name up to its last slash.

        Where the converter joined several names by ";", that of the first.
        """
        name = self.outputs[0].name if self.outputs else "?"
        first = name.partition(";")[0] or name
        return first.rpartition("/")[0] or first

    def refuse(self, problem: str, advice: str) -> NoReturn:
        """Raise the OperatorError that names this operator, its tensor and its layer."""
        tensor = self.outputs[0].name if self.outputs else "?"
        where = f'op {self.index} {self.kind}, layer "{self.layer}", tensor "{tensor}"'
        raise OperatorError(self.file, where, f"{problem}. {advice}")


class OperatorError(ModelError):
    """One operator of a file cannot run."""

    def __init__(self, file: str, where: str, why: str) -> None:
        super().__init__(f"{file}: {where}: {why}")
        self.file, self.where, self.why = file, where, why

    def __reduce__(self) -> tuple[Any, ...]:  # from a process of its own, with all three
        return OperatorError, (self.file, self.where, self.why)


def all_or_refused(items: Iterable[A], read: Callable[[A], B]) -> list[B]:
    """Return what ``read`` makes of each item.

    Raises:
        ModelError: it names every operator that ``read`` refused, not the first alone.
    """
    results: list[B] = []
    refused: list[OperatorError] = []
    for item in items:
        try:
            results.append(read(item))
        except OperatorError as error:
            refused.append(error)
    if len(refused) > 1:
        raise _together(refused)
    if refused:
        raise refused[0]
    return results


def _together(refused: list[OperatorError]) -> ModelError:
    """Return one error for all; operators that are refused for one reason share its sentence."""
    reasons: dict[str, list[str]] = {}
    for error in refused:
        reasons.setdefault(error.why, []).append(error.where)
    lines = [f"{_listed(where)}: {why}" for why, where in reasons.items()]
    file = refused[0].file
    return ModelError(f"{file}: {len(refused)} operators cannot run. " + " ".join(lines))


def _listed(where: list[str]) -> str:
    """Return the operators of one reason; of very many the first, and how many more there are."""
    more = len(where) - LISTED
    return "; ".join(where[:LISTED]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, eq=False)
class Graph:
    """The operators in the order of the file, and the tensors at both ends."""

    nodes: tuple[Node, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    file: str = "model.tflite"
    file_ends: Mapping[int, Tensor] = field(default_factory=dict)
    """What the file has for an input or output, by the index of the network's own int8 one."""

    @property
    def input(self) -> Tensor:
        """The first input; ``inputs`` has all."""
        return self.inputs[0]
