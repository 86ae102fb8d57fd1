"""Phase 2: fine-tune the compressor on CinC-2017 with the frozen tasks behind its decoder.

What is minimised is fidelity, as in phase 1, and beside it what compression adds to each task: how
far the decoded record is from the raw one to the task's network. That needs no label, and teaches
more than one: all step probabilities of the raw record. Each level has weights of its own. The
task belongs to the strong levels; the weak ones need next to none of it, and lose fidelity by it.
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

from dynadeep.train import checkpoint, loop
from dynadeep.train.checkpoint import Checkpoint
from dynadeep.train.data import augment, cinc2017
from dynadeep.train.data.windows import KEPT_PERCENT
from dynadeep.train.errors import TrainError
from dynadeep.train.input_map import InputMap, fit_input_map
from dynadeep.train.layers import as_int8, as_picture
from dynadeep.train.levels import Level
from dynadeep.train.loop import LoopConfig
from dynadeep.train.model import SEGMENT_SAMPLES, DynamicDeep
from dynadeep.train.reconstruction import Precision, computed_in, relative_error
from dynadeep.train.rounding import rounded
from dynadeep.train.tasks.base import UNINFORMED_LOSS, Task, standardise

HOPELESS = 2 * UNINFORMED_LOSS
"""A loss beyond which a record counts as lost: a few such ones would outweigh all others."""


@dataclass(frozen=True)
class Weights:
    """What a record's fidelity and its tasks weigh, the latter at a gain of 64.

    At other gains the task weighs ``(gain / 64) ** power`` of that: a sixth at CG 16 and a
    fifteenth at CG 8.
    """

    fidelity: float = 1.0
    task: float = 1.0
    power: float = 1.3

    def of(self, level: Level) -> float:
        """Return what the tasks weigh at a level."""
        return self.task * float((level.gain / 64) ** self.power)


class WeightedTask(NamedTuple):
    """A task and its share of the task loss."""

    task: Task
    weight: float


class FineTuning(nn.Module):
    """Compressor and decoder before frozen tasks; called, it returns the loss.

    Only what serves levels with a gain of at least ``least_gain`` alone is trained: the others
    need no task, and stay as they are to the bit. ``int8`` has the encoder compute as int8 will.
    """

    def __init__(
        self,
        model: DynamicDeep,
        input_map: InputMap,
        tasks: Sequence[WeightedTask],
        weights: Weights,
        *,
        precision: Precision = "float32",
        least_gain: float = 0.0,
        int8: bool = False,
    ) -> None:
        super().__init__()
        # Not the whole model: its heads take no part in this loss.
        self.encoder, self.decoder = model.encoder, model.decoder
        self.encode = model.encode
        self.tuned = {
            index: level
            for index, level in enumerate(model.config.levels)
            if level.gain >= least_gain
        }
        self.trained = model.parts_of([level.name for level in self.tuned.values()])
        self.frozen = nn.ModuleList([t.task for t in tasks if isinstance(t.task, nn.Module)])
        self.input_map, self.tasks, self.weights = input_map, tuple(tasks), weights
        self.precision: Precision = precision
        self.int8 = int8
        self.requires_grad_(False)
        for part in self.trained:
            part.requires_grad_(True)

    def train(self, mode: bool = True) -> "FineTuning":
        """Bring what is trained into this mode; all else stays as it will be used."""
        super().train(False)
        self.training = mode
        for part in self.trained:
            part.train(mode)
        return self

    def forward(self, adc: Tensor) -> Tensor:
        """Return the loss of records, ADC samples float [N, T]."""
        windows, raw = as_segments(adc), standardise(adc)
        references = [t.task.reference(raw) for t in self.tasks]
        with computed_in(self.precision, adc.device.type):
            mapped = as_picture(self.input_map.apply_int8(windows))
            with as_int8(self.encoder, enabled=self.int8):
                codes = self.encode(mapped)
            decoded = {
                level: self.decoder.decode(rounded(codes[index]), level.name)
                for index, level in self.tuned.items()
            }
        losses = []
        for level, signal in decoded.items():
            segments = self.input_map.decoded_to_adc(signal.float(), windows)
            records = as_records(segments, adc.shape[1])
            fidelity = relative_error([segments], windows)
            task = self._added(standardise(records), references)
            losses.append(self.weights.fidelity * fidelity + self.weights.of(level) * task)
        return torch.stack(losses).mean()

    def _added(self, records: Tensor, references: Sequence[Tensor]) -> Tensor:
        """Return the weighted mean of what the tasks lose, each record at most ``HOPELESS``."""
        total = records.new_zeros(())
        for (task, weight), reference in zip(self.tasks, references, strict=True):
            with computed_in(self.precision, records.device.type):
                added = task.added(records, reference).mean(dim=1)
            total = total + weight * added.clamp(max=HOPELESS).mean()
        return total


def as_segments(adc: Tensor) -> Tensor:
    """Cut records [N, T] into segments [N * S, 2000]; the last one repeats the last sample."""
    missing = -adc.shape[1] % SEGMENT_SAMPLES
    padded = torch.cat([adc, adc[:, -1:].expand(-1, missing)], dim=1)
    return padded.reshape(-1, SEGMENT_SAMPLES)


def as_records(segments: Tensor, samples: int) -> Tensor:
    """Join segments [N * S, 2000] to records [N, samples], without what was padded."""
    count = math.ceil(samples / SEGMENT_SAMPLES)
    return segments.reshape(-1, count * SEGMENT_SAMPLES)[:, :samples]


SHIPPED_LOOP = LoopConfig(epochs=24, batch=12, peak_rate=5e-4, weight_decay=0.01)
SHIPPED_WEIGHTS = Weights()


@dataclass(frozen=True)
class FineTuneConfig:
    """How phase 2 trains; the defaults are the shipped checkpoint's.

    ``epoch_records`` are drawn anew for each epoch; None is all of them. Levels with less than
    ``least_gain`` stay as phase 1 left them. ``int8`` trains through the encoder's rounding.
    """

    loop: LoopConfig = SHIPPED_LOOP
    weights: Weights = SHIPPED_WEIGHTS
    epoch_records: int | None = None
    precision: Precision = "float32"
    least_gain: float = 15.0
    int8: bool = True


SHIPPED = FineTuneConfig()


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
    input_map = fit_input_map("affine", cinc2017.cut(split.train), KEPT_PERCENT["cinc2017"])

    def draw(random: np.random.Generator) -> tuple[Tensor]:
        length = cinc2017.RECORD_SAMPLES
        order = random.permutation(len(split.train))[: config.epoch_records]
        varied = [augment.vary_record(split.train[i].samples, length, random)[0] for i in order]
        return (torch.from_numpy(np.stack(varied)),)

    if max(level.gain for level in model.config.levels) < config.least_gain:
        raise TrainError(
            f"fine-tuning levels {', '.join(model.levels)}: none has a gain of "
            f"{config.least_gain:g}, from which on levels are tuned. Lower least_gain."
        )
    module = FineTuning(
        model,
        input_map,
        tasks,
        config.weights,
        precision=config.precision,
        least_gain=config.least_gain,
        int8=config.int8,
    )
    settings = {
        "weights": asdict(config.weights),
        "tasks": {t.task.name: t.weight for t in tasks},
        "input_map": asdict(input_map),
        "records": len(split.train),
        "epoch_records": config.epoch_records,
        "precision": config.precision,
        "least_gain": config.least_gain,
        "int8": config.int8,
    }
    loop.run(fabric, module, draw, config.loop, folder, settings, "fine-tuning")
    model.requires_grad_(True)
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
