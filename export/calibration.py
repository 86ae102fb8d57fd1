"""Real ECG windows for calibration, and the gain of the records that they come from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import wfdb

from dynadeep.codegen.bundle import Quantization
from dynadeep.export.errors import CalibrationError
from dynadeep.train.data import mitdb

Samples = npt.NDArray[np.int16]

INPUT_QUANTIZATION = {
    "affine": Quantization(scale=1 / 128, zero_point=0),
    "minmax": Quantization(scale=1 / 255, zero_point=-128),
}
"""What the int8 input means, by kind of input map: x in [-1, 127/128], or x in [0, 1]."""


@dataclass(frozen=True)
class Recordings:
    """Windows of ADC samples with what they mean."""

    training: Samples  # [N, 2000], of patients that the network was trained on
    unseen: Samples  # [M, 2000], of patients that it was not
    rate_hz: int
    adc_gain: float  # ADC units per millivolt
    adc_baseline: int  # ADC value of 0 mV


def read_recordings(folder: Path | None, *, windows_per_record: int = 10) -> Recordings:
    """Read windows of both halves of the by-patient split.

    Args:
        folder: MIT-BIH as WFDB files; None is the excerpt that comes with the kit.
        windows_per_record: the first so many of each record.

    Raises:
        CalibrationError: the records differ in rate or gain.
        DataError: a record is missing or unreadable.
    """
    folder = mitdb.SAMPLE_FOLDER if folder is None else mitdb.find_folder(folder)
    training = mitdb.read_windows(folder, mitdb.DS1, count=windows_per_record)
    unseen = mitdb.read_windows(folder, mitdb.DS2, count=windows_per_record)
    headers = [wfdb.rdheader(str(folder / name)) for name in (*mitdb.DS1, *mitdb.DS2)]
    kinds = {(int(h.fs), float(h.adc_gain[0]), int(h.baseline[0])) for h in headers}
    if len(kinds) != 1:
        raise CalibrationError(
            f"{folder}: records of different (rate, gain, baseline): {sorted(kinds)}. "
            "Convert them to one before calibrating."
        )
    rate_hz, gain, baseline = kinds.pop()
    return Recordings(training, unseen, rate_hz, gain, baseline)


def dequantize(inputs: npt.NDArray[np.int8], quantization: Quantization) -> npt.NDArray[np.float32]:
    """Return the real values of int8 inputs, float [N, 1, T]."""
    real = (inputs.astype(np.float64) - quantization.zero_point) * quantization.scale
    return real.astype(np.float32)[:, None, :]
