"""Keep an interrupted run's state in one safetensors file, so that going on changes no bit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from dynadeep.codegen.files import path_whole
from dynadeep.codegen.typed import Reader, shown
from dynadeep.train.errors import CheckpointError

LARGEST_BYTES = 4 << 30
MOST_EPOCHS = 1_000_000


@dataclass(frozen=True)
class State:
    """What a run has reached: its epochs, and tensors named ``model.*`` and ``adam.*`` (CPU)."""

    epochs_done: int
    tensors: dict[str, Tensor]


def write_state(
    path: Path,
    module: nn.Module,
    adam: torch.optim.Optimizer,
    epochs_done: int,
    run: Mapping[str, object],
) -> None:
    """Write what training changes after an epoch; a crash leaves the former file whole."""
    tensors = {f"model.{name}": tensor for name, tensor in _changing(module).items()}
    for name, parameter in module.named_parameters():
        for key, value in adam.state.get(parameter, {}).items():
            tensors[f"adam.{key}.{name}"] = value
    header = {"epochs_done": str(epochs_done), "run": json.dumps(run, sort_keys=True)}
    tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    with path_whole(path) as fresh:
        safetensors.torch.save_file(tensors, fresh, header)


def read_state(path: Path, run: Mapping[str, object]) -> State | None:
    """Read a written state; None if there is none.

    Raises CheckpointError if the file is damaged or belongs to a run with other settings.
    """
    if not path.is_file():
        return None
    reader = Reader(str(path), CheckpointError, "Move it away, or name another output folder.")
    content = reader.content(path, LARGEST_BYTES)
    try:
        tensors = safetensors.torch.load(content)
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])["__metadata__"]
        settings = reader.json(header["run"])
        epochs = int(header["epochs_done"])
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError) as problem:
        reader.refuse(f"not a training state ({problem})")
    if not isinstance(settings, dict) or not 0 <= epochs <= MOST_EPOCHS:
        reader.refuse(f"not a training state (of {shown(settings)}, epoch {epochs})")
    _check_same_run(path, settings, json.loads(json.dumps(run)))
    return State(epochs, tensors)


def restore(state: State, module: nn.Module, adam: torch.optim.Optimizer) -> None:
    """Put a state into the module and the optimiser it was written from, in place.

    Raises CheckpointError if it belongs to another network, with the first tensor that differs.
    """
    saved, expected = _part(state.tensors, "model."), _changing(module)
    for name in (*expected, *saved):
        has = list(saved[name].shape) if name in saved else "none"
        needs = list(expected[name].shape) if name in expected else "none"
        if has != needs:
            raise CheckpointError(
                f"training state: {name} is {has} there, the network trains {needs}. "
                "Choose another output folder."
            )
    module.load_state_dict(saved, strict=False)
    parameters = dict(module.named_parameters())
    for entry, value in _part(state.tensors, "adam.").items():
        key, _, name = entry.partition(".")
        if name not in parameters or value.shape not in {parameters[name].shape, torch.Size([])}:
            raise CheckpointError(
                f"training state: the optimiser's {entry} is {list(value.shape)}, which fits no "
                "parameter. Choose another output folder."
            )
        adam.state[parameters[name]][key] = value.to(parameters[name].device)


def _changing(module: nn.Module) -> dict[str, Tensor]:
    """Return the entries of ``state_dict`` that training can change: all but frozen weights."""
    frozen = {name for name, p in module.named_parameters() if not p.requires_grad}
    return {name: t for name, t in module.state_dict().items() if name not in frozen}


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with a prefix, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _check_same_run(path: Path, saved: dict[str, object], current: dict[str, object]) -> None:
    """Refuse to go on with other settings than the run was begun with."""
    for key in sorted({*saved, *current}):
        if saved.get(key) != current.get(key):
            raise CheckpointError(
                f"{path}: begun with {key} = {saved.get(key)}, now {current.get(key)}. "
                "Go on with the same settings, or choose another output folder."
            )
