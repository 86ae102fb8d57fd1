"""Save and load a task's network: NAME.safetensors beside a record of its configuration."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from dynadeep.train import weights
from dynadeep.train.checkpoint import PRETRAINED_FOLDER
from dynadeep.train.errors import CheckpointError
from dynadeep.train.tasks.rhythm import RhythmConfig, RhythmNet
from dynadeep.train.tasks.rpeaks import RPeaksConfig, RPeaksNet

TASKS_FOLDER = PRETRAINED_FOLDER / "tasks"

Config = RhythmConfig | RPeaksConfig
BUILDERS: dict[str, tuple[type[Config], Callable[[Any], nn.Module]]] = {
    "rhythm": (RhythmConfig, RhythmNet),
    "rpeaks": (RPeaksConfig, RPeaksNet),
}


@dataclass(frozen=True)
class Record:
    """What stands in NAME.json."""

    format: int
    task: str
    config: dict[str, Any]
    training: dict[str, Any]
    weights: weights.Written
    precision: str = "float32"


@dataclass(frozen=True)
class TaskNet:
    """A task's network, its configuration, and how it came about.

    ``training`` holds what JSON can: the data, split, seed, epochs and scores.
    """

    task: str
    net: nn.Module
    config: Config
    training: Mapping[str, Any]


def save(trained: TaskNet, path: Path, *, half: bool = False) -> Path:
    """Write ``path`` (.safetensors) and its record beside it (.json); return ``path``.

    ``half`` stores the weights as float16; counters stay what they are.
    """
    tensors = {
        name: t.half() if half and t.is_floating_point() else t
        for name, t in trained.net.state_dict().items()
    }
    record = {
        "task": trained.task,
        "config": asdict(trained.config),
        "training": dict(trained.training),
        "precision": "float16" if half else "float32",
    }
    return weights.write(path, tensors, record)


def load(path: Path, task: str | None = None) -> TaskNet:
    """Read a task's network, frozen, in evaluation mode, float32, on the CPU.

    ``task`` is the one that is expected. Raises CheckpointError if a file is missing, damaged, of
    another task or of another network.
    """
    path = weights.weights_path(path)
    record = weights.read_record(path, dict.fromkeys(range(1, weights.RECORD_FORMAT + 1), Record))
    task_name = record.task
    if task_name not in BUILDERS or (task is not None and task_name != task):
        expected = task or " or ".join(BUILDERS)
        raise CheckpointError(
            f"{path}: a network for the task {task_name!r}, needed is {expected}."
        )
    kind, build = BUILDERS[task_name]
    config = weights.record_reader(path).read(kind, record.config)
    tensors = weights.read_tensors(path, record.weights)
    net = build(config)
    weights.check_tensors(path, tensors, net.state_dict())
    net.load_state_dict(tensors)
    return TaskNet(task_name, net.eval().requires_grad_(False), config, record.training)
