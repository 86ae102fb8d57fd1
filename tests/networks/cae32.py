"""The encoder of the auto-encoder that the publication compares with: max pooling between SiLUs.

Input are 2000 samples of ECG, output 62 codes. Its decoder stays on the host, in float.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from dynadeep.train import checkpoint, metrics, phases
from dynadeep.train.baseline import CAE
from dynadeep.train.checkpoint import Checkpoint
from dynadeep.train.data import cinc2017
from dynadeep.train.data.wfdb_files import Samples
from dynadeep.train.input_map import as_tensor
from dynadeep.train.phases import TrainConfig
from tests.networks.example import BATCH, TRAINED, Floats, Predict

TRAINING = TrainConfig(
    Path(), dataset="cinc2017", split="published", architecture="cae32", epochs=2, resume=True
)
TRAINED_FOR = "2 epochs of 22,515 segments (CinC 2017)"
TESTED_ON = "a tenth of the 602 records"
CLIP = 0.0
CALIBRATION_RECORDS = 40
SCORED = 10
"""One in so many test records: reference kernels take a second for three segments."""


def train(data: Path, folder: Path) -> None:
    """Train on the segments of CinC 2017's training side."""
    phases.train(replace(TRAINING, data=data, output=folder))


def network() -> nn.Module:
    """Return the trained encoder."""
    return _model(_trained()).encoder.eval()


def calibration(data: Path) -> Floats:
    """Return segments of training records, [N, 1, 2000]."""
    records = cinc2017.read_split(cinc2017.find_folder(data)).train
    return _mapped(_segments(records[:: len(records) // CALIBRATION_RECORDS]))


def score(predict: Predict, data: Path, every: int = 1) -> dict[str, float]:
    """Return the mean PRD and PRDN of segments of the test records, decoded in float."""
    adc = _segments(cinc2017.read_split(cinc2017.find_folder(data)).test[:: SCORED * every])
    window = adc.astype(np.float64)
    original, decoded = metrics.unit_scale(window, window), _decoded(predict(_mapped(adc)), adc)
    known = adc.std(axis=1) > 0
    return {
        "prd_percent": float(metrics.prd(original, decoded)[known].mean()),
        "prdn_percent": float(metrics.prdn(original, decoded)[known].mean()),
    }


def _decoded(latents: Floats, adc: Samples) -> metrics.Values:
    """Decode latents [N, 1, 62] of segments [N, 2000], on the scale where each is [0, 1]."""
    trained = _trained()
    with torch.no_grad():
        parts = torch.split(torch.from_numpy(latents), BATCH)
        decoded = torch.cat([_model(trained).decode((part,))[0] for part in parts])
    found = trained.input_map.decoded_to_unit(decoded, as_tensor(adc))
    return found.numpy().astype(np.float64)


def _segments(records: Sequence[cinc2017.Record]) -> Samples:
    return cinc2017.segments(cinc2017.cut(records)).reshape(-1, cinc2017.SEGMENT_SAMPLES)


def _mapped(adc: Samples) -> Floats:
    inputs: Floats = _trained().input_map.apply(as_tensor(adc)).numpy()
    return inputs


def _trained() -> Checkpoint:
    return checkpoint.load(TRAINED / "cae32" / "checkpoint.safetensors")


def _model(trained: Checkpoint) -> CAE:
    assert isinstance(trained.model, CAE)
    return trained.model
