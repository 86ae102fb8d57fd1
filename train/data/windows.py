"""Windows of either database, to train and to score a compressor on."""

from pathlib import Path
from typing import Literal

from dynadeep.train.data import cinc2017, mitdb

DatasetName = Literal["mitdb", "cinc2017"]

DESCRIPTIONS: dict[DatasetName, str] = {
    "mitdb": "MIT-BIH Arrhythmia Database 1.0.0, channel 0, 2000 samples at 360 Hz",
    "cinc2017": cinc2017.DESCRIPTION,
}
KEPT_PERCENT: dict[DatasetName, tuple[float, float]] = {
    "mitdb": (0.05, 99.95),
    "cinc2017": (0.2, 99.8),
}
"""Percentiles of the training samples that the affine input map spans; rarer ones are clipped.
CinC 2017 has more outliers: all within would leave int8 too coarse for most of its records."""


def read_windows(
    dataset: DatasetName, data: Path | None, *, split: mitdb.SplitName, seed: int
) -> mitdb.Split:
    """Read the windows of a database, int16 [N, 2000].

    MIT-BIH is parted as ``split`` says. CinC 2017 is parted as published, whatever ``split`` is,
    and what is not trained on is its hold-out: the 602 are reported on by ``scoring`` alone.
    """
    if dataset == "mitdb":
        return mitdb.read_split(mitdb.find_folder(data), split, seed=seed)
    records = cinc2017.read_split(cinc2017.find_folder(data))
    train, holdout = (
        cinc2017.segments(cinc2017.cut(part)).reshape(-1, cinc2017.SEGMENT_SAMPLES)
        for part in (records.train, records.holdout)
    )
    return mitdb.Split(train, holdout)
