"""What heads see of a frozen compressor, and what each task loses by it: computed once for all.

Coding a record and running the tasks on it costs a hundred times what a head's step on it does, so
every promise of a run, and every epoch of its heads, takes the same observations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynadeep.codegen.progress import each
from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.data import augment, cinc2017
from dynadeep.train.encoder import Encoded
from dynadeep.train.finetune import as_records, as_segments
from dynadeep.train.input_map import InputMap
from dynadeep.train.layers import as_int8, as_picture, as_signal
from dynadeep.train.model import SEGMENT_SAMPLES, DynamicDeep
from dynadeep.train.rounding import rounded
from dynadeep.train.tasks.base import Task, losses_of_kind, segment_losses, standardise

BATCH = 40
"""Records: about as many windows as the exporter chooses its ranges by."""

Records = tuple[NDArray[np.float32], NDArray[np.int64]]
"""ADC samples [N, T] and labels [N]."""


class Examples(NamedTuple):
    """What heads are fitted on: N records as the encoder gives them, and their losses.

    Of S segments each: codes [N, S, codes] per level and the trunk [N, S, C, T], all float16, and
    the losses at K levels, [N, S, K].
    """

    encoded: Encoded
    losses: Tensor


class Observation(NamedTuple):
    """The same of each task, by its name."""

    encoded: Encoded
    losses: Mapping[str, Tensor]

    def weighted(self, weights: Mapping[str, float]) -> Examples:
        """Return the records with the weighted sum of the tasks' losses."""
        losses = [weight * self.losses[name] for name, weight in weights.items()]
        return Examples(self.encoded, torch.stack(losses).sum(dim=0))


@dataclass(frozen=True)
class Observer:
    """A frozen compressor before frozen tasks, and the kind of loss that is asked for."""

    model: DynamicDeep
    input_map: InputMap
    tasks: tuple[Task, ...]
    kind: PromiseKind

    def observe(self, records: Records) -> Observation:
        """Code records, and measure what each segment loses at each level."""
        self.model.eval()
        with torch.no_grad():
            parts = [
                self._batch(*(torch.from_numpy(array[start : start + BATCH]) for array in records))
                for start in each("observing records", range(0, len(records[0]), BATCH))
            ]
        return joined(parts)

    def _batch(self, adc: Tensor, labels: Tensor) -> Observation:
        windows, raw = as_segments(adc), standardise(adc)
        with as_int8(self.model.encoder):
            encoded: Encoded = self.model.encoder(as_picture(self.input_map.apply_int8(windows)))
        codes = tuple(rounded(latents) for latents in encoded.latents)
        decoded = self.model.decode(codes)
        records = [
            standardise(as_records(self.input_map.decoded_to_adc(d, windows), adc.shape[1]))
            for d in decoded
        ]
        trunk = as_signal(encoded.trunk).half()
        latents = tuple(
            as_signal(level_codes).half().reshape(len(adc), -1, level_codes.shape[-1])
            for level_codes in codes
        )
        losses = {t.name: self._losses(t, raw, records, labels) for t in self.tasks}
        return Observation(Encoded(latents, trunk.reshape(len(adc), -1, *trunk.shape[1:])), losses)

    def _losses(self, task: Task, raw: Tensor, by_level: list[Tensor], labels: Tensor) -> Tensor:
        """Return what a task loses in each segment of records [N, T], one version a level."""
        reference = task.reference(raw)
        by_step = [
            losses_of_kind(task, self.kind, records, labels, reference) for records in by_level
        ]
        samples = raw.shape[1]
        segments = [segment_losses(a, samples=samples, segment=SEGMENT_SAMPLES) for a in by_step]
        return torch.stack(segments, dim=-1)


def joined(parts: list[Observation]) -> Observation:
    """Put observations of several records, or of several draws of them, together."""
    losses = {name: torch.cat([p.losses[name] for p in parts]) for name in parts[0].losses}
    trunk = torch.cat([p.encoded.trunk for p in parts])
    by_level = zip(*(p.encoded.latents for p in parts), strict=True)
    return Observation(Encoded(tuple(torch.cat(level) for level in by_level), trunk), losses)


@dataclass(frozen=True)
class Observations:
    """What the heads of every promise are trained on and stopped by, observed when first asked for.

    ``cuts`` versions of each record that heads are fitted on are drawn; those that they are stopped
    by, and the hold-out, are taken as they are.
    """

    observer: Observer
    split: cinc2017.Split
    cuts: int
    seed: int

    @cached_property
    def training(self) -> Observation:
        """The records that heads are fitted on, ``cuts`` times."""
        random = np.random.default_rng(self.seed)
        draws = [draw_cuts(self.split.fitted, random) for _ in range(self.cuts)]
        return joined([self.observer.observe(drawn) for drawn in draws])

    @cached_property
    def watched(self) -> Observation:
        """The training records that heads are stopped by, as they are."""
        return self.observer.observe(as_they_are(self.split.watched))

    @cached_property
    def holdout(self) -> Observation:
        """The hold-out as it is."""
        return self.observer.observe(as_they_are(self.split.holdout))


def as_they_are(records: Sequence[cinc2017.Record]) -> Records:
    """Return the samples of records, float32 [N, 8960], with their labels [N]."""
    return cinc2017.cut(records).astype(np.float32), cinc2017.labels(records)


def draw_cuts(records: Sequence[cinc2017.Record], random: np.random.Generator) -> Records:
    """Draw a varied, noisy version of each record, float32 [N, 8960], with its label [N]."""
    cuts = []
    for record in records:
        cut = augment.vary_record(record.samples, cinc2017.RECORD_SAMPLES, random)[0]
        noise = float(cut.std()) * 0.1 * random.random()
        cuts.append(cut + random.normal(0, noise + 1e-6, cut.shape).astype(np.float32))
    return np.stack(cuts), cinc2017.labels(records)
