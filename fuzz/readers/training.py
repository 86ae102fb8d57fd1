"""What training wrote and reads again: checkpoints, tasks, states, prices."""

import hashlib
import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from dynadeep.train import checkpoint, resume, weights
from dynadeep.train.evaluation import cost
from dynadeep.train.tasks import store
from fuzz.readers.target import Target, check_types, scratch

RUN = {"seed": 0, "epochs": 2}
TINY = {"weight": torch.zeros(2, 3), "bias": torch.zeros(3)}
TASK = store.TASKS_FOLDER / "rpeaks.safetensors"


class Moments:
    """What of an optimiser is restored; a real one takes seconds to import."""

    def __init__(self) -> None:
        self.state: dict[nn.Parameter, dict[str, torch.Tensor]] = defaultdict(dict)


def read_checkpoint(data: bytes) -> None:
    """Read a record beside the shipped weights."""
    read = checkpoint.load(_beside(checkpoint.DEFAULT_CHECKPOINT, data))
    for part in (read.config, read.input_map, read.training, read.promise):
        if part is not None:
            check_types(part, type(part))


def read_task(data: bytes) -> None:
    """Read a record beside the weights of a shipped task network."""
    read = store.load(_beside(TASK, data))
    check_types(read.config, type(read.config))


def read_weights(data: bytes) -> None:
    """Read weights behind a right hash."""
    path = scratch() / "weights.safetensors"
    path.write_bytes(data)
    tensors = weights.read_tensors(path, weights.Written(**_hash_of(data)))
    weights.check_tensors(path, tensors, TINY)


def read_state(data: bytes) -> None:
    """Go on from an interrupted run's state."""
    path = scratch() / "state.safetensors"
    path.write_bytes(data)
    state = resume.read_state(path, RUN)
    if state is not None:
        resume.restore(state, nn.Linear(3, 2), cast(torch.optim.Adam, Moments()))


def read_prices(data: bytes) -> None:
    """Read a price file."""
    path = scratch() / "prices.toml"
    path.write_bytes(data)
    check_types(cost.read_prices(path), cost.Prices)


def _beside(shipped: Path, record: bytes) -> Path:
    """Put a record beside shipped weights, their hash put right so that the rest is read too."""
    path = scratch() / shipped.name
    if not path.is_file():
        shutil.copyfile(shipped, path)
    path.with_suffix(".json").write_bytes(_with_hash(record, path))
    return path


def _with_hash(record: bytes, path: Path) -> bytes:
    try:
        content = json.loads(record)
    except (ValueError, RecursionError):
        return record
    if isinstance(content, dict) and isinstance(content.get("weights"), dict):
        content["weights"] |= _hash_of(path.read_bytes())
        return json.dumps(content).encode()
    return record


def _hash_of(content: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


_TRAIN = "dynadeep.train"
TARGETS = (
    Target("checkpoint", read_checkpoint, (f"{_TRAIN}.checkpoint", f"{_TRAIN}.weights"), ".json"),
    Target("task", read_task, (f"{_TRAIN}.tasks.store", f"{_TRAIN}.weights"), ".json"),
    Target("weights", read_weights, (f"{_TRAIN}.weights",), ".safetensors"),
    Target("state", read_state, (f"{_TRAIN}.resume",), ".safetensors"),
    Target("prices", read_prices, (f"{_TRAIN}.evaluation.cost",), ".toml"),
)
