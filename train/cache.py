"""Run a phase once for what it depends on: ``key.json`` beside its results says of what they are.

A phase whose folder has the results of the same key is skipped; one that was interrupted is called
again, to go on from what it left; with another key, or results that were changed since, its folder
is emptied and it begins anew.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from lightning_fabric import Fabric
from numpy.typing import NDArray

from dynadeep.codegen.files import write_whole
from dynadeep.train.errors import TrainError

KEY = "key.json"

Course = Literal["skipped", "resumed", "anew"]


@dataclass(frozen=True)
class Key:
    """All that decides a phase's results: its settings, and a hash of each thing it reads."""

    settings: Mapping[str, object]
    inputs: Mapping[str, str] = field(default_factory=dict)

    def entries(self) -> dict[str, Any]:
        """Return the key as JSON gives it back; raises TrainError for what JSON cannot hold."""
        try:
            text = json.dumps({"settings": dict(self.settings), "inputs": dict(self.inputs)})
        except TypeError as problem:
            raise TrainError(f"a phase's key is JSON: {problem}.") from problem
        entries: dict[str, Any] = json.loads(text)
        return entries


def run_phase(
    fabric: Fabric, folder: Path, key: Key, results: Sequence[str], work: Callable[[], None]
) -> Course:
    """Call ``work`` unless ``folder`` already has its results under this key; say which it was.

    ``results`` are the files of ``folder`` that the phase promises. All processes of a run call
    this alike; the first one decides and keeps the folder. Raises TrainError if the folder holds
    something else than a phase, or if a promised file is missing afterwards.
    """
    course: Course | TrainError | None = None
    if fabric.is_global_zero:
        try:
            course = _prepare(folder, key)
        except TrainError as problem:
            course = problem  # the others wait for it too
    course = fabric.broadcast(course)
    if isinstance(course, TrainError):
        raise course
    assert course is not None
    if course != "skipped":
        work()
        fabric.barrier()
        if fabric.is_global_zero:
            _write(folder, key, _hashes(folder, results))
    fabric.barrier()
    return course


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, such as weights."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def array_hash(*arrays: NDArray[Any]) -> str:
    """Return the SHA-256 of arrays with their shapes and types, such as windows and labels."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _prepare(folder: Path, key: Key) -> Course:
    """Decide how a phase begins, and have its folder ready for that."""
    wanted, path = key.entries(), folder / KEY
    if not path.is_file() and folder.is_dir() and any(folder.iterdir()):
        raise TrainError(f"{folder}: not empty, and no phase's folder. Choose another or empty it.")
    found = _read(path)
    if found.get("key") == wanted:
        if "results" not in found:
            return "resumed"
        if _unchanged(folder, found["results"]):
            return "skipped"
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    _write(folder, key, None)
    return "anew"


def _read(path: Path) -> dict[str, Any]:
    """Read a key file; one that is missing or damaged is nobody's."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(folder: Path, key: Key, results: dict[str, str] | None) -> None:
    """Write the key file of a phase that has begun, or of one that has these results."""
    entries: dict[str, Any] = {"key": key.entries()}
    if results is not None:
        entries["results"] = results
    write_whole(folder / KEY, json.dumps(entries, indent=2, sort_keys=True) + "\n")


def _hashes(folder: Path, results: Sequence[str]) -> dict[str, str]:
    """Hash what a phase has promised."""
    for name in results:
        if not (folder / name).is_file():
            raise TrainError(f"{folder / name}: promised by its phase, but not written.")
    return {name: file_hash(folder / name) for name in results}


def _unchanged(folder: Path, results: Mapping[str, str]) -> bool:
    """Tell whether all results are there as the phase left them."""
    return all(
        (folder / name).is_file() and file_hash(folder / name) == expected
        for name, expected in results.items()
    )
