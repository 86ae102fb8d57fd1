"""The arrhythmia classifier, narrowed until it fits 256 KB of flash and 64 KB of RAM.

It has the shipped network's layers at width 4 in place of 16: a sixteenth of the weights. Input is
a record of 30 seconds at 300 Hz, standardised; output the logits of four classes every 256 samples.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dynadeep.train import loop
from dynadeep.train.data import cinc2017
from dynadeep.train.data.wfdb_files import Samples
from dynadeep.train.evaluation.bootstrap import weighted_f1
from dynadeep.train.loop import LoopConfig
from dynadeep.train.measure import as_input
from dynadeep.train.tasks import store
from dynadeep.train.tasks.rhythm import RhythmConfig, RhythmNet
from dynadeep.train.tasks.train_rhythm import RhythmTraining, train_rhythm
from tests.networks.example import TRAINED, Floats, Predict

TRAINING = RhythmTraining(
    RhythmConfig(width=4, decimation=4, dropout=0.05),
    LoopConfig(epochs=40, peak_rate=3e-3, weight_decay=0.02),
)
"""So few weights need little dropout."""
TRAINED_FOR = "40 epochs of 6776 records (CinC 2017)"
TESTED_ON = "the 602 records"
CLIP = 0.0
CLIPPED_AT = 8.0
"""Standard deviations: electrode contact is lost beyond, and int8 would be coarse for its sake."""
CALIBRATION_RECORDS = 200


class Deployed(nn.Module):
    """The network over [N, 1, 1, T], its dense layer a convolution: logits [N, 4, 1, T / 256]."""

    def __init__(self, net: RhythmNet) -> None:
        super().__init__()
        self.net = net
        self.dense = nn.Conv2d(net.dense.in_features, net.dense.out_features, 1)
        self.dense.weight.data = net.dense.weight.data[:, :, None, None]
        self.dense.bias = net.dense.bias

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.dense(self.net.features(x))
        return logits


def train(data: Path, folder: Path) -> None:
    """Train on the training side of CinC 2017."""
    split = cinc2017.read_split(cinc2017.find_folder(data))
    train_rhythm(loop.make_fabric(), split, TRAINING, folder)


def network() -> nn.Module:
    """Return the trained network."""
    net = store.load(TRAINED / "rhythm" / "rhythm.safetensors", "rhythm").net
    assert isinstance(net, RhythmNet)
    return Deployed(net).eval()


def calibration(data: Path) -> Floats:
    """Return training records, [N, 1, 1, 8960]."""
    records = cinc2017.read_split(cinc2017.find_folder(data)).train
    return _inputs(cinc2017.cut(records[:: len(records) // CALIBRATION_RECORDS]))


def score(predict: Predict, data: Path, every: int = 1) -> dict[str, float]:
    """Return the weighted F1 and the accuracy on the 602 test records, one decision a record."""
    records = cinc2017.read_split(cinc2017.find_folder(data)).test[::every]
    logits = torch.from_numpy(predict(_inputs(cinc2017.cut(records))))
    chosen = logits.softmax(dim=1).mean(dim=(2, 3)).argmax(dim=1).numpy()
    labels = cinc2017.labels(records)
    return {
        "f1": float(weighted_f1(np.ones((1, len(labels))), labels, chosen)[0]),
        "accuracy": float((chosen == labels).mean()),
    }


def _inputs(adc: Samples) -> Floats:
    """Return the network's inputs [N, 1, 1, T] for ADC samples [N, T]."""
    clipped: Floats = as_input(adc).clamp(-CLIPPED_AT, CLIPPED_AT)[:, None, None].numpy()
    return clipped
