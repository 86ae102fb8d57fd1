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


def train_task(told: TaskTraining) -> Path:
    """Train the network of a task; return the path of its weights.

    Raises:
        TrainError: the task is unknown, or the data cannot be used.
    """
    if told.task not in TASKS:
        raise TrainError(f"task {told.task!r}: choose one of {', '.join(TASKS)}.")
    fabric = loop.make_fabric(told.device, told.devices)
    if told.task == "rpeaks":
        return train_rpeaks(fabric, _changed(RPeaksTraining(), told), told.data, told.output)
    split = cinc2017.read_split(
        cinc2017.find_folder(told.data), on_bad="skip" if told.skip_bad else "refuse"
    )
    return train_rhythm(fabric, split, _changed(RhythmTraining(), told), told.output)


def _changed(config: Any, told: TaskTraining) -> Any:
    """Return a training configuration with what the run was told otherwise."""
    net = {k: v for k in ("width", "decimation") if (v := getattr(told, k)) is not None}
    epochs = {} if told.epochs is None else {"epochs": told.epochs}
    return replace(config, net=replace(config.net, **net), loop=replace(config.loop, **epochs))
