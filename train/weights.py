"""Write and read weights files: NAME.safetensors beside its record NAME.json, tied by a hash."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from dynadeep.codegen.files import write_whole
from dynadeep.train.errors import CheckpointError

RECORD_FORMAT = 1


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
    path = weights_path(path)
    content = safetensors.torch.save({k: t.cpu().contiguous() for k, t in tensors.items()})
    whole = {
        "format": RECORD_FORMAT,
        **record,
        "weights": {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
    }
    write_whole(path, content)
    write_whole(path.with_suffix(".json"), json.dumps(whole, indent=2) + "\n")
    return path


def read_record(path: Path, keys: set[str]) -> dict[str, Any]:
    """Read the record beside a weights file; ``keys`` are the entries it must have of its own.

    Raises CheckpointError if either file is missing, or the record is damaged or of a later format.
    """
    beside = path.with_suffix(".json")
    for needed in (path, beside):
        if not needed.is_file():
            raise CheckpointError(
                f"{needed}: not found. A checkpoint is NAME.safetensors and NAME.json together."
            )
    try:
        record = json.loads(beside.read_text())
    except ValueError as problem:
        raise CheckpointError(f"{beside}: not a JSON record ({problem}).") from problem
    needed_keys = {"format", "weights"} | keys
    if not isinstance(record, dict) or not needed_keys <= record.keys():
        raise CheckpointError(f"{beside}: a checkpoint's record has {sorted(needed_keys)}.")
    if not {"sha256", "bytes"} <= dict(record["weights"]).keys():
        raise CheckpointError(f"{beside}: its weights entry needs sha256 and bytes.")
    if record["format"] != RECORD_FORMAT:
        raise CheckpointError(
            f"{beside}: record format {record['format']}, this kit reads {RECORD_FORMAT}."
        )
    return record


def read_tensors(path: Path, expected: Mapping[str, Any]) -> dict[str, Tensor]:
    """Read the tensors of a file that is whole and is the one its record's ``weights`` describe."""
    content = path.read_bytes()
    if content[8:9] != b"{":
        raise CheckpointError(f"{path}: not a safetensors file. Name the .safetensors of a run.")
    if len(content) < expected["bytes"]:
        raise CheckpointError(
            f"{path}: truncated, {len(content)} of {expected['bytes']} bytes. Copy it again."
        )
    found = hashlib.sha256(content).hexdigest()
    if found != expected["sha256"]:
        raise CheckpointError(
            f"{path}: SHA-256 is {found[:12]}, its record says {expected['sha256'][:12]}. "
            "Weights and record are not of one run, or the file is damaged."
        )
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(content)
    except safetensors.SafetensorError as problem:
        raise CheckpointError(f"{path}: not a safetensors file ({problem}).") from problem
    return tensors


def check_tensors(path: Path, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Refuse weights of another network, with both shapes, and weights that are not numbers."""
    for name in (*wanted, *found):
        has = list(found[name].shape) if name in found else "none"
        needs = list(wanted[name].shape) if name in wanted else "none"
        if has != needs:
            raise CheckpointError(f"{path}: {name} is {has} in the file, the network has {needs}.")
    for name, tensor in found.items():
        bad = int((~torch.isfinite(tensor.float())).sum())
        if bad:
            raise CheckpointError(
                f"{path}: {name} has {bad} values that are NaN or infinite. Train again from an "
                "earlier epoch, with a lower rate."
            )
