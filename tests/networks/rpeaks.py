"""The R-peak U-Net as it is shipped: up-sampling and concatenations on the way back up.

Input is half a minute of ECG at 75 Hz with its level and its spread taken away, output the distance
to the nearest R peak in seconds. 137,313 parameters fit as they are.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dynadeep.train import loop
from dynadeep.train.data import mitdb
from dynadeep.train.tasks import store
from dynadeep.train.tasks.rpeaks import RPeaksNet
from dynadeep.train.tasks.train_rpeaks import (
    RPeaksTraining,
    draw_windows,
    evaluate,
    read_recording,
    train_rpeaks,
)
from tests.networks.example import TRAINED, Floats, Predict

TRAINED_FOR = "as shipped: 30 epochs of 60 windows a record (MIT-BIH)"
TESTED_ON = "DS2's beats"
CLIP = 0.003
"""Its rarest activations are 60 times the spread: ranges that hold them cost two records of DS2 a
tenth of their F1."""
CALIBRATION_WINDOWS = 4
"""Of each training record."""
CLIPPED_AT = 8.0
"""Spreads: a levelled beat is about five high."""


class Deployed(nn.Module):
    """The network behind the levelling: [N, 1, 1, T] to [N, 1, 1, T]."""

    def __init__(self, net: RPeaksNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Return the curve."""
        return self.net.curve(x)


class Predicted(RPeaksNet):
    """The network with its convolutions computed elsewhere."""

    def __init__(self, net: RPeaksNet, predict: Predict) -> None:
        super().__init__(net.config)
        self.predict = predict

    def curve(self, levelled: Tensor) -> Tensor:
        """Return the curve, as predicted."""
        return torch.from_numpy(self.predict(_clipped(levelled)))


def train(data: Path, folder: Path) -> None:
    """Train on MIT-BIH's DS1, as the shipped network was."""
    train_rpeaks(loop.make_fabric(), RPeaksTraining(), data, folder)


def network() -> nn.Module:
    """Return the trained network: the shipped one, unless there is another."""
    return Deployed(_trained()).eval()


def calibration(data: Path) -> Floats:
    """Return levelled training windows, [N, 1, 1, 2240]."""
    net, folder = _trained(), mitdb.find_folder(data)
    recordings = [read_recording(folder, name) for name in mitdb.DS1]
    random = np.random.default_rng(0)
    windows = draw_windows(recordings, CALIBRATION_WINDOWS, net.config.decimation, random)[0]
    with torch.no_grad():
        return _clipped(net.levelled(windows))


def score(predict: Predict, data: Path, every: int = 1) -> dict[str, float]:
    """Return sensitivity, PPV and F1 of all beats of DS2, within 75 ms."""
    names = mitdb.DS2[::every]
    found = evaluate(Predicted(_trained(), predict), mitdb.find_folder(data), names)
    return {name: float(found[name]) for name in ("f1", "sensitivity", "ppv")}


def _trained() -> RPeaksNet:
    own = TRAINED / "rpeaks" / "rpeaks.safetensors"
    net = store.load(own if own.is_file() else store.TASKS_FOLDER / own.name, "rpeaks").net
    assert isinstance(net, RPeaksNet)
    return net


def _clipped(levelled: Tensor) -> Floats:
    clipped: Floats = levelled.clamp(-CLIPPED_AT, CLIPPED_AT).numpy()
    return clipped
