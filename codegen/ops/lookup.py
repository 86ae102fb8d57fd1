"""The layer of an operator on single codes that follows no layer into whose table it could go."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dynadeep.codegen.graph import Int8s, Int32s
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer, Overlap, Window

ALL_CODES: Int8s = np.arange(-128, 128).astype(np.int8)


@dataclass(frozen=True, eq=False, kw_only=True)
class Lookup(Layer):
    """A table of 256 codes, by code + 128."""

    FUNCTION: ClassVar[str] = "dd_move_s8"
    STRUCT: ClassVar[str] = "dd_move"
    OVERLAP: ClassVar[Overlap] = "step"

    codes: Int8s
    described: str

    @property
    def words(self) -> str:
        """The operator: ``leaky relu``."""
        return self.described

    @property
    def windows(self) -> tuple[Window, ...]:
        """One step."""
        return (Window(1, 1, 0),)

    def constants(self, kernels: KernelSet) -> dict[str, Int8s | Int32s]:
        """Return the table."""
        return {"codes": self.codes}

    def fields(self) -> dict[str, int | str]:
        """Return the numbers of ``dd_move``."""
        return {"channels": self.output.channels}

    def instructions(self, kernels: KernelSet, cpu: str) -> float:
        """Return about what it takes: two loads and a store, and the loop."""
        return 6.0 * self.output.size
