"""What a layer is to everything but its own operator's file: windows on time, arrays, a call."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from dynadeep.codegen.graph import Int8s, Int32s, Tensor
from dynadeep.codegen.kernels import KernelSet

Overlap = Literal["tile", "step", "none"]
"""How far a kernel's output may grow over an input that nobody reads later: ``tile``: it reads up
to a tile of steps ahead of what it writes. ``step``: value by value, so that the output may lie
exactly on the input, or before it. ``none``: not at all."""

INSTRUCTIONS_PER_VALUE = 8.0
"""Of a layer that multiplies nothing and says no better."""


@dataclass(frozen=True)
class Window:
    """Which steps of an input an output step reads; steps outside the input are padding."""

    kernel: int  # how many
    stride: int  # from one output step's to the next one's; 0: always the same ones
    before: int  # by how many steps the first one begins ahead of the input; negative: behind
    up: int = 1  # output steps for each ``stride`` input steps

    def begin(self, step: int) -> int:
        """Return the first input step that output ``step`` reads; negative before the input."""
        return (step * self.stride - self.before) // self.up

    def end(self, step: int) -> int:
        """Return the input step behind the last one that output ``step`` reads."""
        return self.begin(step) + self.kernel


@dataclass(frozen=True, eq=False, kw_only=True)
class Layer(ABC):
    """A kernel, what it reads and makes, and the table behind it.

    ``computed`` is what the kernel itself makes. With a ``table`` (256 codes, by code + 128)
    ``output`` is what the table makes of it, else the two are one.
    """

    FUNCTION: ClassVar[str]
    """The kernel, "dd_conv1d_s8"; its header is called after it."""
    STRUCT: ClassVar[str]
    """The type of its parameters, "dd_conv1d"."""
    OVERLAP: ClassVar[Overlap] = "none"

    name: str  # "conv5"
    inputs: tuple[Tensor, ...]  # activations, in the order of the kernel's views
    computed: Tensor
    output: Tensor
    table: Int8s | None = None
    folded: tuple[str, ...] = ()  # the operators in the table, for the reader of the C

    @property
    @abstractmethod
    def windows(self) -> tuple[Window, ...]:
        """What an output step reads of each input."""

    @property
    @abstractmethod
    def words(self) -> str:
        """A few words for the plan: ``conv k5 s2``."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run, those on padding included; 0 where it has none."""
        return 0

    def constants(self, kernels: KernelSet) -> dict[str, Int8s | Int32s]:
        """Return the arrays by kind as a kernel set wants them, without the table.

        The parameters' struct has a pointer of that name for each, behind its numbers.
        """
        return {}

    @abstractmethod
    def fields(self) -> dict[str, int | str]:
        """Return the numbers of the parameters' struct by name, in its order."""

    def remark(self, kind: str) -> str:
        """Return what the reader of the C should know of an array besides its shape."""
        return ""

    def instructions(self, kernels: KernelSet, cpu: str) -> float:
        """Return about how many instructions one run takes on a core."""
        if self.macs:
            return self.macs * kernels.cost(cpu).per_mac
        return self.output.size * INSTRUCTIONS_PER_VALUE

    def running(self) -> tuple["Layer", "Layer"] | None:
        """Return a layer that takes the input step by step into a state, and one that ends it.

        None where there is no such form; see ``running``.
        """
        return None

    @property
    def summary(self) -> str:
        """All of it in a few words: ``conv k5 s2, SiLU``."""
        if not self.folded:
            return self.words
        return f"{self.words}, {table_words(self.folded)}"


TABLE_NAMES = {("LOGISTIC",): "sigmoid", ("LOGISTIC", "MUL"): "SiLU"}


def table_words(folded: tuple[str, ...]) -> str:
    """Return what a table of these operators is called."""
    return TABLE_NAMES.get(folded, " + ".join(folded))


@dataclass(frozen=True, eq=False)
class Network:
    """The layers in the order of execution.

    ``names`` maps the name of each tensor that a dropped RESHAPE made to the name of the one that
    holds its values. ``unread`` names the tensors that lead to no output, which nothing computes.
    """

    inputs: tuple[Tensor, ...]
    layers: tuple[Layer, ...]
    outputs: tuple[Tensor, ...]
    names: Mapping[str, str]
    unread: tuple[str, ...] = ()

    @property
    def input(self) -> Tensor:
        """The first of the inputs: where a codec is, there is but one."""
        return self.inputs[0]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors that the firmware keeps: the inputs, then each layer's output."""
        return (*self.inputs, *(layer.output for layer in self.layers))

    def holder(self, name: str) -> str:
        """Return the name of the tensor that holds the values of the file's tensor ``name``."""
        return self.names.get(name, name)

    def tensor(self, name: str) -> Tensor | None:
        """Return the tensor that holds the values of ``name``, if the firmware keeps it."""
        holder = self.holder(name)
        return next((tensor for tensor in self.tensors if tensor.name == holder), None)
