"""Write and read weights files: NAME.safetensors beside its record NAME.json, tied by a hash."""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from dynadeep.codegen.files import write_whole
from dynadeep.codegen.typed import Reader, shown
from dynadeep.train.errors import CheckpointError

RECORD_FORMAT = 3
LARGEST_BYTES = 1 << 30
"""Of a file of weights."""

T = TypeVar("T")


def weights_path(path: Path) -> Path:
    """Return the weights file that a path names: itself, its record's, or NAME's."""
    if path.suffix in (".safetensors", ".json"):
        return path.with_suffix(".safetensors")
    if path.is_file():
        raise CheckpointError(f"{path}: not a safetensors file. Name the .safetensors of a run.")
    return path.with_name(path.name + ".safetensors")


def write(path: Path, tensors: Mapping[str, Tensor], record: Mapping[str, object]) -> Path:
    """Write tensors to ``path`` (.safetensors) and the record beside them (.json); return ``path``.

    The record gets two more entries: its ``format`` first, and last the ``weights`` it belongs to.
    """
    content = safetensors.torch.save({k: t.cpu().contiguous() for k, t in tensors.items()})
    whole = {
        "format": RECORD_FORMAT,
        **record,
        "weights": asdict(Written(_hash(content), len(content))),
    }
    return put(weights_path(path), content, whole)


def put(path: Path, content: bytes, record: Mapping[str, object]) -> Path:
    """Write a weights file and its record as they are; return ``path``.

    Both change as one for ``read_tensors``: the new weights wait beside the old ones until the
    record names them, so that a kill at any point leaves the old pair or the new one.
    """
    waiting = _waiting(path)
    write_whole(waiting, content)
    write_whole(path.with_suffix(".json"), json.dumps(record, indent=2) + "\n")
    _take(waiting, path)
    return path


def _waiting(path: Path) -> Path:
    """Return where new weights wait for their record."""
    return path.with_name(f"{path.stem}.next.safetensors")


def _take(waiting: Path, path: Path) -> None:
    """Give weights that their record names their name; a reader may have done so before."""
    with contextlib.suppress(FileNotFoundError):
        waiting.replace(path)


@dataclass(frozen=True)
class Written:
    """The weights file that a record belongs to."""

    sha256: str
    bytes: int


def read_record(path: Path, kinds: Mapping[int, type[T]]) -> T:
    """Read the record beside a weights file, a dataclass with ``format`` and ``weights``.

    ``kinds`` are the dataclasses of the formats that can be read.

    Raises CheckpointError if either file is missing, or the record is damaged or of a later format.
    """
    beside = path.with_suffix(".json")
    for needed in (path, beside):
        if not needed.is_file() and not (needed is path and _waiting(path).is_file()):
            raise CheckpointError(
                f"{needed}: not found. A checkpoint is NAME.safetensors and NAME.json together."
            )
    reader = record_reader(path)
    record = reader.json(reader.content(beside))
    record_format = record.get("format") if isinstance(record, dict) else None
    if not isinstance(record_format, int) or record_format not in kinds:
        reader.refuse(
            f"record format {shown(record_format)}, this kit reads {min(kinds)} to {max(kinds)}"
        )
    return reader.read(kinds[record_format], record)


def record_reader(path: Path) -> Reader:
    """Return what reads the record beside a weights file."""
    advice = "Copy the checkpoint's two files again, or train it again."
    return Reader(str(path.with_suffix(".json")), CheckpointError, advice)


def read_tensors(path: Path, expected: Written) -> dict[str, Tensor]:
    """Read the tensors of a file that is whole and is the one its record's ``weights`` describe."""
    content = read_content(path, expected)
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(content)
    except (safetensors.SafetensorError, ValueError, TypeError) as problem:
        raise CheckpointError(f"{path}: not a safetensors file ({problem}).") from problem
    return tensors


def read_content(path: Path, expected: Written) -> bytes:
    """Read the weights file that a record's ``weights`` describe, or the ones that wait for it.

    Raises CheckpointError if neither is whole and of that hash.
    """
    waiting = _waiting(path)
    if (
        waiting.is_file()
        and _hash(record_reader(path).content(waiting, LARGEST_BYTES)) == expected.sha256
    ):
        _take(waiting, path)
    content = record_reader(path).content(path, LARGEST_BYTES)
    if content[8:9] != b"{":
        raise CheckpointError(f"{path}: not a safetensors file. Name the .safetensors of a run.")
    if len(content) < expected.bytes:
        raise CheckpointError(
            f"{path}: truncated, {len(content)} of {expected.bytes} bytes. Copy it again."
        )
    digest = _hash(content)
    if digest != expected.sha256:
        raise CheckpointError(
            f"{path}: SHA-256 is {digest[:12]}, its record says {expected.sha256[:12]}. "
            "Weights and record are not of one run, or the file is damaged."
        )
    return content


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def check_tensors(
    path: Path, tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> None:
    """Refuse weights of another network, with both shapes, and weights that are not numbers."""
    for name in (*expected, *tensors):
        has = list(tensors[name].shape) if name in tensors else "none"
        needs = list(expected[name].shape) if name in expected else "none"
        if has != needs:
            raise CheckpointError(f"{path}: {name} is {has} in the file, the network has {needs}.")
    for name, tensor in tensors.items():
        bad = int((~torch.isfinite(tensor.float())).sum())
        if bad:
            raise CheckpointError(
                f"{path}: {name} has {bad} values that are NaN or infinite. Train again from an "
                "earlier epoch, with a lower rate."
            )
