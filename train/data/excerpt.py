"""Make the committed excerpt again: python -m dynadeep.train.data.excerpt DATA [FOLDER].

The first ten windows, channel 0 only, of every record of the by-patient split, as WFDB files.
"""

import sys
from pathlib import Path

import numpy as np
import wfdb

from dynadeep.train.data import mitdb

WINDOWS = 10


def write_excerpt(source: Path, target: Path) -> None:
    """Write the first 20,000 samples of channel 0 of each used record, format 212."""
    target.mkdir(parents=True, exist_ok=True)
    for name in (*mitdb.DS1, *mitdb.DS2):
        header = wfdb.rdheader(str(source / name))
        signal = mitdb.read_record(source, name, samples=WINDOWS * mitdb.WINDOW_SAMPLES)
        wfdb.wrsamp(
            name,
            fs=header.fs,
            units=header.units[:1],
            sig_name=header.sig_name[:1],
            d_signal=signal.astype(np.int64)[:, None],
            fmt=["212"],
            adc_gain=header.adc_gain[:1],
            baseline=header.baseline[:1],
            comments=["Excerpt of MIT-BIH Arrhythmia Database 1.0.0; see ATTRIBUTION.md"],
            write_dir=str(target),
        )


if __name__ == "__main__":
    write_excerpt(
        mitdb.find_folder(Path(sys.argv[1])),
        Path(sys.argv[2]) if len(sys.argv) > 2 else mitdb.SAMPLE_FOLDER,
    )
