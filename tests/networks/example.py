"""What the example networks have in common: how they are kept, fed and found by the commands."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynadeep.train import weights
from dynadeep.train.weights import Written

NAMES = ("cae32", "rhythm", "rpeaks", "keyword", "dense")
TRAINED = Path(__file__).parents[2] / "build" / "networks"
"""Where the commands keep a network's weights and state, in a folder of its name."""
BATCH = 64

Floats = NDArray[np.float32]
Predict = Callable[[Floats], Floats]
"""From inputs [N, ...] to outputs [N, ...] in real values, both in PyTorch's layout."""


class Example(Protocol):
    """What each example's module has."""

    TRAINED_FOR: str
    """How long, on what."""
    TESTED_ON: str
    """What ``score`` runs over."""
    CLIP: float
    """The share of an activation's values that may lie beyond its int8 range."""

    def train(self, data: Path, folder: Path) -> None:
        """Train and write weights into ``folder``; an interrupted run goes on from its state."""

    def network(self) -> nn.Module:
        """Return the trained network as the board runs it, in evaluation mode."""

    def calibration(self, data: Path) -> Floats:
        """Return inputs from the training data, [N, ...]."""

    def score(self, predict: Predict, data: Path, every: int = 1) -> dict[str, float]:
        """Score predictions on the test data, or on one in ``every`` of it."""


def load(name: str) -> Example:
    """Return an example by its name."""
    return cast(Example, importlib.import_module(f"tests.networks.{name}"))


def about(name: str) -> str:
    """Return what an example says of itself in its first line."""
    module = importlib.import_module(f"tests.networks.{name}")
    return (module.__doc__ or "").partition("\n")[0].rstrip(".")


def in_float(net: nn.Module) -> Predict:
    """Return what a network predicts in float arithmetic."""

    def predict(inputs: Floats) -> Floats:
        with torch.no_grad():
            parts = torch.split(torch.from_numpy(np.ascontiguousarray(inputs)), BATCH)
            made: NDArray[np.float32] = torch.cat([net(part) for part in parts]).numpy()
        return made

    return predict


@dataclass(frozen=True)
class Record:
    """What stands in NAME.json."""

    format: int
    training: dict[str, Any]
    weights: Written


def save(name: str, net: nn.Module, folder: Path, training: dict[str, object]) -> None:
    """Write the weights of a network that has no store of its own."""
    weights.write(folder / f"{name}.safetensors", net.state_dict(), {"training": training})


def restore(name: str, net: nn.Module) -> nn.Module:
    """Give a network the weights that were trained for it."""
    path = TRAINED / name / f"{name}.safetensors"
    record = weights.read_record(path, dict.fromkeys(range(1, weights.RECORD_FORMAT + 1), Record))
    tensors: dict[str, Tensor] = weights.read_tensors(path, record.weights)
    net.load_state_dict(tensors)
    return net.eval()
