"""Decode what was received: every whole packet at its place in time, and what is wrong told."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.codec.packet import Packet
from dynadeep.host_tools.codec.packet_file import Stretch, find
from dynadeep.host_tools.codec.timeline import Run, Timeline, place
from dynadeep.host_tools.errors import PacketError

SAMPLES_MAX = 100_000_000
"""Of all segments, lost ones included."""
BYTES_MAX = 1 << 30
"""Of a file of packets."""
NAMED_AT_MOST = 8


@dataclass(frozen=True)
class Reception:
    """Decoded packets, one row a segment, in the order of time."""

    ecg: npt.NDArray[np.float64]  # [N, T], ADC units; NaN where a segment was lost
    stream: npt.NDArray[np.uint16]  # [N]
    segment: npt.NDArray[np.int64]  # [N], its number within the stream, from 0
    received: npt.NDArray[np.bool_]  # [N]
    counts: "Counts"
    faults: tuple[str, ...]  # in words; none if every packet was whole, new and in order


@dataclass(frozen=True)
class Counts:
    """How the packets came."""

    decoded: int
    lost: int  # segments between others, or before the first
    damaged: int  # stretches of bytes that are no whole packet
    unusable: int  # whole packets that cannot be decoded: another model's, or another version's
    repeated: int
    late: int  # received out of order, and put in their place
    restarts: int  # of a stream that had begun

    def as_json(self) -> dict[str, Any]:
        """Return the counts as they are written."""
        return asdict(self)


def receive(name: str, data: bytes, decoder: Decoder) -> Reception:
    """Decode the packets of ``data``; what is damaged or missing is left out and told.

    Args:
        name: where they are from, for messages.
        data: packets, one behind the other.
        decoder: of the model that made them.

    Raises:
        PacketError: there is no packet that can be decoded, or the gaps between them are too long.
    """
    scan = find(data, decoder.manifest)
    usable, refused = _usable(scan.packets, decoder.manifest)
    if not usable:
        raise _nothing(name, data, refused)
    timeline = place(usable)
    _check_size(name, timeline, decoder.manifest.segment_length)
    ecg, received = _decode(timeline, decoder, refused)
    if not received.any():
        raise _nothing(name, data, refused)
    lengths = [run.length for run in timeline.runs]
    counts = Counts(
        decoded=int(received.sum()),
        lost=timeline.lost,
        damaged=len(scan.damaged),
        unusable=len(refused),
        repeated=timeline.repeated,
        late=timeline.late,
        restarts=timeline.restarts,
    )
    return Reception(
        ecg=ecg,
        stream=np.repeat([run.stream for run in timeline.runs], lengths).astype(np.uint16),
        segment=np.concatenate([np.arange(length) for length in lengths]),
        received=received,
        counts=counts,
        faults=tuple(_faults(timeline, scan.damaged, refused)),
    )


def _decode(
    timeline: Timeline, decoder: Decoder, refused: list[PacketError]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return the segments of all runs, float [N, T], and which of them are there, bool [N].

    Packets whose payload none of this model's encoders makes leave ``timeline`` for ``refused``.
    """
    ecg = np.full((timeline.segments, decoder.manifest.segment_length), np.nan)
    received = np.zeros(len(ecg), np.bool_)
    row = 0
    for run in timeline.runs:
        numbers = list(run.received)
        decoded = decoder.decode_packets(list(run.received.values()))
        rows = row + np.array(numbers, np.int64)
        ecg[rows] = decoded.ecg
        received[rows] = True
        for index, error in decoded.wrong.items():
            refused.append(error)
            received[rows[index]] = False
            del run.received[numbers[index]]
        row += run.length
    return ecg, received


def require_whole(name: str, reception: Reception) -> None:
    """Refuse a reception in which anything was lost, damaged, repeated or out of order.

    Raises:
        PacketError: something was.
    """
    if reception.faults:
        raise PacketError(f"{name}: {'; '.join(reception.faults)}. What came whole is decoded.")


def _usable(whole: tuple[bytes, ...], manifest: Manifest) -> tuple[list[Packet], list[PacketError]]:
    """Return the packets of this model, and why others are not."""
    usable, refused = [], []
    for data in whole:
        try:
            usable.append(packets.decode(data, manifest))
        except PacketError as error:
            refused.append(error)
    return usable, refused


def _nothing(name: str, data: bytes, refused: list[PacketError]) -> PacketError:
    if refused:
        return PacketError(f"{name}: {refused[0]}")
    if not data:
        return PacketError(f"{name}: empty: no packet was received.")
    return PacketError(
        f"{name}: byte 0: no packet starts here, and no whole one of this model is in its "
        f"{len(data):,} bytes. Name a file of packets."
    )


def _check_size(name: str, timeline: Timeline, segment_length: int) -> None:
    if timeline.segments * segment_length > SAMPLES_MAX:
        raise PacketError(
            f"{name}: {timeline.lost:,} segments are missing between those that came, which makes "
            f"more than {SAMPLES_MAX:,} samples. Cut the file and decode its parts."
        )


def _faults(
    timeline: Timeline, damaged: tuple[Stretch, ...], refused: list[PacketError]
) -> list[str]:
    faults = [f"stream {run.stream}: {_lost(run)}" for run in timeline.runs if run.lost]
    if damaged:
        faults.append(f"no whole packet in {_listed([str(stretch) for stretch in damaged])}")
    if refused:
        faults.append(
            f"{len(refused)} packets cannot be decoded, the first: {refused[0]}".rstrip(".")
        )
    if timeline.repeated:
        faults.append(f"{timeline.repeated} packets came again")
    if timeline.late:
        faults.append(f"{timeline.late} packets came late, and were put in their place")
    if timeline.restarts:
        faults.append(
            f"{timeline.restarts} times a stream began anew: how much time lies between is unknown"
        )
    return faults


def _lost(run: Run) -> str:
    """Name the segments of a run that were lost, neighbours as a range."""
    ranges: list[tuple[int, int]] = []
    for number in run.lost:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    names = [f"{first}" if first == last else f"{first} to {last}" for first, last in ranges]
    return f"{len(run.lost)} of {run.length} segments were lost ({_listed(names)})"


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    return ", ".join(names[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
