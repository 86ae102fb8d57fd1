"""Make the committed excerpts again: python -m dynadeep.train.data.excerpt DATABASE DATA [FOLDER].

``mitdb``: the first ten windows, channel 0 only, of every record of the by-patient split.
``cinc2017``: the first published test records of each class, unchanged, and their labels.
``cinc2017-train``: the first of the training half, for calibration.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import wfdb

from dynadeep.codegen.files import write_whole
from dynadeep.train.data import cinc2017, mitdb, wfdb_files

WINDOWS = 10
CALIBRATION_RECORDS = 40
RECORDS_OF_CLASS = {"A": 5, "N": 10, "O": 6, "~": 3}


def write_mitdb(source: Path, target: Path) -> None:
    """Write the first 20,000 samples of channel 0 of each used record, format 212."""
    for name in (*mitdb.DS1, *mitdb.DS2):
        header: Any = wfdb.rdheader(str(source / name))
        signal = mitdb.read_record(source, name, samples=WINDOWS * mitdb.WINDOW_SAMPLES)
        with wfdb_files.written_whole(target) as folder:
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
                write_dir=folder,
            )


def write_cinc2017(
    source: Path, target: Path, *, parts: cinc2017.Parts = cinc2017.PUBLISHED
) -> None:
    """Copy the first test records of each class, as they are, with their rows of the labels."""
    test = cinc2017.read_split(source, parts=parts).test
    _copy(
        source,
        target,
        [
            record
            for label, count in RECORDS_OF_CLASS.items()
            for record in [r for r in test if r.label == label][:count]
        ],
    )


def write_calibration(source: Path, target: Path) -> None:
    """Copy the first records of the training half: int8 ranges are never taken from test ones."""
    _copy(source, target, cinc2017.read_split(source).train[:CALIBRATION_RECORDS])


def _copy(source: Path, target: Path, records: Sequence[cinc2017.Record]) -> None:
    """Copy records as they are, with their rows of the labels."""
    for record in records:
        for suffix in (".hea", ".mat"):
            content = (source / record.name).with_suffix(suffix).read_bytes()
            write_whole((target / record.name).with_suffix(suffix), content)
    rows = sorted(f"{record.name},{record.label}\n" for record in records)
    write_whole(target / cinc2017.REFERENCE, "".join(rows))


Excerpt = tuple[Callable[[Path], Path], Callable[[Path, Path], None], Path]
EXCERPTS: dict[str, Excerpt] = {
    "mitdb": (mitdb.find_folder, write_mitdb, mitdb.SAMPLE_FOLDER),
    "cinc2017": (cinc2017.find_folder, write_cinc2017, cinc2017.SAMPLE_FOLDER),
    "cinc2017-train": (cinc2017.find_folder, write_calibration, cinc2017.CALIBRATION_FOLDER),
}

if __name__ == "__main__":
    find_folder, write, folder = EXCERPTS[sys.argv[1]]
    write(find_folder(Path(sys.argv[2])), Path(sys.argv[3]) if len(sys.argv) > 3 else folder)
