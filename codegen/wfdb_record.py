"""One WFDB record, read within bounds: what training and the host both know of a recording.

Everything in a header is checked against the signal files before wfdb reads them: it would wait
for a pipe, ask for as much memory as a header names, and does not compare checksums.
"""

import math
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.errors import MissingDependencyError, RecordingError, line_of

HEADER_BYTES_MAX = 1 << 20
SAMPLES_MAX = 100_000_000
"""Of one channel: four days at 250 Hz."""
CHANNELS_MAX = 256
NO_FILE = "~"
"""Stands for a gap in place of a segment's name, and for no signal file in a layout header."""
NULL_FORMAT = "0"
"""Of a signal without samples, as in a layout header."""
FORMAT_BITS = {
    NULL_FORMAT: 0,
    **{"8": 8, "80": 8, "16": 16, "61": 16, "160": 16, "212": 12, "24": 24, "32": 32},
    **{"310": 32 / 3, "311": 32 / 3, "508": 0, "516": 0, "524": 0},
}
"""Bits of a sample in each format; a FLAC file (508, 516, 524) says itself how many it holds."""
MISSING = {
    **{"80": -(2**7), "508": -(2**7), "310": -(2**9), "311": -(2**9), "212": -(2**11)},
    **{"16": -(2**15), "61": -(2**15), "160": -(2**15), "516": -(2**15)},
    **{"24": -(2**23), "524": -(2**23), "32": -(2**31)},
}
"""The value that stands for a sample that is missing; format 8 has none."""

_GAIN = re.compile(r"\S+\s+\S+\s+(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(\()?")
_CHECKSUM_MODULUS = 1 << 16

Samples = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Channel:
    """One signal of a record, as its header describes it."""

    name: str  # "" where the header gives none
    unit: str  # "mV" unless the header says otherwise
    gain: float  # ADC units per unit
    baseline: int  # ADC value at 0 units
    gain_stated: bool  # else WFDB's default of 200
    baseline_stated: bool  # else WFDB's default of 0
    rate_hz: float
    file: Path
    format: str
    samples_per_frame: int
    first_value: int | None  # wrong in some headers of CinC 2017, whose samples are right
    checksum: int | None


@dataclass(frozen=True)
class Header:
    """A record: its signals, or the segments that it joins, (name, samples) each."""

    path: Path  # without suffix
    rate_hz: float  # frames a second
    frames: int
    channels: tuple[Channel, ...] = ()
    segments: tuple[tuple[str, int], ...] = ()


def is_record(path: Path) -> bool:
    """Return whether ``path``, without suffix, has a header beside it."""
    try:
        return _header_of(path).exists()
    except OSError:  # a name that the file system does not take
        return False


def read_header(path: Path) -> Header:
    """Read the header of the record ``path``, which has no suffix.

    Raises:
        RecordingError: it is missing, unreadable, or contradicts itself or its signal files.
        MissingDependencyError: wfdb is not installed.
    """
    lines = _header_lines(path)
    record = _parse(path)
    rate_hz = _checked_rate(path, record.fs)
    if hasattr(record, "seg_name"):
        return _joined(path, record, rate_hz)
    channels = _channels(path, record, lines[1:], rate_hz)
    frames = record.sig_len
    if frames is None:
        frames = _frames_in_file(path, channels)
    if not 0 <= frames <= SAMPLES_MAX:
        raise RecordingError(
            f"{path}.hea: declares {frames} samples a channel, the kit reads at most "
            f"{SAMPLES_MAX:,}. Correct the header, or cut the record."
        )
    header = Header(path, rate_hz, frames, channels)
    for file in {channel.file for channel in channels if not _is_empty(channel)}:
        _check_size(header, record, file)
    return header


def read_channel(header: Header, index: int, *, frames: int | None = None) -> tuple[Samples, Mask]:
    """Read one channel of a record that joins no segments, the first ``frames`` or all.

    Returns:
        its ADC samples, int64 [T], and which of them are missing, bool [T].

    Raises:
        RecordingError: its signal file cannot be read, or does not hold what the header says.
    """
    channel = header.channels[index]
    if header.frames == 0 or _is_empty(channel):
        raise RecordingError(f"{header.path}: holds no samples. Name a record that does.")
    stop = header.frames if frames is None else min(frames, header.frames)
    wfdb = _wfdb()
    try:
        record = wfdb.rdrecord(
            str(header.path), sampto=stop, channels=[index], physical=False, smooth_frames=False
        )
        samples: Samples = np.asarray(record.e_d_signal[0], np.int64)
    except Exception as error:  # wfdb lets anything through that its parts raise
        raise _unreadable(header.path, error) from error
    if stop == header.frames:
        _check_sum(header, channel, samples)
    return samples, samples == MISSING.get(channel.format, np.iinfo(np.int64).min)


def require_file(path: Path) -> int:
    """Return the size in bytes of a file that can be read to its end.

    Raises:
        RecordingError: there is none, or it is a pipe, a device or a folder.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise RecordingError(f"{path}: no such file.") from None
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}).") from error
    if not stat.S_ISREG(status.st_mode):
        raise RecordingError(f"{path}: not a regular file. Copy the recording into one.")
    return status.st_size


def _is_empty(channel: Channel) -> bool:
    return channel.file.name == NO_FILE or channel.format == NULL_FORMAT


def _header_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.hea")


def _wfdb() -> Any:
    try:
        import wfdb  # noqa: PLC0415  (heavy; a test station may go without)
    except ImportError as error:
        raise MissingDependencyError(
            "the Python package wfdb is not installed; WFDB records need it. "
            "Run: pip install 'dynadeep[ecg]'"
        ) from error
    return wfdb


def _header_lines(path: Path) -> list[str]:
    """Return the lines of a header that are not comments."""
    file = _header_of(path)
    if not is_record(path):
        raise RecordingError(f"{file}: no such record. Is the copy of the database complete?")
    if require_file(file) > HEADER_BYTES_MAX:
        raise RecordingError(f"{file}: over {HEADER_BYTES_MAX:,} bytes, which is no WFDB header.")
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def _parse(path: Path) -> Any:
    wfdb = _wfdb()
    try:
        return wfdb.rdheader(str(path.absolute()))
    except Exception as error:  # wfdb lets anything through that its parts raise
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> RecordingError:
    reason = line_of(error) or type(error).__name__
    return RecordingError(f"{path}: not a readable WFDB record ({reason}).")


def _checked_rate(path: Path, rate_hz: float | None) -> float:
    rate_hz = 250.0 if rate_hz is None else float(rate_hz)  # WFDB's default
    if not 0 < rate_hz < 1e6:
        raise RecordingError(f"{path}.hea: sampled at {rate_hz:g} Hz, which no ECG is.")
    return rate_hz


def _joined(path: Path, record: Any, rate_hz: float) -> Header:
    names, lengths = list(record.seg_name), [int(length) for length in record.seg_len]
    frames = sum(lengths)
    if len(names) != record.n_seg or not 0 <= frames <= SAMPLES_MAX:
        raise RecordingError(
            f"{path}.hea: joins {record.n_seg} segments of {frames} samples, but lists "
            f"{len(names)}; the kit reads at most {SAMPLES_MAX:,} samples. Correct the header."
        )
    if record.sig_len is not None and record.sig_len != frames:
        raise RecordingError(
            f"{path}.hea: declares {record.sig_len} samples, its segments have {frames}. "
            "Correct the header."
        )
    return Header(path, rate_hz, frames, segments=tuple(zip(names, lengths, strict=True)))


def _channels(path: Path, record: Any, lines: list[str], rate_hz: float) -> tuple[Channel, ...]:
    count = record.n_sig or 0
    described = min(len(lines), len(record.fmt or ()))  # a line that wfdb cannot read is none
    if not 1 <= count <= CHANNELS_MAX or described < count:
        raise RecordingError(
            f"{path}: not a readable WFDB record: its header declares {count} signals and "
            f"describes {described}; the kit reads 1 to {CHANNELS_MAX}. Correct the header."
        )
    return tuple(_channel(path, record, lines[i], i, rate_hz) for i in range(count))


def _channel(path: Path, record: Any, line: str, index: int, rate_hz: float) -> Channel:
    gain = _GAIN.match(line)
    gain_stated = gain is not None and float(gain[1]) != 0
    baseline_stated = gain is not None and (
        gain[2] is not None or record.adc_zero[index] is not None
    )
    form = str(record.fmt[index])
    if form not in FORMAT_BITS:
        raise RecordingError(
            f"{path}.hea: signal {index} is in format {form}, which WFDB does not define. "
            "Correct the header."
        )
    per_frame = int(record.samps_per_frame[index] or 1)
    if not 1 <= per_frame <= 1000:
        raise RecordingError(f"{path}.hea: signal {index} has {per_frame} samples a frame.")
    unit_gain = float(record.adc_gain[index])
    if not (math.isfinite(unit_gain) and unit_gain):
        raise RecordingError(f"{path}.hea: signal {index} has a gain of {unit_gain:g}.")
    return Channel(
        name=(record.sig_name[index] or "").strip(),
        unit=record.units[index] or "mV",
        gain=unit_gain,
        baseline=int(record.baseline[index] or 0),
        gain_stated=gain_stated,
        baseline_stated=baseline_stated,
        rate_hz=rate_hz * per_frame,
        file=path.parent / record.file_name[index],
        format=form,
        samples_per_frame=per_frame,
        first_value=record.init_value[index],
        checksum=record.checksum[index],
    )


def _frames_in_file(path: Path, channels: tuple[Channel, ...]) -> int:
    """Return how many frames the first signal file holds, for a header that does not say."""
    first = channels[0]
    if _is_empty(first) or not FORMAT_BITS[first.format]:
        raise RecordingError(f"{path}.hea: does not say how many samples it has. Add the number.")
    per_frame = sum(channel.samples_per_frame for channel in channels if channel.file == first.file)
    return int(require_file(first.file) * 8 // (FORMAT_BITS[first.format] * per_frame))


def _check_size(header: Header, record: Any, file: Path) -> None:
    """Refuse a signal file that is shorter than the header says, or none."""
    indices = [i for i, channel in enumerate(header.channels) if channel.file == file]
    per_frame = sum(header.channels[i].samples_per_frame for i in indices)
    offset, skew = (max(int(field[i] or 0) for i in indices) for field in _places(record))
    if skew > header.frames or offset > SAMPLES_MAX:
        raise RecordingError(f"{header.path}.hea: skew {skew} or offset {offset} is beyond reason.")
    size = require_file(file)
    bits = FORMAT_BITS[header.channels[indices[0]].format]
    available = (size - offset) * 8 // (bits * per_frame) if bits else _flac_frames(file) - offset
    if available < header.frames:
        raise RecordingError(
            f"{header.path}: not a readable WFDB record: {file.name} holds "
            f"{max(int(available), 0):,} of the {header.frames:,} samples a channel that its "
            "header declares. Is the copy of the record complete?"
        )


def _places(record: Any) -> tuple[list[int | None], list[int | None]]:
    return record.byte_offset, record.skew


def _flac_frames(file: Path) -> int:
    try:
        import soundfile  # noqa: PLC0415  (comes with wfdb)

        return int(soundfile.info(str(file)).frames)
    except Exception as error:  # libsndfile's own
        raise RecordingError(f"{file}: not a readable FLAC file ({error}).") from error


def _check_sum(header: Header, channel: Channel, samples: Samples) -> None:
    """Hold a whole channel against its checksum, if its header has one: 0 is "not filled in"."""
    expected = (channel.checksum or 0) % _CHECKSUM_MODULUS
    total = int(samples.sum()) % _CHECKSUM_MODULUS
    if expected not in {0, total}:
        raise RecordingError(
            f"{header.path}: the samples of signal {channel.name!r} sum up to {total}, the "
            f"checksum in its header is {expected} (modulo {_CHECKSUM_MODULUS}). "
            "The signal file is damaged or another record's."
        )
