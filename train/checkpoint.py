"""Write and read checkpoints: NAME.safetensors (weights) beside NAME.json (record); no pickle."""

import itertools
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Literal

from dynadeep.codegen.typed import Reader, shown
from dynadeep.train import levels, weights
from dynadeep.train.baseline import CAE
from dynadeep.train.data.mitdb import SplitName
from dynadeep.train.data.windows import DatasetName
from dynadeep.train.errors import CheckpointError
from dynadeep.train.input_map import InputMap
from dynadeep.train.levels import ModelConfig
from dynadeep.train.model import DynamicDeep

PRETRAINED_FOLDER = Path(__file__).parent / "pretrained"
DEFAULT_CHECKPOINT = PRETRAINED_FOLDER / "cinc2017-rhythm.safetensors"

Model = DynamicDeep | CAE

PromiseKind = Literal["loss", "added"]
"""``loss``: the task's own, as published. ``added``: what compression adds to it, without a label,
so that a promise does not answer for the errors that the task makes on the raw record."""


@dataclass(frozen=True)
class TrainingRecord:
    """How a checkpoint came about, and what it scores on the test half of its own split.

    ``scores`` holds a mapping per level ("32", "64") of figures in percent, ``start`` the SHA-256
    of the weights that training went on from, if any.
    """

    data: str
    split: SplitName
    seed: int
    epochs: int
    batch: int
    peak_rate: float
    random_windows: bool
    train_windows: int
    test_windows: int
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    start: str = ""
    dataset: DatasetName = "mitdb"


@dataclass(frozen=True)
class Promise:
    """What a compressor's heads foresee, and what the device promises by them.

    ``tasks`` maps each task to its weight in the loss; ``margins`` are added per level ("32",
    "64") to a segment's predicted loss, ``record_margins`` to the mean of a record's segments: one
    for each of ``bounds``, which ascend. Between two of those a margin is linear, beyond them it is
    that of the nearest. The share of segments, or of records, that are compressed and lose more
    than the bound stays within ``violation_rate`` at any bound from the first to the last of them;
    ``bound`` is where the device starts. ``kind`` says which loss: the tasks' own, or what
    compression adds to it. ``foresight`` is each level's correlation of predicted with true on the
    hold-out.
    """

    tasks: dict[str, float]
    unit: str
    bound: float
    violation_rate: float
    bounds: tuple[float, ...]
    margins: dict[str, tuple[float, ...]]
    record_margins: dict[str, tuple[float, ...]]
    kind: PromiseKind = "loss"
    foresight: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PromiseAtOneBound:
    """What formats before the third hold: margins that were fitted to ``bound`` alone."""

    tasks: dict[str, float]
    unit: str
    bound: float
    violation_rate: float
    margins: dict[str, float]
    record_margins: dict[str, float]
    kind: PromiseKind = "loss"
    foresight: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """A network with everything that is needed to run it and to tell where it is from.

    Without a ``promise`` its heads foresee the reconstruction error, PRD in percent.
    """

    model: Model
    input_map: InputMap
    training: TrainingRecord
    config: ModelConfig = field(default_factory=ModelConfig)
    promise: Promise | None = None


@dataclass(frozen=True)
class Record:
    """What stands in NAME.json."""

    format: int
    architecture: ModelConfig
    input_map: InputMap
    training: TrainingRecord
    weights: weights.Written
    promise: Promise | None = None


@dataclass(frozen=True)
class RecordOfFormat2:
    """The same before margins were tables."""

    format: int
    architecture: ModelConfig
    input_map: InputMap
    training: TrainingRecord
    weights: weights.Written
    promise: PromiseAtOneBound | None = None


@dataclass(frozen=True)
class RecordOfFormat1:
    """The same before levels were data."""

    format: int
    architecture: levels.ConfigOfFormat1
    input_map: InputMap
    training: TrainingRecord
    weights: weights.Written
    promise: PromiseAtOneBound | None = None


def build(config: ModelConfig) -> Model:
    """Build the untrained network that a configuration describes.

    Raises CheckpointError for an architecture or a segment length that this kit does not build.
    """
    if config.segment_samples != levels.SEGMENT_SAMPLES:
        raise CheckpointError(
            f"network of segments of {config.segment_samples} samples: this kit builds those of "
            f"{levels.SEGMENT_SAMPLES}. Train it again with this version."
        )
    if config.architecture == "dynamic-deep":
        return DynamicDeep(config)
    if config.architecture in ("cae32", "cae64"):
        return CAE(int(config.architecture.removeprefix("cae")))
    known = "dynamic-deep, cae32, cae64"
    raise CheckpointError(f"architecture is {config.architecture!r}: this kit builds {known}.")


def save(checkpoint: Checkpoint, path: Path, *, half_decoder: bool = False) -> Path:
    """Write ``path`` (.safetensors) and its record beside it (.json); return ``path``.

    ``half_decoder`` keeps the decoder's weights as float16, half the file; what the device
    runs stays float32.
    """
    tensors = {
        name: t.half() if half_decoder and name.startswith("decoder.") else t
        for name, t in checkpoint.model.state_dict().items()
    }
    record = {
        "architecture": asdict(checkpoint.config),
        "input_map": asdict(checkpoint.input_map),
        "training": asdict(checkpoint.training),
    }
    if checkpoint.promise is not None:
        record["promise"] = asdict(checkpoint.promise)
    return weights.write(path, tensors, record)


def save_promise(path: Path, promise: Promise, out: Path) -> Path:
    """Write checkpoint ``path`` to ``out`` (.safetensors) with another promise, else the same."""
    path = weights.weights_path(path)
    record = read_record(path)
    content = weights.read_content(path, record.weights)
    return weights.put(
        weights.weights_path(out), content, as_plain(replace(record, promise=promise))
    )


def load(path: Path) -> Checkpoint:
    """Read a checkpoint, in evaluation mode on the CPU, from its .safetensors or .json path.

    Raises CheckpointError if either file is missing, damaged or of another network.
    """
    path = weights.weights_path(path)
    record = read_record(path)
    tensors = weights.read_tensors(path, record.weights)
    model = build(record.architecture)
    weights.check_tensors(path, tensors, model.state_dict())
    model.load_state_dict(tensors)
    return Checkpoint(
        model.eval(), record.input_map, record.training, record.architecture, record.promise
    )


def read_record(path: Path) -> Record:
    """Read a checkpoint's record alone, from its .safetensors or .json path.

    Raises CheckpointError if either file is missing, or the record is damaged.
    """
    path = weights.weights_path(path)
    kinds: dict[int, type[RecordOfFormat1 | RecordOfFormat2 | Record]] = {
        1: RecordOfFormat1,
        2: RecordOfFormat2,
        weights.RECORD_FORMAT: Record,
    }
    read = weights.read_record(path, kinds)
    record = read if isinstance(read, Record) else _of_earlier_format(read)
    if record.promise is not None:
        _check_promise(record, record.promise, weights.record_reader(path))
    return record


def _of_earlier_format(record: RecordOfFormat1 | RecordOfFormat2) -> Record:
    """Return a record of an earlier format as it would be written now."""
    config = record.architecture
    if isinstance(config, levels.ConfigOfFormat1):
        config = levels.of_format_1(config)
    return Record(
        weights.RECORD_FORMAT,
        config,
        record.input_map,
        record.training,
        record.weights,
        None if record.promise is None else _as_table(record.promise),
    )


def _as_table(promise: PromiseAtOneBound) -> Promise:
    """Return margins that were the same at every bound as a table of one."""
    parts = {f.name: getattr(promise, f.name) for f in fields(promise)}
    for name in ("margins", "record_margins"):
        parts[name] = {level: (margin,) for level, margin in parts[name].items()}
    return Promise(**parts, bounds=(promise.bound,))


def _check_promise(record: Record, promise: Promise, reader: Reader) -> None:
    """Refuse margins that are missing or cannot be held against a bound."""
    names, bounds = record.architecture.level_names, promise.bounds
    ascend = all(low < high for low, high in itertools.pairwise(bounds))
    if not bounds or bounds[0] < 0 or not ascend:
        value = shown(list(bounds))
        reader.refuse(f'key "promise.bounds" is {value}, expected it to ascend from 0 or more')
    for name in ("margins", "record_margins"):
        table = getattr(promise, name)
        for level, margins in table.items():
            if len(margins) != len(bounds):
                key = f"promise.{name}.{level}"
                reader.refuse(f'key "{key}" has {len(margins)} values, expected {len(bounds)}')
        if set(table) != set(names):
            expected = ", ".join(names)
            reader.refuse(f'key "promise.{name}" has {shown(sorted(table))}, expected {expected}')


def as_plain(record: Record) -> dict[str, object]:
    """Return a record as JSON gives it back: lists for tuples, no promise that was not made."""
    plain = asdict(record)
    if record.promise is None:
        del plain["promise"]
    weights_entry = plain.pop("weights")
    return {name: _listed(value) for name, value in {**plain, "weights": weights_entry}.items()}


def _listed(value: object) -> object:
    """Return a value with lists for tuples, at any depth."""
    if isinstance(value, dict):
        return {name: _listed(entry) for name, entry in value.items()}
    return [_listed(entry) for entry in value] if isinstance(value, list | tuple) else value
