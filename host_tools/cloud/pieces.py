"""Decode the rows of an archive, some hundred at a time: the one function behind both engines."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dynadeep.host_tools.cloud import schema
from dynadeep.host_tools.cloud.models import Model, Models
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.errors import ArchiveError, PacketError

PIECE_ROWS = 512
"""Whose samples are in memory at a time."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Piece:
    """Some rows of a device's day, in the order of the archive."""

    rows: pa.Table  # of schema.SCHEMA
    ecg: list[Floats | None]  # float32 [T], ADC units of the row's model; None where there is none
    problems: list[str]  # why a packet was not decoded; empty elsewhere

    def segments(self) -> Iterator["Segment"]:
        """Yield what was decoded, in order."""
        columns = [self.rows[name].to_pylist() for name in ("stream", "index", "model")]
        times = self.rows["time"].cast(pa.int64()).to_pylist()
        for stream, index, model, time, ecg in zip(*columns, times, self.ecg, strict=True):
            if ecg is not None:
                yield Segment(stream, index, model, time, ecg)


@dataclass(frozen=True)
class Segment:
    """One decoded segment, and where it stands."""

    stream: int
    index: int
    model: int
    time_us: int  # since 1970, UTC
    ecg: Floats  # [T], ADC units


@dataclass
class Tally:
    """What was decoded and what was not, in segments; ``kept`` and ``days`` count days."""

    days: int = 0
    kept: int = 0  # decoded by an earlier run
    decoded: int = 0
    lost: int = 0  # gaps of the archive
    restarts: int = 0
    repeated: int = 0  # packets that stand in the archive twice
    wrong: int = 0  # packets that do not decode, or that the collector found bad
    unknown: dict[str, int] = field(default_factory=dict)  # by model id: no bundle has it
    clipped: int = 0  # samples beyond what the format can hold
    refused: list[str] = field(default_factory=list)  # files of the archive, and why
    slow: str = ""  # why level none took long

    def add(self, other: "Tally") -> None:
        """Add the counts of another day."""
        for name in ("days", "kept", "decoded", "lost", "restarts", "repeated", "wrong", "clipped"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for model, count in other.unknown.items():
            self.unknown[model] = self.unknown.get(model, 0) + count
        self.refused += other.refused
        self.slow = self.slow or other.slow

    def lines(self, out: str) -> list[str]:
        """Say what was decoded, in words."""
        summary = (
            f"{out}: {self.decoded:,} segments of {self.days} days decoded, {self.lost:,} lost"
        )
        if self.restarts:
            summary += f", {self.restarts} times a device began anew"
        lines = [summary]
        if self.kept:
            lines.append(f"{self.kept} of these days were decoded by an earlier run")
        if self.clipped:
            lines.append(f"{self.clipped:,} samples did not fit the format and were clipped")
        return [*lines, *filter(None, [self.slow])]

    def require_whole(self, archive: str) -> None:
        """Refuse what could not be decoded.

        Raises:
            ArchiveError: files of the archive are none of an archive's, or damaged.
            PacketError: packets are of unknown models, do not decode, or came twice.
        """
        faults = [
            f"{count:,} packets are of model {model}, of which there is no bundle"
            for model, count in sorted(self.unknown.items())
        ]
        if self.wrong:
            faults.append(f"{self.wrong:,} packets do not decode")
        if self.repeated:
            faults.append(f"{self.repeated:,} packets stand there twice")
        if self.refused:
            first = self.refused[0].rstrip(".")
            faults.append(f"{len(self.refused)} files or folders were left out, the first: {first}")
        if faults:
            kind = ArchiveError if self.refused else PacketError
            raise kind(f"{archive}: {'; '.join(faults)}. What is whole is decoded.")


class RowDecoder:
    """Decodes the rows of one device's day, in order."""

    def __init__(self, models: Models, tally: Tally) -> None:
        self._models = models
        self._tally = tally
        self._last: tuple[int, int] | None = None  # stream and index of the last packet

    def decode(self, rows: pa.Table) -> Piece:
        """Return the next rows, their packets decoded."""
        piece = Piece(rows, [None] * len(rows), [""] * len(rows))
        columns = ("kind", "stream", "index", "count", "model", "packet")
        by_model: dict[int, list[tuple[int, bytes]]] = {}
        for row, values in enumerate(
            zip(*(rows[name].to_pylist() for name in columns), strict=True)
        ):
            kind, stream, index, count, model, packet = values
            self._count(kind, count)
            if kind == schema.PACKET and self._is_repeat(stream, index):
                self._leave(piece, row, "this segment stands in the archive already")
            elif kind == schema.PACKET and model in self._models:
                by_model.setdefault(model, []).append((row, packet))
            elif kind in (schema.PACKET, schema.UNKNOWN_MODEL):
                self._without_bundle(piece, row, model)
        for number, sent in by_model.items():
            self._decode_model(piece, self._models[number], sent)
        return piece

    def _count(self, kind: str, count: int) -> None:
        self._tally.lost += count if kind == schema.GAP else 0
        self._tally.restarts += kind == schema.RESTART
        self._tally.wrong += kind == schema.BAD_PACKET

    def _is_repeat(self, stream: int, index: int) -> bool:
        is_repeat = self._last == (stream, index)
        self._last = (stream, index)
        self._tally.repeated += is_repeat
        return is_repeat

    def _without_bundle(self, piece: Piece, row: int, model: int | None) -> None:
        name = "unknown" if model is None else f"{model:08x}"
        self._tally.unknown[name] = self._tally.unknown.get(name, 0) + 1
        self._leave(piece, row, f"no bundle of model {name}")

    def _leave(self, piece: Piece, row: int, why: str) -> None:
        piece.problems[row] = why

    def _decode_model(self, piece: Piece, model: Model, sent: list[tuple[int, bytes]]) -> None:
        """Decode the packets of one model; those that cannot be are told in ``piece``."""
        rows, received = [], []
        for row, data in sent:
            try:
                received.append(packets.decode(data, model.manifest))
                rows.append(row)
            except PacketError as error:
                self._refuse(piece, row, error)
        decoded = model.decoder().decode_packets(received)
        ecg = decoded.ecg.astype(np.float32)
        for place, row in enumerate(rows):
            if place in decoded.wrong:
                self._refuse(piece, row, decoded.wrong[place])
            else:
                piece.ecg[row] = ecg[place]
        self._tally.decoded += len(rows) - len(decoded.wrong)

    def _refuse(self, piece: Piece, row: int, error: PacketError) -> None:
        self._tally.wrong += 1
        self._leave(piece, row, str(error))
