"""What the int8 encoder computes, tensor by tensor: the reference and its witness.

The reference is TFLite with its reference kernels; the witness is TFLite-Micro's interpreter. Both
take int8 inputs [N, T] and return every computed tensor by name. Neither needs PyTorch.
"""

import platform
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dynadeep.export import flatbuffer
from dynadeep.export.errors import DisagreementError, ExportError
from dynadeep.export.packages import load, quiet, tensorflow

Int8 = npt.NDArray[np.int8]
Tensors = dict[str, Int8]

MICRO_ARENA_BYTES = 4 << 20
"""Room for every tensor at once, because none may be overwritten."""

WITNESS_EXPECTED = sys.platform == "linux" and platform.machine() == "x86_64"
"""tflite-micro has packages for no other platform."""


class Runtime(Protocol):
    """Something that runs the encoder and shows all that it computed."""

    names: tuple[str, ...]

    def run(self, inputs: Int8) -> Tensors:
        """Return every computed tensor, int8 [N, T', C], for int8 inputs [N, T]."""
        ...


class Reference:
    """TFLite with ``OpResolverType.BUILTIN_REF``: plain C++ loops, double rounding."""

    def __init__(self, model: Path | bytes) -> None:
        content = _read(model)
        self._index = _computed(content)
        lite = tensorflow().lite
        with quiet():
            self._interpreter = lite.Interpreter(
                model_content=content,
                experimental_op_resolver_type=lite.experimental.OpResolverType.BUILTIN_REF,
                experimental_preserve_all_tensors=True,
            )
            self._interpreter.allocate_tensors()
        self.names = tuple(self._index)

    def run(self, inputs: Int8) -> Tensors:
        """Return every computed tensor, int8 [N, T', C], for int8 inputs [N, T]."""
        return _collect(self._run_one, inputs, self._index)

    def _run_one(self, segment: Int8, read: list[int]) -> list[Int8]:
        self._interpreter.set_tensor(self._index[flatbuffer.INPUT], segment)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in read]


class Witness:
    """TFLite-Micro's interpreter from the package ``tflite-micro``."""

    def __init__(self, model: Path | bytes) -> None:
        content = _read(model)
        self._index = _computed(content)
        runtime = load("tflite_micro.python.tflite_micro.runtime")
        self._interpreter = runtime.Interpreter.from_bytes(
            content,
            arena_size=MICRO_ARENA_BYTES,
            intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
        )
        self.names = tuple(self._index)

    def run(self, inputs: Int8) -> Tensors:
        """Return every computed tensor, int8 [N, T', C], for int8 inputs [N, T]."""
        return _collect(self._run_one, inputs, self._index)

    def _run_one(self, segment: Int8, read: list[int]) -> list[Int8]:
        self._interpreter.set_input(segment, 0)
        self._interpreter.invoke()
        return [self._interpreter.GetTensor(index, 0)["tensor_data"] for index in read]


def has_witness() -> bool:
    """Return whether the witness is here, or must be: elsewhere exports go without it."""
    return WITNESS_EXPECTED or find_spec("tflite_micro") is not None


def cross_check(reference: Tensors, witness: Tensors) -> int:
    """Compare two runs of the same inputs to the bit and return how many tensors there were.

    Raises:
        DisagreementError: it names the first tensor that differs, where, and both values.
    """
    if reference.keys() != witness.keys():
        odd = sorted(reference.keys() ^ witness.keys())
        raise DisagreementError(
            f"only one of two runs has {', '.join(odd)}. Use one model for both."
        )
    for name, values in reference.items():
        differs = np.argwhere(values != witness[name])
        if len(differs):
            segment, time, channel = (int(i) for i in differs[0])
            raise DisagreementError(
                f"tensor {name} differs in {len(differs)} values, first in segment {segment} at "
                f"time {time}, channel {channel}: {values[segment, time, channel]} from the "
                f"reference, {witness[name][segment, time, channel]} from the witness. "
                "Are tensorflow and tflite-micro the pinned versions?"
            )
    return len(reference)


def _read(model: Path | bytes) -> bytes:
    if isinstance(model, bytes):
        return model
    if not model.is_file():
        raise ExportError(f"{model}: no such file. Export a bundle first.")
    return model.read_bytes()


def _computed(content: bytes) -> dict[str, int]:
    """Return name and index of the input and of every tensor that an operator makes, in order."""
    graph = flatbuffer.parse(content).subgraphs[0]
    indices = [*graph.inputs, *(op.outputs[0] for op in graph.operators)]
    return {graph.tensors[i].name.decode(): int(i) for i in indices}


def _collect(
    run_one: Callable[[Int8, list[int]], list[Int8]], inputs: Int8, index: dict[str, int]
) -> Tensors:
    """Run segment after segment and stack each tensor: its last two dimensions are [T', C]."""
    if inputs.dtype != np.int8 or inputs.ndim != 2:
        raise ExportError(
            f"inputs are {inputs.dtype} {inputs.shape}, not int8 [N, T]. Map the samples first."
        )
    indices = list(index.values())
    try:
        runs = [run_one(segment.reshape(1, 1, -1, 1), indices) for segment in inputs]
    except ValueError as error:
        raise ExportError(
            f"inputs have {inputs.shape[1]} samples a segment, which the model does not take: "
            f"{' '.join(str(error).split())}"
        ) from error
    stacks = (np.stack(parts) for parts in zip(*runs, strict=True))
    return {
        name: stack.reshape(len(inputs), *stack.shape[-2:])
        for name, stack in zip(index, stacks, strict=True)
    }
