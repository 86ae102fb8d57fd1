"""Write and read checkpoints: NAME.safetensors (weights) beside NAME.json (record); no pickle."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from dynadeep.train.baseline import CAE
from dynadeep.train.data.mitdb import SplitName
from dynadeep.train.errors import CheckpointError
from dynadeep.train.input_map import InputMap
from dynadeep.train.model import DynamicDeep, ModelConfig

PRETRAINED_FOLDER = Path(__file__).parent / "pretrained"
DEFAULT_CHECKPOINT = PRETRAINED_FOLDER / "mitdb-affine-patient.safetensors"
RECORD_FORMAT = 1

Model = DynamicDeep | CAE
ARCHITECTURES: dict[str, Callable[[], Model]] = {
    "dynamic-deep": DynamicDeep,
    "cae32": partial(CAE, 32),
    "cae64": partial(CAE, 64),
}


@dataclass(frozen=True)
class TrainingRecord:
    """How a checkpoint came about, and what it scores on the test half of its own split.

    ``scores`` holds a mapping per level ("32", "64") of figures in percent.
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


@dataclass(frozen=True)
class Checkpoint:
    """A network with everything that is needed to run it and to tell where it is from."""

    model: Model
    input_map: InputMap
    training: TrainingRecord
    config: ModelConfig = field(default_factory=ModelConfig)


def build(config: ModelConfig) -> Model:
    """Build the untrained network that a configuration names."""
    if config.architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise CheckpointError(f"architecture is {config.architecture!r}: this kit builds {known}.")
    if config != ModelConfig(config.architecture):
        raise CheckpointError(
            f"network of {asdict(config)}: this kit builds {asdict(ModelConfig())}. "
            "Train it again with this version."
        )
    return ARCHITECTURES[config.architecture]()


def save(checkpoint: Checkpoint, path: Path, *, half_decoder: bool = False) -> Path:
    """Write ``path`` (.safetensors) and its record beside it (.json); return ``path``.

    ``half_decoder`` keeps the decoder's weights as float16, half the file; what the device
    runs stays float32.
    """
    path = _weights_path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {
        name: (t.half() if half_decoder and name.startswith("decoder.") else t).cpu().contiguous()
        for name, t in checkpoint.model.state_dict().items()
    }
    content = safetensors.torch.save(weights)
    path.write_bytes(content)
    record = {
        "format": RECORD_FORMAT,
        "architecture": asdict(checkpoint.config),
        "input_map": asdict(checkpoint.input_map),
        "training": asdict(checkpoint.training),
        "weights": {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
    }
    path.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")
    return path


def load(path: Path) -> Checkpoint:
    """Read a checkpoint, in evaluation mode on the CPU, from its .safetensors or .json path.

    Raises CheckpointError if either file is missing, damaged or of another network.
    """
    path = _weights_path(path)
    record = _read_record(path)
    weights = _read_weights(path, record["weights"])
    try:
        config = ModelConfig(**record["architecture"])
        input_map = InputMap(**record["input_map"])
        training = TrainingRecord(**record["training"])
    except TypeError as problem:
        raise CheckpointError(f"{path.with_suffix('.json')}: {problem}.") from problem
    model = build(config)
    _check_shapes(path, weights, model.state_dict())
    _check_finite(path, weights)
    model.load_state_dict(weights)
    return Checkpoint(model.eval(), input_map, training, config)


def _weights_path(path: Path) -> Path:
    """Return the weights file that a path names: itself, its record's, or NAME's."""
    if path.suffix in (".safetensors", ".json"):
        return path.with_suffix(".safetensors")
    if path.is_file():
        raise CheckpointError(f"{path}: not a safetensors file. Name the .safetensors of a run.")
    return path.with_name(path.name + ".safetensors")


def _read_record(path: Path) -> dict[str, Any]:
    """Read the JSON record that belongs to a weights file."""
    beside = path.with_suffix(".json")
    for needed in (path, beside):
        if not needed.is_file():
            raise CheckpointError(
                f"{needed}: not found. A checkpoint is NAME.safetensors and NAME.json together."
            )
    try:
        record = json.loads(beside.read_text())
    except ValueError as problem:
        raise CheckpointError(f"{beside}: not a JSON record ({problem}).") from problem
    needed_keys = {"format", "architecture", "input_map", "training", "weights"}
    if not isinstance(record, dict) or not needed_keys <= record.keys():
        raise CheckpointError(f"{beside}: a checkpoint's record has {sorted(needed_keys)}.")
    if not {"sha256", "bytes"} <= dict(record["weights"]).keys():
        raise CheckpointError(f"{beside}: its weights entry needs sha256 and bytes.")
    if record["format"] != RECORD_FORMAT:
        raise CheckpointError(
            f"{beside}: record format {record['format']}, this kit reads {RECORD_FORMAT}."
        )
    return record


def _read_weights(path: Path, expected: dict[str, Any]) -> dict[str, Tensor]:
    """Read the tensors of a file that is whole and is the one its record describes."""
    content = path.read_bytes()
    if content[8:9] != b"{":
        raise CheckpointError(f"{path}: not a safetensors file. Name the .safetensors of a run.")
    if len(content) < expected["bytes"]:
        raise CheckpointError(
            f"{path}: truncated, {len(content)} of {expected['bytes']} bytes. Copy it again."
        )
    found = hashlib.sha256(content).hexdigest()
    if found != expected["sha256"]:
        raise CheckpointError(
            f"{path}: SHA-256 is {found[:12]}, its record says {expected['sha256'][:12]}. "
            "Weights and record are not of one run, or the file is damaged."
        )
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(content)
    except safetensors.SafetensorError as problem:
        raise CheckpointError(f"{path}: not a safetensors file ({problem}).") from problem
    return tensors


def _check_shapes(path: Path, found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Refuse weights of another network, naming the first tensor that differs."""
    for name in (*wanted, *found):
        has = list(found[name].shape) if name in found else "none"
        needs = list(wanted[name].shape) if name in wanted else "none"
        if has != needs:
            raise CheckpointError(f"{path}: {name} is {has} in the file, the network has {needs}.")


def _check_finite(path: Path, weights: dict[str, Tensor]) -> None:
    """Refuse weights that are not numbers."""
    for name, tensor in weights.items():
        bad = int((~torch.isfinite(tensor.float())).sum())
        if bad:
            raise CheckpointError(
                f"{path}: {name} has {bad} values that are NaN or infinite. Train again from an "
                "earlier epoch, with a lower rate."
            )
