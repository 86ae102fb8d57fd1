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
from dynadeep.train.measure import Coded, Decoded, Floats
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


@dataclass(frozen=True)
class Lost:
    """The tasks' weighted loss of N records at each of K levels."""

    records: Floats  # [N, K]
    segments: Floats  # [N, S, K]


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
        targets = torch.from_numpy(train.lost.segments[:, :, index]).flatten()
        heads.fit_head(head, latents, targets)
        heads.check_alive(head, latents, LEVELS[index])
    held = measured(start, split.holdout, tasks)
    told = Promise(
        tasks={t.task.name: t.weight for t in tasks},
        unit=UNITS.get(tuple(t.task.name for t in tasks), "normalised loss"),
        bound=config.bound,
        violation_rate=config.violation_rate,
        margins={},
        record_margins={},
    )
    promise = with_margins(told, held.coded.predicted, held.lost)
    return checkpoint.save(replace(start, promise=promise), path)


def with_margins(promise: Promise, predicted: Floats, lost: Lost) -> Promise:
    """Return a promise whose margins hold on N held-out records, predicted [N, S, K].

    Raises:
        TrainError: there are too few records for the violation rate.
    """
    levels = predicted.shape[2]
    return replace(
        promise,
        margins=_margins(predicted.reshape(-1, levels), lost.segments.reshape(-1, levels), promise),
        record_margins=_margins(predicted.mean(axis=1), lost.records, promise),
    )


def _margins(predicted: Floats, losses: Floats, promise: Promise) -> dict[str, float]:
    """Fit the margin of each level to predictions and losses, [N, K] both."""
    fitted = margins.fit_margins(
        predicted, losses, GAINS, bound=promise.bound, rate=promise.violation_rate
    )
    return {str(level): float(m) for level, m in zip(LEVELS, fitted, strict=True)}


@dataclass(frozen=True)
class Measured:
    """A compressor on N records: what it made of them, and what the tasks lose by it."""

    coded: Coded
    lost: Lost


def measured(
    start: Checkpoint, records: Sequence[cinc2017.Record], tasks: Sequence[WeightedTask]
) -> Measured:
    """Code records in float arithmetic and measure the tasks' weighted loss at every level."""
    coded = measure.code(start.model, start.input_map, cinc2017.cut(records))
    return Measured(coded, losses_of(coded.decoded, records, tasks))


def losses_of(
    decoded: Sequence[Decoded], records: Sequence[cinc2017.Record], tasks: Sequence[WeightedTask]
) -> Lost:
    """Measure the tasks' weighted loss of N records; ``decoded`` is float32 [N, T] per level."""
    adc, labels = cinc2017.cut(records), cinc2017.labels(records)
    by_record, by_segment = [], []
    for one in decoded:
        found = [(w, measure.task_losses(task, one, adc, labels)) for task, w in tasks]
        by_record.append(sum(w * of.record for w, of in found))
        by_segment.append(sum(w * of.segments for w, of in found))
    return Lost(np.stack(by_record, axis=-1), np.stack(by_segment, axis=-1))
