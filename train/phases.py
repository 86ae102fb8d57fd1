"""The training phases: reconstruction first, then the error heads on the frozen compressor."""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor

from dynadeep.train import checkpoint, evaluate, heads, losses, resume
from dynadeep.train.checkpoint import Checkpoint, Model, TrainingRecord
from dynadeep.train.data import augment, mitdb
from dynadeep.train.errors import TrainError, TrainingFailedError
from dynadeep.train.input_map import InputMap, MapKind, as_tensor, fit_input_map
from dynadeep.train.model import DynamicDeep, ModelConfig

WARM_UP = 0.25
"""The share of all steps in which the rate rises; it falls to zero over the rest."""


@dataclass(frozen=True)
class TrainConfig:
    """What a training run is told. ``output`` takes the checkpoint, its log and its state.

    ``random_windows`` draws new windows from the whole recordings each epoch (by patient only).
    ``data`` defaults to the environment's DYNADEEP_DATA. ``threads`` 0 leaves it to PyTorch.
    """

    output: Path
    data: Path | None = None
    split: mitdb.SplitName = "patient"
    input_map: MapKind = "affine"
    architecture: str = "dynamic-deep"
    epochs: int = 48
    batch: int = 32
    peak_rate: float = 3e-3
    clip_norm: float = 1.0
    seed: int = 0
    random_windows: bool = False
    device: str = "cpu"
    threads: int = 0
    resume: bool = False


def train(config: TrainConfig) -> Path:
    """Train on MIT-BIH as configured; return the checkpoint's path.

    Writes ``checkpoint.safetensors``/``.json``, ``metrics.jsonl`` and ``state.safetensors``
    into ``config.output``.
    """
    folder = mitdb.find_folder(config.data)
    return train_on(mitdb.read_split(folder, config.split, seed=config.seed), config)


def train_on(split: mitdb.Split, config: TrainConfig) -> Path:
    """Run all phases on windows that are already read, evaluate, and write the checkpoint."""
    _check(config, split)
    if config.threads:
        torch.set_num_threads(config.threads)
    config.output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    model = checkpoint.build(ModelConfig(config.architecture)).to(config.device)
    input_map = fit_input_map(config.input_map, split.train)
    train_reconstruction(model, split, input_map, config)
    if isinstance(model, DynamicDeep):
        heads.train_heads(model, split.train, input_map)
    scores = evaluate.score(model, split.test, input_map)
    record = _record(config, split, scores)
    done = Checkpoint(model, input_map, record, ModelConfig(config.architecture))
    return checkpoint.save(done, config.output / "checkpoint")


def train_reconstruction(
    model: Model, split: mitdb.Split, input_map: InputMap, config: TrainConfig
) -> None:
    """Phase 1: minimise the reconstruction error of all levels at once, in place.

    Every epoch draws from a generator of its own, seeded by (seed, epoch), so a resumed run
    repeats an uninterrupted one to the bit.
    """
    adam = torch.optim.Adam(model.parameters(), lr=config.peak_rate, fused=True)
    state, log = config.output / "state.safetensors", config.output / "metrics.jsonl"
    settings = _settings(config)
    first = resume.read_state(state, model, adam, settings) if config.resume else 0
    if first == 0:
        log.write_text("")
    with Progress() as progress:
        bar = progress.add_task("reconstruction", total=config.epochs, completed=first)
        for epoch in range(first, config.epochs):
            line = _train_epoch(model, adam, split, input_map, config, epoch=epoch)
            resume.write_state(state, model, adam, epoch + 1, settings)
            with log.open("a") as file:
                file.write(json.dumps(line) + "\n")
            progress.console.print(" ".join(f"{k} {v:.6g}" for k, v in line.items()))
            progress.advance(bar)


def one_cycle(step: int, steps: int, peak: float) -> float:
    """Return the learning rate of a step: a cosine from peak/25 to peak, then down to zero."""
    done, low = step / steps, peak / 25
    if done < WARM_UP:
        return low + (peak - low) * (1 - math.cos(math.pi * done / WARM_UP)) / 2
    return peak * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2


def _train_epoch(
    model: Model,
    adam: torch.optim.Adam,
    split: mitdb.Split,
    input_map: InputMap,
    config: TrainConfig,
    *,
    epoch: int,
) -> dict[str, float]:
    """Show the network one epoch of windows; return what is logged of it."""
    model.train()
    random = np.random.default_rng([config.seed, epoch])
    windows = as_tensor(_epoch_windows(split, config, random), config.device)
    steps = math.ceil(len(windows) / config.batch)
    total = torch.zeros((), device=config.device)
    for index, adc in enumerate(_batches(windows, config.batch, random)):
        rate = one_cycle(epoch * steps + index, config.epochs * steps, config.peak_rate)
        for group in adam.param_groups:
            group["lr"] = rate
        adam.zero_grad()
        loss = losses.reconstruction_loss(model.reconstruct(input_map.apply(adc)), adc, input_map)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        adam.step()
        total += loss.detach() * len(adc)
    mean = float(total) / len(windows)
    if not math.isfinite(mean):
        raise TrainingFailedError(
            f"epoch {epoch + 1}: the loss is {mean}. Lower peak_rate ({config.peak_rate})."
        )
    return {"epoch": epoch + 1, "loss": mean, "rate": rate}


def _epoch_windows(
    split: mitdb.Split, config: TrainConfig, random: np.random.Generator
) -> mitdb.Samples:
    """Return the windows of one epoch: always the same ones, or newly drawn."""
    if not config.random_windows:
        return split.train
    per_record = len(split.train) // len(split.train_records)
    return augment.draw_windows(split.train_records, per_record, random)


def _batches(windows: Tensor, size: int, random: np.random.Generator) -> Iterator[Tensor]:
    """Yield all windows once, in random order."""
    order = torch.from_numpy(random.permutation(len(windows))).to(windows.device)
    for start in range(0, len(windows), size):
        yield windows[order[start : start + size]]


def _check(config: TrainConfig, split: mitdb.Split) -> None:
    """Refuse settings that cannot work before any work is done."""
    if config.epochs < 1 or config.batch < 1:
        raise TrainError(f"epochs {config.epochs}, batch {config.batch}: both must be at least 1.")
    if config.random_windows and not split.train_records:
        raise TrainError(
            f"random_windows with split {config.split!r} would show test windows in training. "
            "Use the patient split."
        )
    if config.device.startswith("cuda") and not torch.cuda.is_available():
        raise TrainError(f"device {config.device!r}: PyTorch finds no GPU here. Use 'cpu'.")


def _settings(config: TrainConfig) -> dict[str, object]:
    """Return the settings that decide every bit of a run."""
    left_out = ("output", "data", "device", "threads", "resume")
    return {key: value for key, value in asdict(config).items() if key not in left_out}


def _record(
    config: TrainConfig, split: mitdb.Split, scores: dict[str, dict[str, float]]
) -> TrainingRecord:
    """Describe a finished run."""
    return TrainingRecord(
        data="MIT-BIH Arrhythmia Database 1.0.0, channel 0, 2000 samples at 360 Hz",
        split=config.split,
        seed=config.seed,
        epochs=config.epochs,
        batch=config.batch,
        peak_rate=config.peak_rate,
        random_windows=config.random_windows,
        train_windows=len(split.train),
        test_windows=len(split.test),
        scores=scores,
    )
