"""Phase 3: fit the error heads to a task on the frozen compressor, and the margins that hold it.

A head predicts the loss of one segment from its latent; a record's prediction is the mean of its
segments'. Heads see the training half only, margins the hold-out only, so that the share of
broken promises on the hold-out is what new records will show.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from dynadeep.train import checkpoint, heads, margins, measure
from dynadeep.train.checkpoint import Checkpoint, Promise
from dynadeep.train.data import cinc2017
from dynadeep.train.errors import TrainError
from dynadeep.train.finetune import WeightedTask
from dynadeep.train.measure import Coded, Floats
from dynadeep.train.model import LATENT_SAMPLES, LEVELS, SEGMENT_SAMPLES, DynamicDeep

UNITS: dict[tuple[str, ...], str] = {("rhythm",): "cross entropy"}
"""What losses are called; a mix of tasks, or one without an own name, is normalised."""
GAINS = tuple(SEGMENT_SAMPLES / LATENT_SAMPLES[level] for level in LEVELS)


@dataclass(frozen=True)
class PromiseConfig:
    """What the device shall promise: the bound on the task's loss, and how seldom it may break it.

    ``violation_rate`` is the share of all records that may be compressed and lose more.
    """

    bound: float = 0.75
    violation_rate: float = 0.02


SHIPPED = PromiseConfig()


def fit_promise(
    start: Checkpoint,
    split: cinc2017.Split,
    tasks: Sequence[WeightedTask],
    config: PromiseConfig,
    path: Path,
) -> Path:
    """Fit heads and margins to the weighted loss of ``tasks`` and save the whole checkpoint.

    Raises:
        TrainingFailedError: a head predicts one loss whatever the latent.
        TrainError: the checkpoint has no heads, or the hold-out is too small for the rate.
    """
    model = start.model
    if not isinstance(model, DynamicDeep):
        raise TrainError(f"{start.config.architecture} has no error heads. Use dynamic-deep.")
    train = measured(start, split.train, tasks)
    for index, head in enumerate((model.heads.head32, model.heads.head64)):
        latents = torch.from_numpy(train.coded.latents[index]).flatten(0, 1)
        targets = torch.from_numpy(train.segments[:, :, index]).flatten()
        heads.fit_head(head, latents, targets)
        heads.check_alive(head, latents, LEVELS[index])
    held = measured(start, split.holdout, tasks)
    by_segment = (
        held.coded.predicted.reshape(-1, len(LEVELS)),
        held.segments.reshape(-1, len(LEVELS)),
    )
    promise = Promise(
        tasks={t.task.name: t.weight for t in tasks},
        unit=UNITS.get(tuple(t.task.name for t in tasks), "normalised loss"),
        bound=config.bound,
        violation_rate=config.violation_rate,
        margins=_margins(*by_segment, config),
        record_margins=_margins(held.coded.predicted.mean(axis=1), held.losses, config),
    )
    return checkpoint.save(replace(start, promise=promise), path)


def _margins(predicted: Floats, losses: Floats, config: PromiseConfig) -> dict[str, float]:
    """Fit the margin of each level to predictions and losses, [N, K] both."""
    fitted = margins.fit_margins(
        predicted, losses, GAINS, bound=config.bound, rate=config.violation_rate
    )
    return {str(level): float(m) for level, m in zip(LEVELS, fitted, strict=True)}


@dataclass(frozen=True)
class Measured:
    """A compressor on N records: what it made of them, and the weighted loss of each level."""

    coded: Coded
    losses: Floats  # [N, K]
    segments: Floats  # [N, S, K]


def measured(
    start: Checkpoint, records: Sequence[cinc2017.Record], tasks: Sequence[WeightedTask]
) -> Measured:
    """Code records in float arithmetic and measure the tasks' weighted loss at every level."""
    adc, labels = cinc2017.cut(records), cinc2017.labels(records)
    coded = measure.code(start.model, start.input_map, adc)
    losses, segments = [], []
    for decoded in coded.decoded:
        found = [(w, measure.task_losses(task, decoded, adc, labels)) for task, w in tasks]
        losses.append(sum(w * one.record for w, one in found))
        segments.append(sum(w * one.segments for w, one in found))
    return Measured(coded, np.stack(losses, axis=-1), np.stack(segments, axis=-1))
