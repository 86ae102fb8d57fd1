"""Phase 3: fit the error heads to a task on the frozen compressor, and the margins that hold it.

A head predicts the loss of one segment; a record's prediction is the mean of its segments'. Heads
are fitted on nine tenths of the training side; the last tenth stops those of a trunk, and shapes
the margins. The hold-out, which nothing else has seen, proves both, so that its share of broken
promises is what new records show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from dynadeep.train import checkpoint, foresight, heads, margins, measure
from dynadeep.train.checkpoint import Checkpoint, Promise, PromiseKind
from dynadeep.train.data import cinc2017
from dynadeep.train.encoder import HEADS, Heads, LinearHeads
from dynadeep.train.errors import TrainError
from dynadeep.train.finetune import WeightedTask
from dynadeep.train.foresight import ForesightConfig
from dynadeep.train.levels import SEGMENT_SAMPLES, HeadKind, Level
from dynadeep.train.margins import HeldOut
from dynadeep.train.measure import Decoded, Floats
from dynadeep.train.model import DynamicDeep
from dynadeep.train.observe import Examples, Observations

UNITS: dict[tuple[PromiseKind, tuple[str, ...]], str] = {
    ("loss", ("rhythm",)): "cross entropy",
    ("added", ("rhythm",)): "added cross entropy",
}
"""What losses are called; a mix of tasks, or one without an own name, is normalised."""


@dataclass(frozen=True)
class PromiseConfig:
    """What the device shall promise: the bound on the task's loss, and how seldom it may break it.

    ``violation_rate`` is the share of all records that may be compressed and lose more. ``kind`` is
    which loss, ``heads`` what foresees it.
    """

    bound: float = 0.75
    violation_rate: float = 0.02
    kind: PromiseKind = "added"
    heads: HeadKind = "trunk"
    foresight: ForesightConfig = field(default_factory=ForesightConfig)


SHIPPED = PromiseConfig()


@dataclass(frozen=True)
class WeightedLosses:
    """The tasks' weighted loss of N records at each of K levels."""

    records: Floats  # [N, K]
    segments: Floats  # [N, S, K]


@dataclass(frozen=True)
class Foreseen:
    """What heads foresee of N records, [N, S, K], and what came true."""

    predicted: Floats
    losses: WeightedLosses

    def by_segment(self) -> HeldOut:
        """Return what margins of one decision a segment are fitted to."""
        return HeldOut(self.predicted, self.losses.segments)

    def by_record(self) -> HeldOut:
        """Return what margins of one decision a record are fitted to."""
        return HeldOut(self.predicted.mean(axis=1, keepdims=True), self.losses.records[:, None])


def fit_promise(
    start: Checkpoint,
    observations: Observations,
    weights: Mapping[str, float],
    config: PromiseConfig,
    path: Path,
) -> Path:
    """Fit heads and margins to the weighted loss of tasks and save the whole checkpoint.

    Args:
        start: the compressor; its weights stay.
        observations: of it before the tasks, which other promises may share.
        weights: what each task counts in the loss.
        config: what to promise.
        path: .safetensors.

    Raises:
        TrainingFailedError: a head predicts one loss whatever it sees, or foresees nothing.
        TrainError: the checkpoint has no heads, or the hold-out is too small for the rate.
    """
    if not isinstance(start.model, DynamicDeep):
        raise TrainError(f"{start.config.architecture} has no error heads. Use dynamic-deep.")
    result = with_heads(start, config.heads)
    assert isinstance(result.model, DynamicDeep)
    fitted = result.model.heads
    training, watched, holdout = (
        observation.weighted(weights)
        for observation in (observations.training, observations.watched, observations.holdout)
    )
    if isinstance(fitted, LinearHeads):
        _fit_linear(fitted, training)
    else:
        foresight.train_trunk_heads(fitted, training, watched, config.foresight)
    shaping, proving = _foreseen(fitted, watched), _foreseen(fitted, holdout)
    levels = result.config.levels
    coefficients = foresight.correlations(
        proving.predicted.reshape(-1, len(levels)), proving.losses.segments.reshape(-1, len(levels))
    )
    foresight.check_foresight(levels, coefficients, config.foresight.least_correlation)
    without_margins = Promise(
        tasks=dict(weights),
        unit=UNITS.get((config.kind, tuple(weights)), "normalised loss"),
        bound=config.bound,
        violation_rate=config.violation_rate,
        bounds=(),
        margins={},
        record_margins={},
        kind=config.kind,
        foresight={level.name: round(c, 4) for level, c in zip(levels, coefficients, strict=True)},
    )
    promise = with_margins(without_margins, levels, shaping, proving)
    return checkpoint.save(replace(result, promise=promise), path)


def with_heads(start: Checkpoint, kind: HeadKind) -> Checkpoint:
    """Return a checkpoint whose network has new heads of a kind, and shares all else."""
    assert isinstance(start.model, DynamicDeep)
    config = replace(start.config, heads=kind)
    torch.manual_seed(0)
    model = DynamicDeep(config)
    model.encoder, model.decoder = start.model.encoder, start.model.decoder
    model.heads = HEADS[kind](config)
    return replace(start, model=model.eval(), config=config, promise=None)


def _fit_linear(fitted: LinearHeads, training: Examples) -> None:
    """Fit a dense layer per level by least squares, in place."""
    by_level = zip(fitted.levels, training.encoded.latents, training.losses.unbind(-1), strict=True)
    for level, latents, losses in by_level:
        codes = latents.float().flatten(0, 1)
        heads.fit_head(fitted.of(level.name), codes, losses.flatten())
        heads.check_alive(fitted.of(level.name), codes, level.name)


def _foreseen(fitted: Heads, examples: Examples) -> Foreseen:
    """Return what heads foresee of records, and what came true."""
    segments = examples.losses.numpy().astype(np.float64)
    whole = mean_of_segments(segments, samples=cinc2017.RECORD_SAMPLES)
    return Foreseen(foresight.predict(fitted, examples.encoded), WeightedLosses(whole, segments))


def mean_of_segments(losses: Floats, *, samples: int) -> Floats:
    """Return the losses of whole records, [N, K], from those of their segments, [N, S, K].

    A segment counts by its share of a record's ``samples``: the last one may reach beyond.
    """
    starts = np.arange(losses.shape[1]) * SEGMENT_SAMPLES
    shares = np.minimum(samples - starts, SEGMENT_SAMPLES) / samples
    return np.asarray(np.einsum("nsk,s->nk", losses, shares), np.float64)


def with_margins(
    promise: Promise, levels: Sequence[Level], shaping: Foreseen, proving: Foreseen
) -> Promise:
    """Return a promise whose margins hold on ``proving``, records that nothing else has seen.

    Raises:
        TrainError: there are too few records for the violation rate.
    """
    bounds = margins.knots_for(promise.bound)
    tables = []
    for by_unit in (Foreseen.by_segment, Foreseen.by_record):
        fitted = margins.fit_margins(
            by_unit(shaping),
            by_unit(proving),
            bounds=bounds,
            rate=promise.violation_rate,
        )
        columns = zip(levels, fitted.T.tolist(), strict=True)
        tables.append({level.name: tuple(column) for level, column in columns})
    return replace(promise, bounds=bounds, margins=tables[0], record_margins=tables[1])


def losses_of(
    decoded: Sequence[Decoded],
    records: Sequence[cinc2017.Record],
    tasks: Sequence[WeightedTask],
    kind: PromiseKind,
) -> WeightedLosses:
    """Measure the tasks' weighted loss of N records; ``decoded`` is float32 [N, T] per level."""
    adc, labels = cinc2017.cut(records), cinc2017.labels(records)
    by_record, by_segment = [], []
    for signal in decoded:
        losses = [(w, measure.task_losses(task, signal, adc, labels, kind)) for task, w in tasks]
        by_record.append(sum(w * loss.record for w, loss in losses))
        by_segment.append(sum(w * loss.segments for w, loss in losses))
    return WeightedLosses(np.stack(by_record, axis=-1), np.stack(by_segment, axis=-1))
