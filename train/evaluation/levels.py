"""How much each level costs a task, before anything is decided: quartiles of its loss."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.evaluation import bootstrap
from dynadeep.train.evaluation.bootstrap import Interval
from dynadeep.train.evaluation.outcomes import KINDS, Outcomes

QUARTILES = {"q1": 25.0, "median": 50.0, "q3": 75.0}


@dataclass(frozen=True)
class Level:
    """A level's loss over all records if all were sent at it, and its error in percent."""

    task: str
    precision: str
    promise: PromiseKind  # which loss
    level: str
    figures: dict[str, Interval]  # q1, median, q3, mean, prd, prdn


def levels(outcomes: Outcomes) -> Iterator[Level]:
    """Yield every level of every task and promise, "none" first, which is without error."""
    nothing = np.zeros(outcomes.records)
    errors = list(zip([nothing, *outcomes.prd.T], [nothing, *outcomes.prdn.T], strict=True))
    for name, promise in itertools.product(outcomes.tasks, KINDS):
        losses = outcomes.tasks[name].lost(promise).T
        for level, loss, (prd, prdn) in zip(outcomes.level_names, losses, errors, strict=True):
            figures = {key: bootstrap.percentile(loss, p) for key, p in QUARTILES.items()}
            means = {"mean": loss, "prd": prd, "prdn": prdn}
            figures |= {key: bootstrap.mean(values) for key, values in means.items()}
            yield Level(name, outcomes.precision, promise, level, figures)
