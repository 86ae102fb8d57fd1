"""Decoded ECG as records for the programs that people look at it with: WFDB, EDF+, NumPy.

A record is a stretch of one stream in one day. Gaps up to ``GAP_MAX_S`` stay in it as samples that
are none; a longer one ends it, and the next record says when it begins.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.files import open_whole, path_whole, write_whole
from dynadeep.host_tools.cloud.models import Models
from dynadeep.host_tools.cloud.pieces import Floats, Piece, Segment, Tally

GAP_MAX_S = 3600.0
SAMPLES_MAX = 40_000_000
"""Of a record: more than a day at 300 Hz."""

NO_SAMPLE = -32768
"""In 16 bits, as WFDB has it."""

BELOW_A_DIGIT = 2.0**-50
"""Of a float: less than the 8 digits of an EDF header can show, and more than rounding adds."""

LABEL, LOST = "ECG", "not received"

Digital = npt.NDArray[np.int16]


@dataclass
class Record:
    """Segments of one stream and model, up to now."""

    first: Segment
    manifest: Manifest
    parts: list[tuple[int, Floats]] = field(default_factory=list)  # index, samples
    next: int = 0  # the index behind the last

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"s{self.first.stream}-{self.first.index}"

    @property
    def begin(self) -> datetime:
        """The time of its first sample."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.first.time_us)

    def takes(self, segment: Segment) -> bool:
        """Whether a segment belongs to this record."""
        length, missing = self.manifest.segment_length, segment.index - self.next
        return (
            (segment.stream, segment.model) == (self.first.stream, self.first.model)
            and 0 <= missing * length <= GAP_MAX_S * self.manifest.rate_hz
            and (segment.index + 1 - self.first.index) * length <= SAMPLES_MAX
        )

    def add(self, segment: Segment) -> None:
        """Put a segment behind the others."""
        self.parts.append((segment.index, segment.ecg))
        self.next = segment.index + 1

    def samples(self) -> Floats:
        """Return all of it, float32 [samples], ADC units; NaN where nothing was received."""
        length = self.manifest.segment_length
        samples = np.full((self.next - self.first.index, length), np.nan, np.float32)
        for index, ecg in self.parts:
            samples[index - self.first.index] = ecg
        return samples.reshape(-1)

    def gaps_s(self) -> list[tuple[float, float]]:
        """Return where nothing was received: begin and length, in seconds from the record's."""
        seconds = self.manifest.segment_length / self.manifest.rate_hz
        ends = [self.first.index, *(index + 1 for index, _ in self.parts)]
        return [
            ((end - self.first.index) * seconds, (index - end) * seconds)
            for end, (index, _) in zip(ends, self.parts, strict=False)
            if index > end
        ]


def digital(samples: Floats) -> tuple[Digital, int]:
    """Return samples in ADC units as 16 bits, and how many of them had to be clipped."""
    lost = np.isnan(samples)
    rounded = np.rint(np.where(lost, 0, samples))
    clipped = np.clip(rounded, NO_SAMPLE + 1, -(NO_SAMPLE + 1))
    return np.where(lost, NO_SAMPLE, clipped).astype(np.int16), int((rounded != clipped).sum())


def write_wfdb(folder: Path, record: Record) -> int:
    """Write NAME.hea and NAME.dat, in format 16, and return how many samples were clipped."""
    import wfdb

    values, clipped = digital(record.samples())
    begin, manifest = record.begin, record.manifest
    wfdb.wrsamp(
        record.name,
        fs=manifest.rate_hz,
        units=["mV"],
        sig_name=[LABEL],
        d_signal=values[:, None].astype(np.int64),
        fmt=["16"],
        adc_gain=[manifest.adc_gain],
        baseline=[manifest.adc_baseline],
        base_date=begin.date(),
        base_time=begin.time(),
        comments=[f"decoded by model {manifest.model_id}; times are UTC"],
        write_dir=str(folder),
    )
    return clipped


def write_edf(folder: Path, record: Record) -> int:
    """Write NAME.edf, EDF+ in records of a second, and return how many samples were clipped.

    EDF has no mark for a missing sample: they are the lowest value, and annotations say where.
    """
    import edfio

    manifest, begin = record.manifest, record.begin
    values, clipped = digital(record.samples())
    rate = manifest.rate_hz
    padded = np.full(-(-len(values) // rate) * rate, NO_SAMPLE, np.int16)
    padded[: len(values)] = values
    gaps = record.gaps_s()
    if len(padded) > len(values):
        gaps.append((len(values) / rate, (len(padded) - len(values)) / rate))
    range_of_samples = (NO_SAMPLE, -NO_SAMPLE - 1)
    signal = edfio.EdfSignal.from_digital(
        padded,
        rate,
        label=LABEL,
        physical_dimension="mV",
        physical_range=_physical_range(manifest, *range_of_samples),
        digital_range=range_of_samples,
    )
    edf = edfio.Edf(
        [signal],
        recording=edfio.Recording(startdate=begin.date(), additional=["dynadeep"]),
        starttime=begin.time(),
        data_record_duration=1,
        annotations=[edfio.EdfAnnotation(at, length, LOST) for at, length in gaps],
    )
    with path_whole(folder / f"{record.name}.edf") as path:
        edf.write(path)
    return clipped


def _physical_range(manifest: Manifest, first: int, last: int) -> tuple[float, float]:
    """Return the mV of two ADC values so that edfio, which rounds outwards, keeps whole digits."""
    lowest, highest = (
        (value - manifest.adc_baseline) / manifest.adc_gain for value in (first, last)
    )
    return lowest + abs(lowest) * BELOW_A_DIGIT, highest - abs(highest) * BELOW_A_DIGIT


def write_npy(folder: Path, record: Record) -> int:
    """Write NAME.npy, float32 [samples] with NaN where lost, and NAME.json, what they mean."""
    with open_whole(folder / f"{record.name}.npy") as file:
        np.save(file, record.samples())
    manifest = record.manifest
    description = {
        "begin": record.begin.isoformat(),
        "stream": record.first.stream,
        "index": record.first.index,
        "model": manifest.model_id,
        "sample_rate_hz": manifest.rate_hz,
        "adc_gain": manifest.adc_gain,
        "adc_baseline": manifest.adc_baseline,
    }
    write_whole(folder / f"{record.name}.json", json.dumps(description, indent=2) + "\n")
    return 0


WRITERS: dict[str, Callable[[Path, Record], int]] = {
    "wfdb": write_wfdb,
    "edf": write_edf,
    "npy": write_npy,
}


class RecordOutput:
    """Writes pieces as records of one format into a folder."""

    def __init__(self, form: str, folder: Path, models: Models, tally: Tally) -> None:
        self._write = WRITERS[form]
        self._folder = folder
        self._models = models
        self._tally = tally
        self._record: Record | None = None

    def take(self, piece: Piece) -> None:
        """Add the next piece; what ends in it is written."""
        for segment in piece.segments():
            if self._record is None or not self._record.takes(segment):
                self.close()
                manifest = self._models[segment.model].manifest
                self._record = Record(segment, manifest, next=segment.index)
            self._record.add(segment)

    def close(self) -> None:
        """Write what is left."""
        if self._record is not None:
            self._tally.clipped += self._write(self._folder, self._record)
        self._record = None
