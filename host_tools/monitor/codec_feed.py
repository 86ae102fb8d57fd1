"""Recordings through a codec's board, over and over: what was sent, and what came back of it."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from dynadeep.codegen.fixed_point import INT32_MAX
from dynadeep.codegen.numerics import fixed_error, real_error
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.codec.packet import SEQUENCES
from dynadeep.host_tools.codec.stream import SAMPLE_BYTES, published_gains
from dynadeep.host_tools.codec.wire import EncodeReply
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.monitor.beat import Bar, Beat, Curve, Values
from dynadeep.host_tools.recordings.record import Record


class CodecFeed:
    """Streams recordings, one after the other, from the first again behind the last."""

    bars_title = "Levels"
    facts_title = "Compression"

    def __init__(
        self, device: Device, decoder: Decoder, records: Sequence[Record], bound: float
    ) -> None:
        self.manifest = decoder.manifest
        self._decoder = decoder
        self._board = CodecBoard(device)
        self._segments = self._all_segments(records)
        self._wanted = bound
        self._asked = self.bound = -1.0  # what the board was asked for, and has
        self._levels: Counter[int] = Counter()
        self._gains = published_gains(self.manifest)
        self._bytes_in = self._bytes_out = self._clipped = 0

    @property
    def input_s(self) -> float:
        """How long a segment's samples take to come."""
        return self.manifest.segment_length / self.manifest.rate_hz

    def step(self) -> Beat:
        """Encode the next segment, and decode its packet."""
        wanted = self._wanted  # which a key may change meanwhile
        if wanted != self._asked:
            self.bound = real_error(self._board.bound(fixed_error(wanted)))
            self._asked = wanted
        record, index = next(self._segments)
        segment = record.segments[index]
        reply = self._board.encode(segment)
        decoded = self._decoder.decode(reply.packet)
        real = record.real_samples(index)
        self._levels[reply.level] += 1
        self._bytes_in += SAMPLE_BYTES * real
        self._bytes_out += len(reply.packet)
        self._clipped += reply.clipped
        error = (decoded[:real] - segment[:real]) / self.manifest.adc_gain
        return Beat(
            title=f"{record.name}, segment {index}: sent as {self._name(reply.level)}, "
            f"{len(reply.packet):,} bytes",
            curves=(
                Curve("sent (mV)", self._millivolts(segment.astype(np.float64))),
                Curve("decoded", self._millivolts(decoded)),
            ),
            bars=tuple(self._bars()),
            facts=tuple(self._facts(reply, float(np.sqrt(np.mean(error**2))))),
            ticks=reply.ticks,
        )

    def scale_bound(self, factor: float) -> bool:
        """Have the next segments encoded at another bound."""
        self._wanted = min(max(self._wanted, 1e-3) * factor, real_error(INT32_MAX))
        return True

    def totals(self) -> dict[str, object]:
        """Return what the segments came to."""
        return {
            "segments": self._levels.total(),
            "levels": {self._name(n): self._levels[n] for n in range(self._count)},
            "bound": self._wanted,
            "bytes_in": self._bytes_in,
            "bytes_out": self._bytes_out,
            "byte_cg": self._bytes_in / self._bytes_out if self._bytes_out else None,
            "clipped": self._clipped,
        }

    def _all_segments(self, records: Sequence[Record]) -> Iterator[tuple[Record, int]]:
        for stream, record in zip(itertools.count(), itertools.cycle(records), strict=False):
            self._board.reset(stream % SEQUENCES)
            for index in range(len(record.segments)):
                yield record, index

    @property
    def _count(self) -> int:
        return 1 + len(self.manifest.levels)

    def _name(self, level: int) -> str:
        return ("none", *(one.name for one in self.manifest.levels))[level]

    def _millivolts(self, values: Values) -> Values:
        return (values - self.manifest.adc_baseline) / self.manifest.adc_gain

    def _bars(self) -> Iterator[Bar]:
        total = self._levels.total()
        for level in range(self._count):
            share = self._levels[level] / total
            yield Bar(self._name(level), share, f"{self._levels[level]:,} ({share:.0%})")

    def _facts(self, reply: EncodeReply, error_mv: float) -> Iterator[tuple[str, str]]:
        unit = self.manifest.error_unit
        yield "byte CG", f"{self._bytes_in / self._bytes_out:.2f}"
        gain = sum(self._gains[level] * count for level, count in self._levels.items())
        yield "mean CG (published)", f"{gain / self._levels.total():.2f}"
        yield "bytes", f"{self._bytes_in:,} in, {self._bytes_out:,} out"
        yield f"bound ({unit})", f"{self.bound:.3g}"
        for level, predicted in zip(self.manifest.levels, reply.predicted, strict=True):
            yield f"predicted, {level.name}", f"{real_error(predicted):.3g}"
        yield "RMS error", f"{error_mv * 1e3:,.1f} uV"
        yield "samples clipped", f"{self._clipped:,}"
