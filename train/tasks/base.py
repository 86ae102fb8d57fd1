"""What the compressor needs of a downstream task: a frozen network and a loss along the record."""

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from dynadeep.train.data import cinc2017

UNINFORMED_LOSS = math.log(4)
"""What every task's loss is normalised to where nothing is known of the record: ln 4, the cross
entropy of four classes. R-peak losses are two orders smaller as they come (paper section 3), so
without a common scale neither a weight nor a bound would mean the same for two tasks."""


class Judged(NamedTuple):
    """What a task makes of records along time, [N, steps] each.

    ``expected`` is the loss as far as the network itself can tell, without the truth: what error
    heads can learn to foresee of it.
    """

    losses: Tensor
    expected: Tensor


class Task(Protocol):
    """A downstream task with its network frozen."""

    name: str

    def reference(self, raw: Tensor) -> Tensor | None:
        """Return what the task makes of the raw records [N, T], or None if it has labels."""
        ...

    def losses(self, records: Tensor, labels: Tensor, reference: Tensor | None) -> Tensor:
        """Return the normalised loss of records [N, T] along time, [N, steps]."""
        ...

    def judged(self, records: Tensor, labels: Tensor, reference: Tensor | None) -> Judged:
        """Return the losses with what the network expects of them."""
        ...


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
