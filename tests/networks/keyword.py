"""A keyword spotter's shape, depthwise-separable over time x features; its word is a heartbeat.

Input are 49 frames of 10 spectral bands around a beat, output the probabilities that it is normal,
supraventricular or ventricular. It is trained on MIT-BIH's DS1 and scored on the patients of DS2.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from dynadeep.train import loop
from dynadeep.train.data import mitdb
from dynadeep.train.loop import LoopConfig
from tests.networks import beats
from tests.networks.beats import Beats
from tests.networks.example import Floats, Predict, restore, save

FRAMES, BANDS, FRAME, HOP = 49, 10, 64, 14
SPAN = HOP * (FRAMES - 1) + FRAME
"""736 samples, two seconds."""
FILTERS, BLOCKS = 64, 4
QUIET = 10.0
"""ADC units that the recorder's own noise has in a band: quieter ones are not told apart."""
DRAWN = (6500, 700, 1800)
"""Beats of each kind in an epoch; normal ones are nine in ten of the recordings."""
TRAINED_FOR = "10 epochs of 9000 beats (MIT-BIH)"
TESTED_ON = "DS2's beats"
CLIP = 0.0
LOOP = LoopConfig(epochs=10, batch=64, peak_rate=3e-3, weight_decay=0.05)
DROPOUT = 0.3
EARLIER = 14
"""Samples by which a beat in training may lie beside the middle of its window."""
NOISE = 4.0
"""ADC units of white noise in training, on average."""


class KeywordNet(nn.Module):
    """Classify features [N, 10, 49]: probabilities [N, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _normalised(nn.Conv1d(BANDS, FILTERS, 10, stride=2, padding=4, bias=False))
        self.blocks = nn.Sequential(*(_separable() for _ in range(BLOCKS)))
        self.drop = nn.Dropout(DROPOUT)
        self.dense = nn.Linear(FILTERS, len(beats.SYMBOLS))

    def forward(self, x: Tensor) -> Tensor:
        """Return the probabilities."""
        return self.logits(x).softmax(dim=-1)

    def logits(self, x: Tensor) -> Tensor:
        """Return their logarithms, but for a sum."""
        scores: Tensor = self.dense(self.drop(self.blocks(self.stem(x)).mean(dim=-1)))
        return scores


class Classification(nn.Module):
    """The network with its loss."""

    def __init__(self, net: KeywordNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, kinds: Tensor) -> Tensor:
        """Return the mean cross entropy of features [N, 10, 49] against kinds [N]."""
        return functional.cross_entropy(self.net.logits(x), kinds)


def features(windows: Floats) -> Floats:
    """Return how loud ten bands of 5.6 Hz are, [N, 10, 49], in windows [N, 736].

    They are logarithms over the mean of the window's: a recording's gain does not matter.
    """
    at = HOP * np.arange(FRAMES)[:, None] + np.arange(FRAME)
    centred = windows - windows.mean(axis=1, keepdims=True)
    frames = centred[:, at] * np.hanning(FRAME).astype(np.float32)
    bands = np.abs(np.fft.rfft(frames, axis=-1)[..., :BANDS])
    loudness = np.log(bands + FRAME / 4 * QUIET).astype(np.float32)
    relative = loudness - loudness.mean(axis=(1, 2), keepdims=True)
    return np.ascontiguousarray(relative.transpose(0, 2, 1))


def train(data: Path, folder: Path) -> None:
    """Train on DS1."""
    read = beats.read(mitdb.find_folder(data), mitdb.DS1, SPAN + 2 * EARLIER)
    torch.manual_seed(LOOP.seed)
    net = KeywordNet()

    def draw(random: np.random.Generator) -> tuple[Tensor, Tensor]:
        return _draw(read, random)

    settings: dict[str, object] = {"beats": len(read.kinds)}
    fabric = loop.make_fabric()
    loop.run(fabric, Classification(net), draw, LOOP, folder, settings, "keyword")
    save("keyword", net.eval(), folder, asdict(LOOP))


def network() -> nn.Module:
    """Return the trained network."""
    return restore("keyword", KeywordNet())


def calibration(data: Path) -> Floats:
    """Return features of training beats, [N, 10, 49]."""
    read = beats.read(mitdb.find_folder(data), mitdb.DS1, SPAN)
    return features(read.windows[:: len(read.windows) // 300])


def score(predict: Predict, data: Path, every: int = 1) -> dict[str, float]:
    """Score probabilities [N, 3] for features [N, 10, 49] on the beats of DS2."""
    read = beats.read(mitdb.find_folder(data), mitdb.DS2, SPAN)
    read = Beats(read.windows[::every], read.kinds[::every])
    chosen = predict(features(read.windows)).argmax(axis=1)
    return {
        "accuracy": float((chosen == read.kinds).mean()),
        "f1_ventricular": _f1(chosen == beats.VENTRICULAR, read.kinds == beats.VENTRICULAR),
        "f1_supraventricular": _f1(
            chosen == beats.SUPRAVENTRICULAR, read.kinds == beats.SUPRAVENTRICULAR
        ),
    }


def _f1(found: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    return float(2 * (found & wanted).sum() / max(int(found.sum() + wanted.sum()), 1))


def _draw(read: Beats, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Draw an epoch's beats, each a little earlier or later, and noisier."""
    rows = np.concatenate(
        [random.choice(np.flatnonzero(read.kinds == k), count) for k, count in enumerate(DRAWN)]
    )
    first = random.integers(0, 2 * EARLIER + 1, len(rows))
    windows = read.windows[rows[:, None], first[:, None] + np.arange(SPAN)]
    loudness = NOISE * random.exponential(size=(len(rows), 1))
    noisy = windows + (loudness * random.normal(size=windows.shape)).astype(np.float32)
    return torch.from_numpy(features(noisy)), torch.from_numpy(read.kinds[rows])


def _separable() -> nn.Sequential:
    """Make a depthwise convolution of three taps and a pointwise one."""
    depthwise = nn.Conv1d(FILTERS, FILTERS, 3, padding=1, groups=FILTERS, bias=False)
    pointwise = nn.Conv1d(FILTERS, FILTERS, 1, bias=False)
    return nn.Sequential(_normalised(depthwise), _normalised(pointwise))


def _normalised(convolution: nn.Conv1d) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm1d(convolution.out_channels), nn.ReLU())
