from pathlib import Path

import numpy as np
import pytest

from dynadeep.train.data import mitdb
from dynadeep.train.phases import TrainConfig


@pytest.fixture(scope="session")
def windows() -> mitdb.Samples:
    """Eight windows of real ECG, one of each of eight patients, int16 [8, 2000]."""
    return mitdb.read_windows(mitdb.SAMPLE_FOLDER, mitdb.DS1[:8], count=1)


@pytest.fixture
def split(windows: mitdb.Samples) -> mitdb.Split:
    return mitdb.Split(windows, windows[:3], tuple(np.tile(w, 3) for w in windows))


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    return TrainConfig(output=tmp_path / "run", epochs=2, batch=4, threads=1)
