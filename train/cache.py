"""Run a phase once for what it depends on: ``key.json`` beside its results says of what they are.

A phase whose folder has the results of the same key is skipped; one that was interrupted is called
again, to go on from what it left; with another key it begins anew. Then only what the kit provably
wrote there is removed: results that are as ``key.json`` says, and the loop's state and log.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from lightning_fabric import Fabric
from numpy.typing import NDArray

from dynadeep.codegen.files import write_whole
from dynadeep.codegen.typed import Reader
from dynadeep.train import loop
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


@dataclass(frozen=True)
class WrittenKey:
    """A key as its file has it."""

    settings: dict[str, Any]
    inputs: dict[str, str]


@dataclass(frozen=True)
class Written:
    """A key file: of what the folder's results are, and their hashes once the phase was done."""

    key: WrittenKey
    results: dict[str, str] | None = None


def run_phase(
    fabric: Fabric, folder: Path, key: Key, results: Sequence[str], work: Callable[[], None]
) -> Course:
    """Call ``work`` unless ``folder`` already has its results under this key; say which it was.

    ``results`` are the files of ``folder`` that the phase promises. All processes of a run call
    this alike; the first one decides and keeps the folder. Raises TrainError if the folder holds
    something else than a phase, or results that somebody changed, or if a promised file is missing
    afterwards.
    """
    course: Course | TrainError | None = None
    if fabric.is_global_zero:
        try:
            course = _prepare(folder, key, results)
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


def _prepare(folder: Path, key: Key, results: Sequence[str]) -> Course:
    """Decide how a phase begins, and have its folder ready for that."""
    entries, path = key.entries(), folder / KEY
    if not path.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise TrainError(
                f"{folder}: not empty, and no phase's folder. Choose another or empty it."
            )
        _write(folder, key, None)
        return "anew"
    previous = _read(path)
    same = asdict(previous.key) == entries
    if same and previous.results is None:
        return "resumed"
    written = previous.results or {}
    _refuse_changed(folder, results, written)
    if same and all((folder / name).is_file() for name in written):
        return "skipped"
    for name in (*results, *loop.RUN_FILES):
        (folder / name).unlink(missing_ok=True)
    _write(folder, key, None)
    return "anew"


def _refuse_changed(folder: Path, results: Sequence[str], written: Mapping[str, str]) -> None:
    """Refuse to go on over results that are not the ones that the phase wrote."""
    for name in sorted({*results, *written}):
        if (folder / name).is_file() and file_hash(folder / name) != written.get(name):
            raise TrainError(
                f"{folder / name}: not the file that this phase wrote there, by {KEY}. "
                "Move it away to have it made anew, or name another folder with --out."
            )


def _read(path: Path) -> Written:
    """Read a key file; raises TrainError for one that is damaged, or no phase's."""
    advice = "Its folder was left as it is: move it away, or name another one with --out."
    reader = Reader(f"{path}, a phase's key", TrainError, advice)
    return reader.read(Written, reader.json(reader.content(path)))


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
