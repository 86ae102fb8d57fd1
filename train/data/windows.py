"""Windows of either database or of both, to train and to score a compressor on."""

import math
from pathlib import Path
from typing import Literal

import numpy as np

from dynadeep.train.data import cinc2017, mitdb
from dynadeep.train.data.augment import resample
from dynadeep.train.data.mitdb import Samples

DatasetName = Literal["mitdb", "cinc2017", "both"]

DESCRIPTIONS: dict[DatasetName, str] = {
    "mitdb": "MIT-BIH Arrhythmia Database 1.0.0, channel 0, 2000 samples at 360 Hz",
    "cinc2017": cinc2017.DESCRIPTION,
    "both": f"{cinc2017.DESCRIPTION}; and DS1 of the MIT-BIH Arrhythmia Database 1.0.0, channel 0, "
    "at the same rate and gain",
}
KEPT_PERCENT: dict[DatasetName, tuple[float, float]] = {
    "mitdb": (0.05, 99.95),
    "cinc2017": (0.2, 99.8),
    "both": (0.2, 99.8),
}
"""Percentiles of the training samples that the affine input map spans; rarer ones are clipped.
CinC 2017 has more outliers: all within would leave int8 too coarse for most of its records."""

MITDB_ZERO, MITDB_UNITS_PER_MV = 1024, 200


def read_windows(
    dataset: DatasetName, data: Path | None, *, split: mitdb.SplitName, seed: int
) -> mitdb.Split:
    """Read the windows of a database, int16 [N, 2000].

    MIT-BIH is parted as ``split`` says. CinC 2017 is parted as published, whatever ``split`` is,
    and what is not trained on is its hold-out: the 602 are reported on by ``scoring`` alone.
    ``both`` is CinC 2017 but for its whole recordings, among which are MIT-BIH's as well.
    """
    if dataset == "mitdb":
        return mitdb.read_split(mitdb.find_folder(data), split, seed=seed)
    records = cinc2017.read_split(cinc2017.find_folder(data))
    train, holdout = (
        cinc2017.segments(cinc2017.cut(part)).reshape(-1, cinc2017.SEGMENT_SAMPLES)
        for part in (records.train, records.holdout)
    )
    if dataset == "cinc2017":
        return mitdb.Split(train, holdout)
    whole = tuple(r.samples for r in (*records.train, *records.extra))
    return mitdb.Split(train, holdout, whole + _pieces_of_mitdb(mitdb.find_folder(data)))


def _pieces_of_mitdb(folder: Path) -> tuple[Samples, ...]:
    """Return DS1 as CinC 2017 would have it, in pieces as long as most of its records.

    Each piece is brought to a median of zero: CinC 2017's recorder takes no constant offset in.
    """
    pieces: list[Samples] = []
    for name in mitdb.DS1:
        recording = as_cinc2017(mitdb.read_record(folder, name))
        pieces += np.split(recording, range(9000, len(recording) - 8999, 9000))
    return tuple(piece - np.int16(np.median(piece)) for piece in pieces)


def as_cinc2017(adc: Samples) -> Samples:
    """Bring MIT-BIH samples [T] at 360 Hz to the rate and the units of CinC 2017, int16."""
    step = mitdb.RATE_HZ / cinc2017.RATE_HZ
    positions = np.arange(math.floor((len(adc) - 1) / step)) * step
    units = cinc2017.UNITS_PER_MV / MITDB_UNITS_PER_MV
    return ((resample(adc, positions) - MITDB_ZERO) * units).round().astype(np.int16)
