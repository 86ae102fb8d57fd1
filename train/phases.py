"""The training phases: reconstruction first, then the error heads on the frozen compressor."""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from dynadeep.train import checkpoint, evaluate, heads, loop, weights
from dynadeep.train.checkpoint import Checkpoint, Model, TrainingRecord
from dynadeep.train.data import augment, mitdb
from dynadeep.train.data.windows import DESCRIPTIONS, KEPT_PERCENT, DatasetName, read_windows
from dynadeep.train.errors import TrainError
from dynadeep.train.input_map import InputMap, MapKind, as_tensor, fit_input_map
from dynadeep.train.levels import NAMED, ModelConfig
from dynadeep.train.loop import LoopConfig
from dynadeep.train.model import DynamicDeep
from dynadeep.train.reconstruction import Precision, Reconstruction, draw_epoch

RUN_FILES = ("checkpoint.safetensors", "checkpoint.json", *loop.RUN_FILES)
"""What a run writes into its folder."""


@dataclass(frozen=True)
class TrainConfig:
    """What a training run is told. ``output`` takes the checkpoint, its log and its state.

    ``random_windows`` draws new windows each epoch from anywhere in the recordings that no test
    window touches (of mitdb; both always does), ``epoch_windows`` of them or as many as there are
    to train on.
    ``data`` defaults to the environment's DYNADEEP_DATA. ``threads`` 0 leaves it to PyTorch.
    ``dataset`` cinc2017 takes the segments of its training half, as Table I's baselines do;
    both adds MIT-BIH's recordings, brought to the same scale.
    ``precision`` is what convolutions are computed in while it trains.
    ``start`` is a checkpoint whose weights phase 1 begins from, in place of drawn ones.
    """

    output: Path
    data: Path | None = None
    dataset: DatasetName = "mitdb"
    split: mitdb.SplitName = "patient"
    input_map: MapKind = "affine"
    architecture: str = "dynamic-deep"
    start: Path | None = None
    epochs: int = 48
    batch: int = 64
    peak_rate: float = 2e-3
    clip_norm: float = 1.0
    weight_decay: float = 0.01
    seed: int = 0
    random_windows: bool = False
    epoch_windows: int | None = None
    precision: Precision = "float32"
    device: str = "cpu"
    devices: int = 1
    threads: int = 0
    resume: bool = False


def train(config: TrainConfig) -> Path:
    """Train a compressor as configured; return the checkpoint's path.

    Writes ``checkpoint.safetensors``/``.json``, ``metrics.jsonl`` and ``state.safetensors``
    into ``config.output``. Raises TrainError if another run's are there and it is not resumed.
    """
    check_output(config)  # before the data is read
    return train_on(windows_of(config), config)


def windows_of(config: TrainConfig) -> mitdb.Split:
    """Read the windows of a run."""
    return read_windows(config.dataset, config.data, split=config.split, seed=config.seed)


def check_output(config: TrainConfig) -> None:
    """Refuse to begin anew where a run's files lie, unless told to go on with it."""
    existing = [name for name in RUN_FILES if (config.output / name).exists()]
    if existing and not config.resume:
        raise TrainError(
            f"{config.output}: holds {existing[0]} of another run, which would be lost. "
            "Give --resume to go on with it, or name another folder with --out."
        )


def train_on(split: mitdb.Split, config: TrainConfig, fabric: Fabric | None = None) -> Path:
    """Train on windows that are already read, fit the heads to PRD, evaluate, and save."""
    _check(config, split)
    check_output(config)
    fabric = fabric or loop.make_fabric(config.device, config.devices)
    if config.threads:
        torch.set_num_threads(config.threads)
    with loop.alone(fabric, config.output):
        return _train_alone(fabric, split, config)


def _train_alone(fabric: Fabric, split: mitdb.Split, config: TrainConfig) -> Path:
    """Train in a folder that no other run uses."""
    config.output.mkdir(parents=True, exist_ok=True)
    model = _first_model(config).to(fabric.device)
    input_map = fit_input_map(config.input_map, split.train, KEPT_PERCENT[config.dataset])
    train_reconstruction(fabric, model, split, input_map, config)
    if isinstance(model, DynamicDeep):
        heads.train_heads(model, split.train, input_map)
    scores = evaluate.score(model, split.test, input_map)
    record = _record(config, split, scores)
    done = Checkpoint(model, input_map, record, _architecture(config))
    if fabric.is_global_zero:
        checkpoint.save(done, config.output / "checkpoint")
    fabric.barrier()
    return config.output / "checkpoint.safetensors"


def train_reconstruction(
    fabric: Fabric, model: Model, split: mitdb.Split, input_map: InputMap, config: TrainConfig
) -> None:
    """Phase 1: minimise the reconstruction error of all levels at once, in place."""

    def draw(random: np.random.Generator) -> tuple[Tensor]:
        return (_epoch_windows(split, config, random),)

    loop_config = LoopConfig(
        epochs=config.epochs,
        batch=config.batch,
        peak_rate=config.peak_rate,
        clip_norm=config.clip_norm,
        weight_decay=config.weight_decay,
        seed=config.seed,
    )
    module = Reconstruction(model, input_map, config.precision)
    settings = settings_of(config)
    loop.run(fabric, module, draw, loop_config, config.output, settings, "reconstruction")


def _epoch_windows(split: mitdb.Split, config: TrainConfig, random: np.random.Generator) -> Tensor:
    """Return the windows of one epoch, float32 [N, 2000]: always the same ones, or newly drawn."""
    count = config.epoch_windows or len(split.train)
    if config.dataset == "both":
        return draw_epoch(split.train_records, count, random)
    if not config.random_windows:
        return as_tensor(split.train)
    stretch = augment.STRETCH if config.split == "patient" else augment.SAME_PATIENTS_STRETCH
    return as_tensor(augment.draw_windows(split.train_records, count, random, stretch=stretch))


def _first_model(config: TrainConfig) -> Model:
    """Return the network that training begins with: newly drawn, or the one to start from."""
    if config.start is None:
        torch.manual_seed(config.seed)
        return checkpoint.build(_architecture(config))
    start = checkpoint.load(config.start)
    if start.config != _architecture(config):
        plain = replace(start.config, heads="linear")
        named = [name for name, network in NAMED.items() if network == plain] or ["another"]
        heads = "" if start.config == plain else " with heads on the trunk, which phase 3 adds"
        raise TrainError(
            f"{config.start}: holds {named[0]!r}{heads}, the run is told to train "
            f"{config.architecture!r}. Name the same architecture for both."
        )
    return start.model


def _architecture(config: TrainConfig) -> ModelConfig:
    """Return the network that a run trains."""
    if config.architecture not in NAMED:
        raise TrainError(f"architecture {config.architecture!r}: choose one of {', '.join(NAMED)}.")
    return NAMED[config.architecture]


def _check(config: TrainConfig, split: mitdb.Split) -> None:
    """Refuse settings that cannot work before any work is done."""
    if config.random_windows and not split.train_records:
        raise TrainError(
            f"random_windows of {config.dataset}: there are no recordings to draw them from. "
            "Leave random_windows out."
        )


def settings_of(config: TrainConfig) -> dict[str, object]:
    """Return the settings that decide every bit of a run."""
    left_out = ("output", "data", "device", "devices", "threads", "resume")
    settings = {key: value for key, value in asdict(config).items() if key not in left_out}
    return {**settings, "start": _start_hash(config)}


def _start_hash(config: TrainConfig) -> str:
    """Return the SHA-256 of the weights that a run begins from; empty for drawn ones."""
    if config.start is None:
        return ""
    return hashlib.sha256(weights.weights_path(config.start).read_bytes()).hexdigest()


def _record(
    config: TrainConfig, split: mitdb.Split, scores: dict[str, dict[str, float]]
) -> TrainingRecord:
    """Describe a finished run."""
    return TrainingRecord(
        data=DESCRIPTIONS[config.dataset],
        dataset="mitdb" if config.dataset == "mitdb" else "cinc2017",
        split=config.split if config.dataset == "mitdb" else "published",
        seed=config.seed,
        epochs=config.epochs,
        batch=config.batch,
        peak_rate=config.peak_rate,
        random_windows=config.random_windows or config.dataset == "both",
        start=_start_hash(config),
        train_windows=config.epoch_windows or len(split.train),
        test_windows=len(split.test),
        scores=scores,
    )
