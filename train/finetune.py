"""Phase 2: fine-tune the compressor on CinC-2017 with the frozen tasks behind its decoder.

The loss is the paper's (3), reconstruction and task loss of every level, with three additions that
serve the promise rather than the mean: record losses beyond the bound weigh more, so that where
two rhythms cannot be told apart the decoded signal leaves the task undecided instead of wrong; the
latents are rounded as the device will round them; and the error heads learn along what the tasks'
networks themselves expect, so that the latents come to hold what one linear layer needs to foresee
the loss. Phase 3 fits the heads anew, to the losses themselves.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional

from dynadeep.train import checkpoint, loop
from dynadeep.train.checkpoint import Checkpoint
from dynadeep.train.data import augment, cinc2017
from dynadeep.train.data.windows import KEPT_PERCENT
from dynadeep.train.errors import TrainError
from dynadeep.train.input_map import InputMap, fit_input_map
from dynadeep.train.loop import LoopConfig
from dynadeep.train.model import SEGMENT_SAMPLES, DynamicDeep, ErrorHeads, Latents
from dynadeep.train.tasks.base import UNINFORMED_LOSS, Task, segment_losses, standardise

INT8_STEPS = 255
HOPELESS = 2 * UNINFORMED_LOSS
"""A loss beyond which a record counts as lost: mislabelled ones would outweigh all others."""
LOWEST_VARIANCE = 1e-3
"""Of a standardised record, for the error to be held against; 7.5 ADC units of deviation."""


@dataclass(frozen=True)
class Weights:
    """What each part of the fine-tuning loss weighs, per level; published are 0.4 and 0.1."""

    reconstruction: float = 0.6
    task: float = 0.4
    excess: float = 6.0
    """Of a record's loss beyond ``bound``, relative to the loss itself."""
    bound: float = 0.72
    """A little under the promised 0.75, so that rounding to int8 does not break the promise."""
    heads: float = 4.0


class WeightedTask(NamedTuple):
    """A task and its share of the task loss."""

    task: Task
    weight: float


class FineTuning(nn.Module):
    """Compressor, decoder and heads before frozen tasks; called, it returns the loss."""

    def __init__(
        self,
        model: DynamicDeep,
        input_map: InputMap,
        tasks: Sequence[WeightedTask],
        weights: Weights,
    ) -> None:
        super().__init__()
        self.model = model
        self.frozen = nn.ModuleList([t.task for t in tasks if isinstance(t.task, nn.Module)])
        self.input_map, self.tasks, self.weights = input_map, tuple(tasks), weights

    def forward(self, adc: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of records, ADC samples float [N, T], with class indices [N]."""
        windows, raw = as_segments(adc), standardise(adc)
        references = [t.task.reference(raw) for t in self.tasks]
        latents = Latents(*(rounded(t) for t in self.model.encode(self.input_map.apply(windows))))
        total = adc.new_zeros(())
        for decoded, predicted in zip(
            self.model.decode(latents), self.model.heads.raw(latents), strict=True
        ):
            records = as_records(self.input_map.decoded_to_adc(decoded, windows), adc.shape[1])
            task, per_segment = self._task_losses(standardise(records), labels, references)
            error = relative_error(standardise(records), raw)
            total = total + self._level_loss(error, task, per_segment.detach(), predicted)
        return total

    def _task_losses(
        self, records: Tensor, labels: Tensor, references: Sequence[Tensor | None]
    ) -> tuple[Tensor, Tensor]:
        """Return the weighted loss of each record [N], and what to expect of segments [N, S]."""
        record, segments = (
            torch.zeros((), device=records.device),
            torch.zeros((), device=records.device),
        )
        for (task, weight), reference in zip(self.tasks, references, strict=True):
            judged = task.judged(records, labels, reference)
            record = record + weight * judged.losses.mean(dim=1)
            segments = segments + weight * segment_losses(
                judged.expected, samples=records.shape[1], segment=SEGMENT_SAMPLES
            )
        return record, segments

    def _level_loss(
        self, error: Tensor, losses: Tensor, segments: Tensor, predicted: Tensor
    ) -> Tensor:
        """Weigh one level: losses [N] of the records, [N, S] what the heads shall foresee."""
        weights = self.weights
        beyond = functional.relu(losses.clamp(max=HOPELESS) - weights.bound)
        task = losses.mean() + weights.excess * beyond.mean()
        targets = segments.clamp(max=HOPELESS).reshape(-1, 1)
        heads = functional.smooth_l1_loss(predicted, targets)
        return weights.reconstruction * error + weights.task * task + weights.heads * heads


def as_segments(adc: Tensor) -> Tensor:
    """Cut records [N, T] into segments [N * S, 2000]; the last one repeats the last sample."""
    missing = -adc.shape[1] % SEGMENT_SAMPLES
    padded = torch.cat([adc, adc[:, -1:].expand(-1, missing)], dim=1)
    return padded.reshape(-1, SEGMENT_SAMPLES)


def as_records(segments: Tensor, samples: int) -> Tensor:
    """Join segments [N * S, 2000] to records [N, samples], without what was padded."""
    count = math.ceil(samples / SEGMENT_SAMPLES)
    return segments.reshape(-1, count * SEGMENT_SAMPLES)[:, :samples]


def relative_error(decoded: Tensor, raw: Tensor) -> Tensor:
    """Return the mean of the records' root mean squared errors over their deviations, [N, T] both.

    That is PRDN as a fraction: every record weighs the same, whatever its gain, and none of the
    quiet ones, whose ratio is largest, drowns the others as it would squared.
    """
    error = (decoded - raw).square().mean(dim=1)
    return (error / raw.var(dim=1).clamp(min=LOWEST_VARIANCE) + 1e-6).sqrt().mean()


def rounded(latent: Tensor) -> Tensor:
    """Round a latent to 256 values over its range in the batch, with the gradient passed on."""
    low, high = latent.detach().aminmax()
    step = ((high - low) / INT8_STEPS).clamp(min=1e-12)
    return latent + ((latent.detach() / step).round() * step - latent.detach())


SHIPPED_LOOP = LoopConfig(epochs=9, peak_rate=8e-4, weight_decay=1e-5)
"""Published are 20 epochs of 32 records at a constant 1e-3."""
SHIPPED_WEIGHTS = Weights()


@dataclass(frozen=True)
class FineTuneConfig:
    """How phase 2 trains; the defaults are the shipped checkpoint's."""

    loop: LoopConfig = SHIPPED_LOOP
    weights: Weights = SHIPPED_WEIGHTS


SHIPPED = FineTuneConfig()


def start_level(heads: ErrorHeads) -> None:
    """Let each head begin with the mean of its latent, expecting the bound.

    The encoder treats all times alike, so that it can shift a latent as a whole and no more; drawn
    weights, whose sum is near zero, would not see it, and the heads would never learn along.
    """
    for head in (heads.head32, heads.head64):
        nn.init.constant_(head.weight, 1 / head.in_features)
        nn.init.constant_(head.bias, SHIPPED_WEIGHTS.bound)


def fine_tune(
    fabric: Fabric,
    start: Checkpoint,
    split: cinc2017.Split,
    tasks: Sequence[WeightedTask],
    *,
    config: FineTuneConfig,
    folder: Path,
) -> Path:
    """Fine-tune a compressor on the training half of CinC-2017; goes on where it was interrupted.

    The input map is fitted to the new data; the weights of ``start`` are changed in place.

    Returns:
        The path of ``checkpoint.safetensors`` in ``folder``.

    Raises:
        TrainError: the checkpoint is of another architecture, or no task is given.
        TrainingFailedError: the loss became infinite or not a number.
    """
    model = start.model
    if not isinstance(model, DynamicDeep) or not tasks:
        raise TrainError(
            f"fine-tuning a {start.config.architecture} for {len(tasks)} tasks: "
            "it takes a dynamic-deep checkpoint and at least one task."
        )
    start_level(model.heads)
    input_map = fit_input_map("affine", cinc2017.cut(split.train), KEPT_PERCENT["cinc2017"])

    def draw(random: np.random.Generator) -> tuple[Tensor, Tensor]:
        length = cinc2017.RECORD_SAMPLES
        varied = [augment.vary_record(r.samples, length, random)[0] for r in split.train]
        return torch.from_numpy(np.stack(varied)), torch.from_numpy(cinc2017.labels(split.train))

    module = FineTuning(model, input_map, tasks, config.weights)
    settings = {
        "weights": asdict(config.weights),
        "tasks": {t.task.name: t.weight for t in tasks},
        "input_map": asdict(input_map),
        "records": len(split.train),
    }
    loop.run(fabric, module, draw, config.loop, folder, settings, "fine-tuning")
    training = replace(
        start.training,
        data=cinc2017.DESCRIPTION,
        split="published",
        seed=config.loop.seed,
        epochs=config.loop.epochs,
        batch=config.loop.batch,
        peak_rate=config.loop.peak_rate,
        random_windows=True,
        train_windows=len(split.train) * cinc2017.SEGMENTS,
        test_windows=len(split.test) * cinc2017.SEGMENTS,
        scores={},
        dataset="cinc2017",
    )
    done = Checkpoint(model, input_map, training, start.config)
    return checkpoint.save(done, folder / "checkpoint")
