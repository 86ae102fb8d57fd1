"""Measure a codec on whole records: task losses, class probabilities, peaks, PRD and PRDN.

The codec is anything that decodes records at each level: the float network here, or the int8 one
that a board runs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynadeep.codegen.progress import each
from dynadeep.train import metrics
from dynadeep.train.checkpoint import Model, PromiseKind
from dynadeep.train.finetune import as_records, as_segments
from dynadeep.train.input_map import InputMap
from dynadeep.train.model import SEGMENT_SAMPLES, DynamicDeep
from dynadeep.train.tasks import TASKS, load_task
from dynadeep.train.tasks.base import (
    Task,
    losses_of_kind,
    segment_losses,
    standardise,
)
from dynadeep.train.tasks.rhythm import RhythmTask, divergence, step_losses
from dynadeep.train.tasks.rpeaks import RPeaksTask

BATCH = 32

Floats = NDArray[np.float64]
Decoded = NDArray[np.float32]


@dataclass(frozen=True)
class Coded:
    """What a codec made of N records of S segments at K levels, weakest compression first."""

    decoded: tuple[Decoded, ...]  # per level, ADC units, float32 [N, T]
    predicted: Floats  # [N, S, K], the heads' losses before any margin
    latents: tuple[Decoded, ...] = ()  # per level, [N, S, codes]


@dataclass(frozen=True)
class TaskLosses:
    """A task on one version of N records: its loss, whole and per segment."""

    record: Floats  # [N]
    segments: Floats  # [N, S]


def code(model: Model, input_map: InputMap, records: NDArray[np.int16]) -> Coded:
    """Compress and decode records, ADC samples int16 [N, T], in float arithmetic."""
    model.eval()
    device = next(model.parameters()).device
    parts = []
    with torch.no_grad():
        for start in each("coding records", range(0, len(records), BATCH)):
            adc = torch.from_numpy(records[start : start + BATCH].astype(np.float32)).to(device)
            parts.append(_code_batch(model, input_map, adc))
    decoded, latents, predicted = zip(*parts, strict=True)
    return Coded(_joined(decoded), np.concatenate(predicted).astype(np.float64), _joined(latents))


def _code_batch(
    model: Model, input_map: InputMap, adc: Tensor
) -> tuple[list[Decoded], list[Decoded], Decoded]:
    """Code one batch [N, T]: decodings [N, T] and latents per level, predictions [N, S, K]."""
    windows = as_segments(adc)
    mapped = input_map.apply(windows)
    predicted = adc.new_zeros((len(windows), 0))
    if isinstance(model, DynamicDeep):
        encoded = model.encoder(mapped)
        latents = encoded.latents
        # As the device has them: int8 outputs below a head's zero point are no error.
        predicted = torch.cat(list(model.heads(encoded)), dim=1).clamp(min=0)
    else:
        latents = model.encode(mapped)
    decoded = [
        as_records(input_map.decoded_to_adc(d, windows), adc.shape[1])
        for d in model.decode(latents)
    ]
    segments = len(windows) // len(adc)
    by_record = [t.reshape(len(adc), segments, t.shape[-1]) for t in (predicted, *latents)]
    arrays = [t.cpu().numpy() for t in by_record]
    return [d.cpu().numpy() for d in decoded], arrays[1:], arrays[0]


def _joined(parts: Sequence[Sequence[Decoded]]) -> tuple[Decoded, ...]:
    """Put the batches of each level together."""
    return tuple(np.concatenate(level) for level in zip(*parts, strict=True))


def task_losses(
    task: Task,
    records: NDArray[np.generic],
    raw: NDArray[np.int16],
    labels: NDArray[np.int64],
    kind: PromiseKind = "loss",
) -> TaskLosses:
    """Return a task's loss on records [N, T] in ADC units, made from ``raw`` [N, T]."""
    whole, segments = [], []
    with torch.no_grad():
        for start in range(0, len(records), BATCH):
            part = slice(start, start + BATCH)
            reference = task.reference(as_input(raw[part]))
            losses = losses_of_kind(
                task, kind, as_input(records[part]), torch.from_numpy(labels[part]), reference
            )
            whole.append(losses.mean(dim=1))
            segments.append(
                segment_losses(losses, samples=records.shape[1], segment=SEGMENT_SAMPLES)
            )
    return TaskLosses(_array(torch.cat(whole)), _array(torch.cat(segments)))


def probabilities(task: RhythmTask, records: NDArray[np.generic]) -> Floats:
    """Return the class probabilities [N, 4] of records [N, T] in ADC units."""
    with torch.no_grad():
        parts = [
            task.probabilities(as_input(records[start : start + BATCH]))
            for start in range(0, len(records), BATCH)
        ]
    return _array(torch.cat(parts))


def as_input(records: NDArray[np.generic]) -> Tensor:
    """Return records in ADC units as the task networks take them, standardised float32 [N, T]."""
    return standardise(torch.from_numpy(records.astype(np.float32)))


def distortions(decoded: Sequence[Decoded], raw: NDArray[np.int16]) -> tuple[Floats, Floats]:
    """Return PRD and PRDN in percent, [N, K] each: means over the record's segments.

    Each segment stands on the scale where it spans [0, 1], the last one as far as it is real. A
    flat segment has no PRD, and is left out of its record's mean.
    """
    starts = range(0, raw.shape[1], SEGMENT_SAMPLES)
    parts = [slice(start, start + SEGMENT_SAMPLES) for start in starts]
    values = np.array([[_distortion(d[:, p], raw[:, p]) for p in parts] for d in decoded])
    finite = np.isfinite(values)
    mean = np.where(finite, values, 0).sum(axis=1) / np.maximum(finite.sum(axis=1), 1)
    return mean[:, 0].T.copy(), mean[:, 1].T.copy()


def _distortion(decoded: Decoded, raw: NDArray[np.int16]) -> tuple[Floats, Floats]:
    window = raw.astype(np.float64)
    original = metrics.unit_scale(window, window)
    back = metrics.unit_scale(decoded.astype(np.float64), window)
    return metrics.prd(original, back), metrics.prdn(original, back)


def _array(tensor: Tensor) -> Floats:
    return tensor.cpu().numpy().astype(np.float64)


@dataclass(frozen=True)
class Nets:
    """The two tasks, and what each of them counts in the loss of both together."""

    rhythm: RhythmTask
    rpeaks: RPeaksTask
    weights: Mapping[str, Mapping[str, float]]  # e.g. "both" -> {"rhythm": 0.5, "rpeaks": 0.5}


def load_nets(paths: Mapping[str, Path], rows: Collection[str]) -> Nets:
    """Load both tasks' networks for the rows "rhythm", "rpeaks" and "both" of the tables."""
    rhythm, rpeaks = (load_task(name, paths.get(name)) for name in ("rhythm", "rpeaks"))
    assert isinstance(rhythm, RhythmTask)
    assert isinstance(rpeaks, RPeaksTask)
    weights: dict[str, dict[str, float]] = {name: {name: 1.0} for name in TASKS}
    weights["both"] = dict.fromkeys(TASKS, 1 / len(TASKS))
    return Nets(rhythm, rpeaks, {name: weights[name] for name in rows})


@dataclass(frozen=True)
class Signal:
    """Both tasks on one version of N records."""

    losses: Mapping[PromiseKind, Mapping[str, Floats]]  # by kind and task net, [N] each
    probabilities: Floats  # [N, 4]
    peaks: NDArray[np.int64]  # [N, 3]

    def weighted(self, kind: PromiseKind, weights: Mapping[str, float]) -> Floats:
        """Return the weighted sum of the tasks' losses of a kind, [N]."""
        return np.asarray(sum(w * self.losses[kind][name] for name, w in weights.items()))

    @classmethod
    def joined(cls, parts: Sequence["Signal"]) -> "Signal":
        """Put the records of several signals one after the other."""
        losses: dict[PromiseKind, dict[str, Floats]] = {
            kind: {name: np.concatenate([p.losses[kind][name] for p in parts]) for name in names}
            for kind, names in parts[0].losses.items()
        }
        probabilities = np.concatenate([p.probabilities for p in parts])
        return cls(losses, probabilities, np.concatenate([p.peaks for p in parts]))


@dataclass(frozen=True)
class TaskOutputs:
    """What both task networks make of N records; that of the raw ones all else is held against."""

    rhythm: Tensor  # logarithms of the steps' probabilities, [N, steps, 4]
    rpeaks: Tensor  # curves in seconds, [N, T / decimation]

    def of(self, rows: slice | NDArray[np.int64]) -> "TaskOutputs":
        """Return that of some of the records."""
        return TaskOutputs(self.rhythm[rows], self.rpeaks[rows])


def task_outputs(nets: Nets, records: NDArray[np.generic]) -> TaskOutputs:
    """Run both task networks on records [N, T] in ADC units."""
    starts = each("running the tasks", range(0, len(records), BATCH))
    parts = [_task_outputs(nets, records[s : s + BATCH]) for s in starts]
    return TaskOutputs(torch.cat([p.rhythm for p in parts]), torch.cat([p.rpeaks for p in parts]))


def run_tasks(
    nets: Nets, records: NDArray[np.generic], raw: TaskOutputs, labels: NDArray[np.int64]
) -> Signal:
    """Run both tasks on records [N, T] in ADC units, whose raw ones gave ``raw``."""
    parts = [slice(start, start + BATCH) for start in range(0, len(records), BATCH)]
    return Signal.joined(
        [signal_of(nets, _task_outputs(nets, records[p]), raw.of(p), labels[p]) for p in parts]
    )


def _task_outputs(nets: Nets, records: NDArray[np.generic]) -> TaskOutputs:
    """Run both networks on one batch of records [N, T] in ADC units."""
    batch = as_input(records)
    return TaskOutputs(nets.rhythm.reference(batch), nets.rpeaks.reference(batch))


def signal_of(
    nets: Nets, outputs: TaskOutputs, raw: TaskOutputs, labels: NDArray[np.int64]
) -> Signal:
    """Hold what the networks make of records against what they make of the raw ones."""
    rpeaks = _mean(nets.rpeaks.between(outputs.rpeaks, raw.rpeaks))
    own = _mean(step_losses(outputs.rhythm, torch.from_numpy(labels)))
    added = _mean(divergence(raw.rhythm, outputs.rhythm))
    losses: dict[PromiseKind, dict[str, Floats]] = {
        "loss": {"rhythm": own, "rpeaks": rpeaks},
        "added": {"rhythm": added, "rpeaks": rpeaks},
    }
    return Signal(
        losses,
        _mean(outputs.rhythm.exp()),
        np.asarray(nets.rpeaks.matches(outputs.rpeaks, raw.rpeaks).numpy(), np.int64),
    )


def _mean(steps: Tensor) -> Floats:
    """Average over a record's steps, [N, steps, ...] -> [N, ...]."""
    return _array(steps.mean(dim=1))
