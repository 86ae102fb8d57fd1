"""A dense auto-encoder of the shape that listens for failing machines: 640-128x4-8-128x4-640.

Input are 640 samples of ECG around a beat. It is trained on the normal beats of MIT-BIH's DS1, and
how far a beat of DS2 is from what it makes of it tells the abnormal ones from the normal ones.
"""

from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor, nn
from torch.nn import functional

from dynadeep.train import loop
from dynadeep.train.data import mitdb
from dynadeep.train.loop import LoopConfig
from tests.networks import beats
from tests.networks.beats import Beats
from tests.networks.example import Floats, Predict, restore, save

SPAN, WIDE, CODES = 640, 128, 8
SIZES = (SPAN, *[WIDE] * 4, CODES, *[WIDE] * 4, SPAN)
DRAWN = 12_000
TRAINED_FOR = "24 epochs of 12,000 beats (MIT-BIH)"
TESTED_ON = "DS2's beats"
CLIP = 0.0
LOOP = LoopConfig(epochs=24, batch=64, peak_rate=3e-3)


class DenseNet(nn.Sequential):
    """Reconstruct standardised windows [N, 640]."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for wide, narrow in pairwise(SIZES[:-1]):
            layers += [nn.Linear(wide, narrow), nn.BatchNorm1d(narrow), nn.ReLU()]
        super().__init__(*layers, nn.Linear(WIDE, SPAN))


class Reconstruction(nn.Module):
    """The network with its loss."""

    def __init__(self, net: DenseNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean squared error of windows [N, 640]."""
        return functional.mse_loss(self.net(x), x)


def train(data: Path, folder: Path) -> None:
    """Train on DS1."""
    normal = _normal(data)
    torch.manual_seed(LOOP.seed)
    net = DenseNet()

    def draw(random: np.random.Generator) -> tuple[Tensor]:
        rows = random.choice(len(normal), min(DRAWN, len(normal)), replace=False)
        return (torch.from_numpy(normal[rows]),)

    settings: dict[str, object] = {"beats": len(normal)}
    loop.run(loop.make_fabric(), Reconstruction(net), draw, LOOP, folder, settings, "dense")
    save("dense", net.eval(), folder, asdict(LOOP))


def network() -> nn.Module:
    """Return the trained network."""
    return restore("dense", DenseNet())


def calibration(data: Path) -> Floats:
    """Return training windows, [N, 640]."""
    normal = _normal(data)
    return normal[:: len(normal) // 300]


def score(predict: Predict, data: Path, every: int = 1) -> dict[str, float]:
    """Score reconstructions [N, 640] of windows [N, 640] around the beats of DS2."""
    read = beats.read(mitdb.find_folder(data), mitdb.DS2, SPAN)
    read = Beats(beats.standardised(read.windows[::every]), read.kinds[::every])
    made = predict(read.windows)
    errors = np.sqrt(np.square(made - read.windows).mean(axis=1))
    normal = read.kinds == beats.NORMAL
    return {
        "prdn_percent": float(100 * errors[normal].mean()),
        "auc_ventricular": _auc(errors[normal], errors[read.kinds == beats.VENTRICULAR]),
    }


def _normal(data: Path) -> Floats:
    read = beats.read(mitdb.find_folder(data), mitdb.DS1, SPAN)
    return beats.standardised(read.windows[read.kinds == beats.NORMAL])


def _auc(normal: NDArray[np.float32], abnormal: NDArray[np.float32]) -> float:
    """Return how often an abnormal error is above a normal one."""
    ranks = rankdata(np.concatenate([normal, abnormal]))[len(normal) :]
    below = ranks.sum() - len(abnormal) * (len(abnormal) + 1) / 2
    return float(below / (len(normal) * len(abnormal)))
