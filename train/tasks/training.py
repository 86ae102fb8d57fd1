"""Train a task's network by name, as it was shipped or with other settings."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dynadeep.train import loop
from dynadeep.train.data import cinc2017
from dynadeep.train.errors import TrainError
from dynadeep.train.tasks import TASKS
from dynadeep.train.tasks.train_rhythm import RhythmTraining, train_rhythm
from dynadeep.train.tasks.train_rpeaks import RPeaksTraining, train_rpeaks


@dataclass(frozen=True)
class TaskTraining:
    """What a run is told; None keeps what the shipped network was trained with."""

    task: str
    output: Path
    data: Path | None = None
    width: int | None = None
    decimation: int | None = None
    epochs: int | None = None
    device: str = "cpu"
    devices: int = 1
    skip_bad: bool = False


def train_task(settings: TaskTraining) -> Path:
    """Train the network of a task; return the path of its weights.

    Raises:
        TrainError: the task is unknown, or the data cannot be used.
    """
    if settings.task not in TASKS:
        raise TrainError(f"task {settings.task!r}: choose one of {', '.join(TASKS)}.")
    fabric = loop.make_fabric(settings.device, settings.devices)
    if settings.task == "rpeaks":
        return train_rpeaks(
            fabric, _changed(RPeaksTraining(), settings), settings.data, settings.output
        )
    split = cinc2017.read_split(
        cinc2017.find_folder(settings.data), on_bad="skip" if settings.skip_bad else "refuse"
    )
    return train_rhythm(fabric, split, _changed(RhythmTraining(), settings), settings.output)


def _changed(config: Any, settings: TaskTraining) -> Any:
    """Return a training configuration with what the run was told otherwise."""
    net = {k: v for k in ("width", "decimation") if (v := getattr(settings, k)) is not None}
    epochs = {} if settings.epochs is None else {"epochs": settings.epochs}
    return replace(config, net=replace(config.net, **net), loop=replace(config.loop, **epochs))
