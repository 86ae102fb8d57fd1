"""Keep an interrupted run's state in one safetensors file, so that going on changes no bit."""

import json
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from dynadeep.train.checkpoint import Model
from dynadeep.train.errors import CheckpointError

ADAM_STATE = ("step", "exp_avg", "exp_avg_sq")


def write_state(
    path: Path, model: Model, adam: torch.optim.Adam, epochs_done: int, run: dict[str, object]
) -> None:
    """Write weights and optimiser state after an epoch; a crash leaves the former file whole."""
    tensors = {f"model.{name}": t for name, t in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for key, value in adam.state.get(parameter, {}).items():
            tensors[f"adam.{key}.{name}"] = value
    header = {"epochs_done": str(epochs_done), "run": json.dumps(run, sort_keys=True)}
    tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    fresh = path.with_suffix(".tmp")
    safetensors.torch.save_file(tensors, fresh, header)
    fresh.replace(path)


def read_state(path: Path, model: Model, adam: torch.optim.Adam, run: dict[str, object]) -> int:
    """Put a written state back and return how many epochs it has done; 0 if there is none.

    Raises CheckpointError if the file is damaged or belongs to a run with other settings.
    """
    if not path.is_file():
        return 0
    try:
        with safetensors.safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except safetensors.SafetensorError as problem:
        raise CheckpointError(f"{path}: not a training state ({problem}). Delete it.") from problem
    _check_same_run(path, json.loads(header.get("run", "{}")), run)
    model.load_state_dict(_part(tensors, "model."))
    for name, parameter in model.named_parameters():
        state = {key: tensors.get(f"adam.{key}.{name}") for key in ADAM_STATE}
        adam.state[parameter] = {
            key: value.to(parameter.device) for key, value in state.items() if value is not None
        }
    return int(header["epochs_done"])


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with a prefix, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _check_same_run(path: Path, found: dict[str, object], wanted: dict[str, object]) -> None:
    """Refuse to go on with other settings than the run was begun with."""
    for key in sorted({*found, *wanted}):
        if found.get(key) != wanted.get(key):
            raise CheckpointError(
                f"{path}: begun with {key} = {found.get(key)}, now {wanted.get(key)}. "
                "Go on with the same settings, or choose another output folder."
            )
