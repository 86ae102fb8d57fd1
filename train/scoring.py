"""Score a codec on a set of records: the figures that every table and plot is drawn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dynadeep.codegen.progress import each
from dynadeep.train.data import cinc2017
from dynadeep.train.evaluation import decisions, points
from dynadeep.train.evaluation.outcomes import KINDS, Foreseen, Outcomes, TaskOutcome
from dynadeep.train.evaluation.points import Case, Point, Sent
from dynadeep.train.measure import (
    Decoded,
    Nets,
    Signal,
    TaskOutputs,
    distortions,
    run_tasks,
    signal_of,
    task_outputs,
)
from dynadeep.train.model import SEGMENT_SAMPLES

CHUNK = 512
"""Mixed records that are put together at a time."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Recordings:
    """N records as they were, and both tasks on them."""

    names: tuple[str, ...]
    labels: Ints  # [N]
    adc: NDArray[np.int16]  # [N, T]
    outputs: TaskOutputs  # what the networks make of them
    raw: Signal


@dataclass(frozen=True)
class Codec:
    """What a codec makes of N records at K levels, weakest first, before anything is decided."""

    precision: str
    codes: tuple[int, ...]  # values that a segment is coded in, per level
    decoded: tuple[Decoded, ...]  # per level, ADC units, float32 [N, T]
    packet_bytes: Ints  # [N, S, K+1], level "none" first
    foreseen: Mapping[str, Foreseen] = field(default_factory=dict)  # per task; none without heads


def read_recordings(nets: Nets, records: Sequence[cinc2017.Record]) -> Recordings:
    """Cut records to 8960 samples and run both tasks on them."""
    adc, labels = cinc2017.cut(records), cinc2017.labels(records)
    outputs = task_outputs(nets, adc)
    signal = signal_of(nets, outputs, outputs, labels)
    return Recordings(tuple(r.name for r in records), labels, adc, outputs, signal)


def outcomes(nets: Nets, recordings: Recordings, codec: Codec) -> Outcomes:
    """Measure every task of ``nets`` at every level."""
    adc, labels = recordings.adc, recordings.labels
    decoded = [run_tasks(nets, signal, recordings.outputs, labels) for signal in codec.decoded]
    signals = [recordings.raw, *decoded]
    prd, prdn = distortions(codec.decoded, adc)
    return Outcomes(
        names=recordings.names,
        labels=labels,
        precision=codec.precision,
        raw_bytes=np.full(len(adc), adc.shape[1] * adc.itemsize, np.int64),
        wire_bytes=codec.packet_bytes.sum(axis=1),
        prd=prd,
        prdn=prdn,
        tasks={
            name: _task_outcome(signals, weights, codec.foreseen.get(name))
            for name, weights in nets.weights.items()
        },
        codes=codec.codes,
    )


def _task_outcome(
    signals: Sequence[Signal], weights: Mapping[str, float], foreseen: Foreseen | None
) -> TaskOutcome:
    """Put a task together from the raw signal and that of each level."""
    losses = [signal.weighted("loss", weights) for signal in signals]
    return TaskOutcome(
        raw_loss=losses[0],
        loss=np.stack(losses[1:], axis=1),
        added=np.stack([s.weighted("added", weights) for s in signals[1:]], axis=1),
        foreseen=foreseen,
        probabilities=np.stack([s.probabilities for s in signals], axis=1),
        peaks=np.stack([s.peaks for s in signals], axis=1),
    )


def segment_points(
    nets: Nets, recordings: Recordings, codec: Codec, scored: Outcomes, bounds: Sequence[float]
) -> list[Point]:
    """Measure one decision a segment, which is what a board does, for every task and promise.

    ``scored`` are the codec's outcomes on the same records.
    """
    task_bounds = [(task, bound) for task in codec.foreseen for bound in bounds]
    chosen = np.stack([decisions.by_segment(scored.task(t), bound) for t, bound in task_bounds])
    mixes = _Mixes.of(nets, recordings, codec, chosen)
    cases = [
        (Case(task, codec.precision, promise, bound, "segment"), index)
        for promise in KINDS
        for index, (task, bound) in enumerate(task_bounds)
    ]
    return [
        points.point(mixes.sent(case, index, nets, scored, chosen[index]), case)
        for case, index in cases
    ]


@dataclass(frozen=True)
class _Mixes:
    """M different mixes of records whose segments are each sent at a level of their own.

    Many decisions agree on a record, so each mix is decoded and read by the tasks once.
    """

    packet_bytes: Ints  # [N, S, K+1]
    signal: Signal  # of M mixes
    distortion: tuple[NDArray[np.float64], NDArray[np.float64]]  # PRD and PRDN, [M] each
    at: Ints  # [Q, N], which mix a record is at each of Q decisions

    @classmethod
    def of(cls, nets: Nets, recordings: Recordings, codec: Codec, chosen: Ints) -> "_Mixes":
        """Measure decisions, int64 [Q, N, S]."""
        count = chosen.shape[1]
        rows = np.broadcast_to(np.arange(count)[:, None], (len(chosen), count, 1))
        keys = np.concatenate([rows, chosen], axis=2).reshape(len(chosen) * count, -1)
        mixes, at = np.unique(keys, axis=0, return_inverse=True)
        signals, percents = [], []
        for start in each("mixes of levels", range(0, len(mixes), CHUNK)):
            record, levels = mixes[start : start + CHUNK, 0], mixes[start : start + CHUNK, 1:]
            signal = _mixed(recordings, codec, record, levels)
            raw, labels = recordings.outputs.of(record), recordings.labels[record]
            signals.append(run_tasks(nets, signal, raw, labels))
            percents.append(np.stack(distortions([signal], recordings.adc[record])))
        prd, prdn = np.concatenate(percents, axis=1)[:, :, 0]
        at = at.reshape(len(chosen), count)
        return cls(codec.packet_bytes, Signal.joined(signals), (prd, prdn), at)

    def sent(self, case: Case, index: int, nets: Nets, scored: Outcomes, chosen: Ints) -> Sent:
        """Return what records came to by decision ``index``, levels int64 [N, S]."""
        at = self.at[index]
        packets = np.take_along_axis(self.packet_bytes, chosen[:, :, None], axis=2)
        prd, prdn = self.distortion
        return Sent(
            gain=scored.gains[chosen].mean(axis=1),
            raw_bytes=scored.raw_bytes,
            wire_bytes=packets.sum(axis=(1, 2)),
            loss=self.signal.weighted(case.promise, nets.weights[case.task])[at],
            raw_loss=scored.task(case.task).lost(case.promise)[:, 0],
            compressed=np.asarray((chosen != decisions.NONE).any(axis=1)),
            prd=prd[at],
            prdn=prdn[at],
            shares={name: (chosen == i).mean(axis=1) for i, name in enumerate(scored.level_names)},
            labels=scored.labels,
            predicted=self.signal.probabilities[at].argmax(axis=1),
            peaks=self.signal.peaks[at],
        )


def _mixed(recordings: Recordings, codec: Codec, record: Ints, levels: Ints) -> Decoded:
    """Put records together, ADC units float32 [M, T], from ``levels`` of segments, [M, S]."""
    adc = recordings.adc
    versions: list[NDArray[np.generic]] = [adc, *codec.decoded]
    mixed = np.empty((len(record), adc.shape[1]), np.float32)
    for segment in range(levels.shape[1]):
        part = slice(segment * SEGMENT_SAMPLES, (segment + 1) * SEGMENT_SAMPLES)
        for level, version in enumerate(versions):
            rows = levels[:, segment] == level
            mixed[rows, part] = version[record[rows], part]
    return mixed
