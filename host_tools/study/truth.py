"""What a decoded recording really lost, in the unit that the model's heads predict.

PRD needs the samples alone. A task loss needs the task's network, and the rhythm's the record's
label too: where either is missing nothing is known, and nothing is claimed.
"""

from typing import TYPE_CHECKING

import numpy as np

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.codec.distortion import Floats, Judge, distortion
from dynadeep.host_tools.recordings.record import Record

if TYPE_CHECKING:
    from dynadeep.train.checkpoint import PromiseKind


class PrdJudge:
    """The error is PRD in percent, on the scale where the segment is [0, 1]."""

    def losses(self, record: Record, decoded: Floats) -> list[float] | None:
        """Return the PRD of each segment's real samples."""
        return [
            distortion(segment, back, record.real_samples(index))[0]
            for index, (segment, back) in enumerate(zip(record.segments, decoded, strict=True))
        ]


class TaskJudge:
    """The error is the weighted loss of downstream tasks on the whole decoded recording."""

    def __init__(self, weights: dict[str, float], kind: "PromiseKind") -> None:
        from dynadeep.train.finetune import WeightedTask
        from dynadeep.train.tasks import load_task

        self.kind: PromiseKind = kind
        self.tasks: list[WeightedTask] = [
            WeightedTask(load_task(name), weight) for name, weight in weights.items()
        ]

    def losses(self, record: Record, decoded: Floats) -> list[float] | None:
        """Return each segment's mean loss; None for one that needs a label and has none."""
        from dynadeep.train import measure
        from dynadeep.train.data import cinc2017

        labelled = record.label in cinc2017.CLASSES
        if self.kind == "loss" and not labelled:
            return None
        length = record.samples // cinc2017.STEP_SAMPLES * cinc2017.STEP_SAMPLES
        raw = record.segments.reshape(1, -1)[:, :length]
        labels = np.array([cinc2017.CLASSES.index(record.label) if labelled else 0])
        back = decoded.reshape(1, -1)[:, :length]
        weighted = [
            weight * measure.task_losses(task, back, raw, labels, self.kind).segments[0]
            for task, weight in self.tasks
        ]
        return [float(loss) for loss in np.sum(weighted, axis=0)]


def make_judge(manifest: Manifest) -> Judge | None:
    """Return the judge of a model's errors; None where the packages that it needs are missing."""
    promise = manifest.record.get("promise")
    if promise is None:
        return PrdJudge()
    try:
        return TaskJudge(promise["tasks"], promise.get("kind", "loss"))
    except ImportError:
        return None
