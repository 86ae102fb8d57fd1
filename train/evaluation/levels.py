"""How much each level costs a task, before anything is decided: quartiles of its loss."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dynadeep.train.evaluation import bootstrap
from dynadeep.train.evaluation.bootstrap import Interval
from dynadeep.train.evaluation.outcomes import Outcomes

QUARTILES = {"q1": 25.0, "median": 50.0, "q3": 75.0}


@dataclass(frozen=True)
class Level:
    """A level's loss over all records if all were sent at it, and its error in percent."""

    task: str
    precision: str
    level: str
    figures: dict[str, Interval]  # q1, median, q3, mean, prd, prdn


def levels(outcomes: Outcomes) -> Iterator[Level]:
    """Yield every level of every task, "none" first, which is without error."""
    nothing = np.zeros(outcomes.records)
    for name, task in outcomes.tasks.items():
        losses = [task.raw_loss, *task.loss.T]
        errors = zip([nothing, *outcomes.prd.T], [nothing, *outcomes.prdn.T], strict=True)
        for level, loss, (prd, prdn) in zip(outcomes.level_names, losses, errors, strict=True):
            figures = {key: bootstrap.percentile(loss, p) for key, p in QUARTILES.items()}
            means = {"mean": loss, "prd": prd, "prdn": prdn}
            figures |= {key: bootstrap.mean(values) for key, values in means.items()}
            yield Level(name, outcomes.precision, level, figures)
