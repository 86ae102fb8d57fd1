"""What the compressor needs of a downstream task: a frozen network and a loss along the record."""

import math
from typing import Protocol

import torch
from torch import Tensor

from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.data import cinc2017

UNINFORMED_LOSS = math.log(4)
"""What every task's loss is normalised to where nothing is known of the record: ln 4, the cross
entropy of four classes. R-peak losses are two orders smaller as they come (paper section 3), so
without a common scale neither a weight nor a bound would mean the same for two tasks."""


class Task(Protocol):
    """A downstream task with its network frozen."""

    name: str

    def reference(self, raw: Tensor) -> Tensor:
        """Return what the task makes of the raw records [N, T]."""
        ...

    def losses(self, records: Tensor, labels: Tensor, reference: Tensor) -> Tensor:
        """Return the normalised loss of records [N, T] along time, [N, steps]."""
        ...

    def added(self, records: Tensor, reference: Tensor) -> Tensor:
        """Return how far records [N, T] are from the raw ones to the task, [N, steps]; 0 for raw.

        On the scale of ``losses``.
        """
        ...


def losses_of_kind(
    task: Task, kind: PromiseKind, records: Tensor, labels: Tensor, reference: Tensor
) -> Tensor:
    """Return the losses that a promise of a kind is about, [N, steps]."""
    if kind == "added":
        return task.added(records, reference)
    return task.losses(records, labels, reference)


def standardise(adc: Tensor) -> Tensor:
    """Bring ADC samples to the scale that the task networks were trained on."""
    return (adc - cinc2017.MEAN) / cinc2017.STD


def segment_losses(losses: Tensor, *, samples: int, segment: int) -> Tensor:
    """Average step losses [N, steps] of records [N, samples] over their segments: [N, segments].

    A step counts in a segment by the share of it that lies inside. The last segment may reach
    beyond the record; only the record's part of it counts.
    """
    return losses @ overlap(losses.shape[1], samples=samples, segment=segment).to(losses)


def overlap(steps: int, *, samples: int, segment: int) -> Tensor:
    """Return the weights [steps, segments] that average steps over segments; columns sum to 1."""
    count = math.ceil(samples / segment)
    edges = torch.linspace(0, samples, steps + 1, dtype=torch.float64)
    low = torch.arange(count, dtype=torch.float64) * segment
    inside = torch.minimum(edges[1:, None], low + segment) - torch.maximum(edges[:-1, None], low)
    inside = inside.clamp(min=0)
    return inside / inside.sum(dim=0)
