"""The downstream tasks whose loss the device bounds, one module each."""

from collections.abc import Callable
from pathlib import Path

from dynadeep.train.tasks import store
from dynadeep.train.tasks.base import Task
from dynadeep.train.tasks.rhythm import RhythmNet, RhythmTask
from dynadeep.train.tasks.rpeaks import RPeaksNet, RPeaksTask
from dynadeep.train.tasks.store import TaskNet


def _rhythm(trained: TaskNet) -> Task:
    assert isinstance(trained.net, RhythmNet)
    return RhythmTask(trained.net)


def _rpeaks(trained: TaskNet) -> Task:
    assert isinstance(trained.net, RPeaksNet)
    return RPeaksTask(trained.net, trained.training["loss_scale"])


TASKS: dict[str, Callable[[TaskNet], Task]] = {"rhythm": _rhythm, "rpeaks": _rpeaks}
"""How each task's loss is made of its trained network."""


def weights_of(task: str, path: Path | None = None) -> Path:
    """Return where a task's weights are: ``path``, or the shipped ones."""
    return path or store.TASKS_FOLDER / f"{task}.safetensors"


def load_task(task: str, path: Path | None = None) -> Task:
    """Load a task with its network frozen, the shipped one unless ``path`` names another.

    Raises CheckpointError if the files are missing, damaged or of another network.
    """
    return TASKS[task](store.load(weights_of(task, path), task))
