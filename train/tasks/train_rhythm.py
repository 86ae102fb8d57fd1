"""Train the arrhythmia classifier on CinC-2017."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from dynadeep.train import loop
from dynadeep.train.data import augment, cinc2017
from dynadeep.train.evaluation.bootstrap import weighted_f1
from dynadeep.train.loop import LoopConfig
from dynadeep.train.measure import probabilities, task_losses
from dynadeep.train.tasks import store
from dynadeep.train.tasks.base import standardise
from dynadeep.train.tasks.rhythm import (
    RhythmConfig,
    RhythmNet,
    RhythmTask,
    step_losses,
)
from dynadeep.train.tasks.store import TaskNet

SHIPPED_NET = RhythmConfig(width=16, decimation=4)
SHIPPED_LOOP = LoopConfig(epochs=28, peak_rate=2e-3, weight_decay=0.02)


@dataclass(frozen=True)
class RhythmTraining:
    """What a training run of the classifier is told; the defaults are the shipped network's."""

    net: RhythmConfig = SHIPPED_NET
    loop: LoopConfig = SHIPPED_LOOP


def train_rhythm(
    fabric: Fabric, split: cinc2017.Split, config: RhythmTraining, folder: Path
) -> Path:
    """Train on the training half, score on hold-out and test, and save the network.

    Records of other lengths than the published 8960 samples train as well: cut at a random place
    where they are longer, without a loss where they have ended. Nothing is chosen by looking at
    the hold-out: the schedule is fixed and the last epoch's weights are kept.

    Returns:
        The path of ``rhythm.safetensors`` in ``folder``.
    """
    torch.manual_seed(config.loop.seed)
    net = RhythmNet(config.net)
    records = (*split.train, *split.extra)
    loop.run(
        fabric,
        Classification(net),
        lambda random: draw(records, random),
        config.loop,
        folder,
        {"net": asdict(config.net), "records": len(records)},
        "rhythm",
    )
    training = {
        "data": cinc2017.DESCRIPTION,
        "train_records": len(records),
        **asdict(config.loop),
        "scores": {name: score(net, part) for name, part in _parts(split).items()},
    }
    return store.save(TaskNet("rhythm", net, config.net, training), folder / "rhythm")


class Classification(nn.Module):
    """The network with its loss, over the steps that a record really has."""

    def __init__(self, net: RhythmNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, adc: Tensor, labels: Tensor, steps: Tensor) -> Tensor:
        """Return the mean cross entropy of records [N, T] in ADC units, labels, real steps [N]."""
        along = step_losses(self.net(standardise(adc)), labels)
        real = torch.arange(along.shape[1], device=along.device)[None] < steps[:, None]
        return along[real].mean()


def draw(
    records: Sequence[cinc2017.Record], random: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Vary every record once: ADC samples float32 [N, 8960], labels and real steps int64 [N]."""
    varied = [augment.vary_record(r.samples, cinc2017.RECORD_SAMPLES, random) for r in records]
    steps = np.array([real // cinc2017.STEP_SAMPLES for _, real in varied])
    adc = np.stack([samples for samples, _ in varied])
    return (
        torch.from_numpy(adc),
        torch.from_numpy(cinc2017.labels(records)),
        torch.from_numpy(steps),
    )


def score(net: RhythmNet, records: Sequence[cinc2017.Record]) -> dict[str, float]:
    """Return weighted F1, accuracy and mean cross entropy over whole records."""
    task = RhythmTask(net)
    adc, labels = cinc2017.cut(records), cinc2017.labels(records)
    chosen = probabilities(task, adc).argmax(axis=1)
    loss = task_losses(task, adc, adc, labels).record
    figures = {
        "f1": float(weighted_f1(np.ones((1, len(labels))), labels, chosen)[0]),
        "accuracy": float((chosen == labels).mean()),
        "cross_entropy": float(loss.mean()),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def _parts(split: cinc2017.Split) -> dict[str, Sequence[cinc2017.Record]]:
    return {"holdout": split.holdout, "test": split.test}
