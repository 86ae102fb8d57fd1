"""Score a codec on a set of records: the Outcomes that every table and plot is drawn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynadeep.train.data import cinc2017
from dynadeep.train.evaluation.outcomes import Outcomes, TaskOutcome
from dynadeep.train.evaluation.points import Point, point_from_mixed
from dynadeep.train.measure import Decoded, Floats, Nets, Signal, distortions, run_tasks
from dynadeep.train.model import SEGMENT_SAMPLES


@dataclass(frozen=True)
class Recordings:
    """N records as they were, and both tasks on them."""

    names: tuple[str, ...]
    labels: NDArray[np.int64]  # [N]
    adc: NDArray[np.int16]  # [N, T]
    raw: Signal


@dataclass(frozen=True)
class Foreseen:
    """What the heads of one task say of N records, and the margins for one decision a record."""

    predicted: Floats  # [N, S, K]
    margins: Floats  # [K]


def read_recordings(nets: Nets, records: Sequence[cinc2017.Record]) -> Recordings:
    """Cut records to 8960 samples and run both tasks on them."""
    adc, labels = cinc2017.cut(records), cinc2017.labels(records)
    return Recordings(
        tuple(r.name for r in records), labels, adc, run_tasks(nets, adc, adc, labels)
    )


def outcomes(
    nets: Nets,
    recordings: Recordings,
    decoded: Sequence[Decoded],
    packet_bytes: NDArray[np.int64],
    foreseen: Mapping[str, Foreseen],
    *,
    precision: str,
    codes: tuple[int, ...],
) -> Outcomes:
    """Measure every task of ``nets`` at every level.

    Args:
        nets: the task networks.
        recordings: the raw records.
        decoded: per level, weakest first, ADC units float32 [N, T].
        packet_bytes: int64 [N, S, K+1], of each segment at each level, "none" first.
        foreseen: per task what the heads say; none for a codec without heads.
        precision: "float" or "int8".
        codes: values a segment is coded in, per level.
    """
    adc = recordings.adc
    signals = [run_tasks(nets, d, adc, recordings.labels) for d in decoded]
    prd, prdn = distortions(decoded, adc)
    return Outcomes(
        names=recordings.names,
        labels=recordings.labels,
        precision=precision,
        raw_bytes=np.full(len(adc), adc.shape[1] * adc.itemsize, np.int64),
        wire_bytes=packet_bytes.sum(axis=1),
        prd=prd,
        prdn=prdn,
        tasks={
            name: _task_outcome([recordings.raw, *signals], weights, foreseen.get(name))
            for name, weights in nets.weights.items()
        },
        codes=codes,
    )


def _task_outcome(
    signals: Sequence[Signal], weights: Mapping[str, float], foreseen: Foreseen | None
) -> TaskOutcome:
    """Put a task together from the raw signal and that of each level."""
    losses = [signal.weighted(weights).record for signal in signals]
    return TaskOutcome(
        raw_loss=losses[0],
        loss=np.stack(losses[1:], axis=1),
        predicted=None if foreseen is None else foreseen.predicted.mean(axis=1),
        margins=None if foreseen is None else foreseen.margins,
        probabilities=np.stack([s.probabilities for s in signals], axis=1),
        peaks=np.stack([s.peaks for s in signals], axis=1),
    )


def mixed_point(
    nets: Nets,
    recordings: Recordings,
    decoded: Sequence[Decoded],
    packet_bytes: NDArray[np.int64],
    chosen: NDArray[np.int64],
    *,
    task: str,
    precision: str,
    bound: float,
    codes: tuple[int, ...],
) -> Point:
    """Measure records whose segments were each sent at a level of their own, int64 [N, S]."""
    adc = recordings.adc
    levels = np.repeat(chosen, SEGMENT_SAMPLES, axis=1)[:, : adc.shape[1]]
    versions = np.stack([adc.astype(np.float32), *decoded])
    mixed = np.take_along_axis(versions, levels[None], axis=0)[0]
    signal = run_tasks(nets, mixed, adc, recordings.labels)
    prd, prdn = distortions([mixed], adc)
    gains = np.array([1.0, *(SEGMENT_SAMPLES / count for count in codes)])
    names = ("none", *(str(SEGMENT_SAMPLES // count) for count in codes))
    return point_from_mixed(
        task=task,
        precision=precision,
        bound=bound,
        labels=recordings.labels,
        gain=gains[chosen].mean(axis=1),
        raw_bytes=np.full(len(adc), adc.shape[1] * adc.itemsize, np.int64),
        wire_bytes=np.take_along_axis(packet_bytes, chosen[:, :, None], axis=2).sum(axis=(1, 2)),
        loss=signal.weighted(nets.weights[task]).record,
        raw_loss=recordings.raw.weighted(nets.weights[task]).record,
        compressed=np.asarray((chosen > 0).any(axis=1)),
        prd=prd[:, 0],
        prdn=prdn[:, 0],
        shares={name: (chosen == i).mean(axis=1) for i, name in enumerate(names)},
        probabilities=signal.probabilities,
        peaks=signal.peaks,
    )
