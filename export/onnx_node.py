"""One ONNX node with what its lowering needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from dynadeep.export.errors import UnsupportedOpError
from dynadeep.export.onnx_values import Array, Value

ADVICE = "Build the layer of what runs, or import a .tflite of your own converter."


@dataclass(frozen=True)
class Node:
    """One ONNX node: its inputs computed (``Value``), constant (array), or left out (None)."""

    file: str
    name: str
    op: str
    inputs: tuple[Value | Array | None, ...]
    attributes: dict[str, Any]
    outputs: int

    def refuse(self, fault: str, advice: str = ADVICE) -> NoReturn:
        """Raise the UnsupportedOpError that names this node."""
        raise UnsupportedOpError(f"{self.file}: node {self.name} ({self.op}): {fault}. {advice}")

    def value(self, index: int = 0) -> Value:
        """Return a computed input."""
        tensor = self.inputs[index] if index < len(self.inputs) else None
        if not isinstance(tensor, Value):
            self.refuse(f"its input {index} is missing or constant, expected a computed one")
        return tensor

    def constant(self, index: int, name: str = "") -> Array:
        """Return a constant input, or the attribute that older ONNX has in its place."""
        array = self.inputs[index] if index < len(self.inputs) else None
        if array is None and name in self.attributes:
            array = np.asarray(self.attributes[name])
        if not isinstance(array, np.ndarray):
            self.refuse(f"its input {index} {name} is missing or computed, expected a constant")
        return array

    def has(self, index: int, name: str = "") -> bool:
        """Return whether an optional input, or the attribute in its place, is there."""
        as_input = index < len(self.inputs) and self.inputs[index] is not None
        return as_input or name in self.attributes


Outputs = tuple[Value, ...]
Lowering = Callable[[Node], Outputs]
