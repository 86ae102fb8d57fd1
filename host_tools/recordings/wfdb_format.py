"""WFDB records, those that join segments included, brought to one scale."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from dynadeep.codegen import wfdb_record
from dynadeep.codegen.errors import RecordingError
from dynadeep.codegen.wfdb_record import NO_FILE, Header
from dynadeep.host_tools.recordings.channel import (
    BARE,
    MILLIVOLTS,
    Channel,
    Recording,
    Values,
    plain_unit,
)

SUFFIXES = (".hea", ".dat", ".mat", ".atr")


def record_path(path: Path) -> Path | None:
    """Return the WFDB record, without suffix, that ``path`` names; None if it names none."""
    if not path.name:  # the current folder, or the root
        return None
    for candidate in (path, path.with_suffix("") if path.suffix in SUFFIXES else path):
        if wfdb_record.is_record(candidate):
            return candidate
    return None


def read(path: Path) -> Recording:
    """Read the record ``path``, which has no suffix.

    Raises:
        RecordingError: it cannot be read, or its segments do not fit together.
        MissingDependencyError: wfdb is not installed.
    """
    header = wfdb_record.read_header(path)
    if header.segments:
        return _read_joined(header)
    channels = [_channel(header, i) for i in range(len(header.channels))]
    return Recording(str(path), tuple(channels))


def _channel(header: Header, index: int) -> Channel:
    """Return a channel in millivolts, or in ADC units where its header leaves their scale out."""
    channel = header.channels[index]
    unit = plain_unit(channel.unit)
    if unit in MILLIVOLTS and not _is_stated(channel):
        return Channel(
            name=channel.name,
            unit=BARE,
            rate_hz=channel.rate_hz,
            load=partial(_load_raw, header, index),
            default_scale=(channel.gain / MILLIVOLTS[unit], channel.baseline),
            default_remark=_assumed(channel),
        )
    return Channel(
        name=channel.name,
        unit="mV" if unit in MILLIVOLTS else unit,
        rate_hz=channel.rate_hz,
        load=partial(_load, header, index),
        remarks=(f"{channel.gain:g} ADC units per {channel.unit}, {channel.baseline} at 0",),
    )


def _is_stated(channel: wfdb_record.Channel) -> bool:
    return channel.gain_stated and channel.baseline_stated


def _assumed(channel: wfdb_record.Channel) -> str:
    """Say what a header leaves to WFDB's defaults."""
    if channel.gain_stated:
        return f"states no baseline: WFDB's default of {channel.baseline} is taken"
    return (
        f"states no gain: WFDB's default of {channel.gain:g} ADC units per {channel.unit} is "
        f"taken, and {channel.baseline} at 0"
    )


def _load_raw(header: Header, index: int) -> Values:
    """Return a channel in ADC units, NaN where a sample is missing."""
    samples, missing = wfdb_record.read_channel(header, index)
    values = samples.astype(np.float64)
    values[missing] = np.nan
    return values


def _load(header: Header, index: int) -> Values:
    """Return a channel in millivolts; what is no voltage in its own unit."""
    channel = header.channels[index]
    raw = _load_raw(header, index)
    return (raw - channel.baseline) / channel.gain * MILLIVOLTS.get(plain_unit(channel.unit), 1.0)


def _read_joined(header: Header) -> Recording:
    """Read a record that joins segments: all with the same signals, or as its layout says."""
    parts = list(_parts(header))
    first = next((part for part, _ in parts if part is not None), None)
    if first is None:
        raise RecordingError(f"{header.path}: joins no segment that has samples.")
    by_name = header.segments[0][1] == 0  # a layout header, of records whose signals vary
    channels = []
    for index, model in enumerate(first.channels):
        places = [(part, _place(part, index, model.name, by_name), n) for part, n in parts]
        channels.append(_join(header, model.name, model.rate_hz, places))
    return Recording(str(header.path), tuple(channels))


def _parts(header: Header) -> Iterator[tuple[Header | None, int]]:
    """Yield each segment's header, None for a gap, and its length; the layout's comes first."""
    for name, length in header.segments:
        if name == NO_FILE:
            yield None, length
            continue
        part = wfdb_record.read_header(header.path.parent / name)
        if part.segments:
            raise RecordingError(
                f"{header.path}.hea: its segment {name} joins segments itself, which WFDB does "
                "not allow. Correct the header."
            )
        if part.frames != length or part.rate_hz != header.rate_hz:
            raise RecordingError(
                f"{header.path}.hea: says that {name} has {length} samples at "
                f"{header.rate_hz:g} Hz, {name}.hea {part.frames} at {part.rate_hz:g}. "
                "Correct one of them."
            )
        yield part, length


def _place(part: Header | None, index: int, name: str, by_name: bool) -> int | None:
    """Return which channel of a segment goes on a record's channel, None if none does."""
    if part is None:
        return None
    names = [channel.name for channel in part.channels]
    if by_name:
        return names.index(name) if name in names else None
    if index >= len(names) or names[index] != name:
        raise RecordingError(
            f"{part.path}: its channels are {', '.join(names)}, the first segment's channel "
            f"{index} is {name}. Name the segment that you mean."
        )
    return index


def _join(
    header: Header,
    name: str,
    rate_hz: float,
    places: list[tuple[Header | None, int | None, int]],
) -> Channel:
    """Return a channel of all segments in millivolts, whatever scale each of them has."""
    channels = [
        part.channels[index]
        for part, index, length in places
        if part is not None and index is not None and length > 0
    ]
    scales = {(channel.gain, channel.baseline, channel.unit) for channel in channels}
    unstated = next((channel for channel in channels if not _is_stated(channel)), None)
    if unstated is not None:
        raise RecordingError(
            f"{header.path}: a segment {_assumed(unstated)}. State the scale in its header."
        )
    remark = f"{len(channels)} segments joined, " + (
        f"their {len(scales)} scales brought to one" if len(scales) > 1 else "of one scale"
    )
    units = {plain_unit(channel.unit) for channel in channels}
    foreign_unit = next((unit for unit in units if unit not in MILLIVOLTS), None)
    return Channel(
        name, foreign_unit or "mV", rate_hz, partial(_load_joined, places), remarks=(remark,)
    )


def _load_joined(places: list[tuple[Header | None, int | None, int]]) -> Values:
    pieces = []
    for part, index, length in places:
        if length == 0:
            continue
        if part is None or index is None:
            pieces.append(np.full(length, np.nan))
        else:
            pieces.append(_load(part, index))
    return np.concatenate(pieces)
