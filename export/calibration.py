"""Real ECG windows for calibration, and the gain of the records that they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import wfdb

from dynadeep.codegen.bundle import Quantization
from dynadeep.export.errors import CalibrationError
from dynadeep.train.data import cinc2017, mitdb
from dynadeep.train.data.windows import DatasetName

Samples = npt.NDArray[np.int16]

INPUT_QUANTIZATION = {
    "affine": Quantization(scale=1 / 128, zero_point=0),
    "minmax": Quantization(scale=1 / 255, zero_point=-128),
}
"""What the int8 input means, by kind of input map: x in [-1, 127/128], or x in [0, 1]."""


WINDOWS_PER_RECORD = 10
"""Of MIT-BIH, the first of each record."""
RECORDS = 40
"""Of CinC 2017, the first of each half."""


@dataclass(frozen=True)
class Recordings:
    """Windows of ADC samples with what they mean."""

    training: Samples  # [N, 2000], of patients that the network was trained on
    unseen: Samples  # [M, 2000], of patients that it was not
    rate_hz: int
    adc_gain: float  # ADC units per millivolt
    adc_baseline: int  # ADC value of 0 mV


def read_recordings(dataset: DatasetName, folder: Path | None) -> Recordings:
    """Read windows of the training half and of the other half of a database.

    Args:
        dataset: what the network was trained on last.
        folder: the database as WFDB files; None is the excerpt that comes with the kit.

    Raises:
        CalibrationError: the records differ in rate or gain.
        DataError: a record is missing or unreadable.
    """
    return _read_cinc2017(folder) if dataset == "cinc2017" else _read_mitdb(folder)


def _read_mitdb(folder: Path | None) -> Recordings:
    """Read the first windows of each record of both halves of the by-patient split."""
    folder = mitdb.SAMPLE_FOLDER if folder is None else mitdb.find_folder(folder)
    training = mitdb.read_windows(folder, mitdb.DS1, count=WINDOWS_PER_RECORD)
    unseen = mitdb.read_windows(folder, mitdb.DS2, count=WINDOWS_PER_RECORD)
    headers: list[Any] = [wfdb.rdheader(str(folder / name)) for name in (*mitdb.DS1, *mitdb.DS2)]
    kinds = {(int(h.fs), float(h.adc_gain[0]), int(h.baseline[0])) for h in headers}
    if len(kinds) != 1:
        raise CalibrationError(
            f"{folder}: records of different (rate, gain, baseline): {sorted(kinds)}. "
            "Convert them to one before calibrating."
        )
    rate_hz, gain, baseline = kinds.pop()
    return Recordings(training, unseen, rate_hz, gain, baseline)


def _read_cinc2017(folder: Path | None) -> Recordings:
    """Read the first records of both halves of the published split, all segments of each."""
    if folder is None:
        training = cinc2017.read_records(cinc2017.CALIBRATION_FOLDER)[0]
        unseen = cinc2017.read_records(cinc2017.SAMPLE_FOLDER)[0]
    else:
        split = cinc2017.read_split(cinc2017.find_folder(folder))
        training, unseen = split.train[:RECORDS], split.test[:RECORDS]
    return Recordings(
        _segments(training),
        _segments(unseen),
        rate_hz=cinc2017.RATE_HZ,
        adc_gain=float(cinc2017.UNITS_PER_MV),
        adc_baseline=0,
    )


def _segments(records: Sequence[cinc2017.Record]) -> Samples:
    """Return all segments of records, [N, 2000]."""
    return cinc2017.segments(cinc2017.cut(records)).reshape(-1, cinc2017.SEGMENT_SAMPLES)


def dequantize(inputs: npt.NDArray[np.int8], quantization: Quantization) -> npt.NDArray[np.float32]:
    """Return the real values of int8 inputs, float [N, 1, T]."""
    real = (inputs.astype(np.float64) - quantization.zero_point) * quantization.scale
    return real.astype(np.float32)[:, None, :]
