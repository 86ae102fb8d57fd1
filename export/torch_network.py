"""A PyTorch network that the user's own function returns -> ONNX, checked against PyTorch."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dynadeep.codegen.errors import line_of
from dynadeep.export.errors import DisagreementError, ExportError
from dynadeep.export.packages import load, quiet

MAX_DIFFERENCE = 1e-3
"""Between onnxruntime and PyTorch, of an output's range."""

SMALLEST_RANGE = 1e-2


def export(factory: str, shapes: Sequence[tuple[int, ...]], path: Path) -> None:
    """Write the ONNX file of what ``module:function`` returns.

    Args:
        factory: the user's function, which takes nothing and returns a torch.nn.Module.
        shapes: of its inputs, the batch of 1 included.
        path: the file to write.

    Raises:
        ExportError: there is no such function, its code fails, or PyTorch cannot export it.
        DisagreementError: onnxruntime computes something else than PyTorch.
    """
    torch = load("torch")
    load("onnxscript")  # which PyTorch's exporter needs
    network = _call_factory(factory, torch.nn.Module).eval()
    torch.manual_seed(0)
    example = tuple(torch.randn(shape) for shape in shapes)
    names = ["input", *(f"input{number}" for number in range(1, len(shapes)))]
    try:
        with quiet(), torch.no_grad():
            expected = _flat(network(*example))
            torch.onnx.export(
                network, example, str(path), input_names=names, verbose=False, external_data=False
            )
    except Exception as error:  # the user's own code runs in there
        raise _failed(
            factory, f"it does not run or export with --shape {_sizes_text(shapes)}", error
        ) from error
    _check(factory, path, dict(zip(names, example, strict=True)), expected)


def _sizes_text(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join(",".join(str(size) for size in shape) for shape in shapes)


def _call_factory(factory: str, kind: type) -> Any:
    """Call the user's function."""
    module, _, name = factory.partition(":")
    if not module or not name:
        raise ExportError(f"--torch {factory}: expected module:function, as in my_model:make.")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        network = getattr(importlib.import_module(module), name)()
    except Exception as error:  # the user's own code runs in there
        raise _failed(factory, "its code fails", error) from error
    if not isinstance(network, kind):
        raise ExportError(
            f"--torch {factory}: returned {type(network).__name__}, expected a torch.nn.Module "
            "with its weights. Return it from the function."
        )
    return network


def _failed(factory: str, what: str, error: Exception) -> ExportError:
    line = line_of(error, 300)
    return ExportError(
        f"--torch {factory}: {what} ({type(error).__name__}: {line}). --traceback shows where."
    )


def _flat(outputs: Any) -> list[Any]:
    """Return the tensors of an output that may be a tuple or list of some."""
    if not isinstance(outputs, (tuple, list)):
        return [outputs]
    return [tensor for part in outputs for tensor in _flat(part)]


def _check(factory: str, path: Path, example: dict[str, Any], expected: list[Any]) -> None:
    """Hold the ONNX file against PyTorch."""
    session = load("onnxruntime").InferenceSession(str(path), providers=["CPUExecutionProvider"])
    computed = session.run(None, {name: value.numpy() for name, value in example.items()})
    for output, reference in zip(computed, expected, strict=True):
        real = reference.numpy()
        worst = float(np.abs(output - real).max()) / max(float(np.ptp(real)), SMALLEST_RANGE)
        if not worst <= MAX_DIFFERENCE:
            raise DisagreementError(
                f"--torch {factory}: its ONNX differs from PyTorch by {worst:.3g} of an output's "
                f"range, at most {MAX_DIFFERENCE:g} may be. Does it draw random numbers in eval()?"
            )
