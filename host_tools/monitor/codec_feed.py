"""Recordings through a codec's board, over and over: what was sent, and what came back of it."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from dynadeep.codegen.fixed_point import INT32_MAX
from dynadeep.codegen.numerics import fixed_error, real_error
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.codec.packet import SEQUENCES
from dynadeep.host_tools.codec.wire import EncodeReply
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.monitor.beat import Beat, BoardFeed, Curve
from dynadeep.host_tools.monitor.codec_tally import CodecTally
from dynadeep.host_tools.recordings.record import Record


class CodecFeed(BoardFeed):
    """Streams recordings, one after the other, from the first again behind the last."""

    bars_title = "Levels"
    facts_title = "Compression"

    def __init__(
        self, device: Device, decoder: Decoder, records: Sequence[Record], bound: float
    ) -> None:
        super().__init__(device)
        self._tally = CodecTally(decoder.manifest)
        self.manifest = decoder.manifest
        self._decoder = decoder
        self._board = CodecBoard(device)
        self._segments = self._all_segments(records)
        self._next_bound = bound
        self._sent_bound = self.bound = -1.0  # what the board was asked for, and has
        self._clipped = 0

    @property
    def input_s(self) -> float:
        """How long a segment's samples take to come."""
        return self.manifest.segment_length / self.manifest.rate_hz

    def step(self) -> Beat:
        """Encode the next segment, and decode its packet."""
        requested = self._next_bound  # which a key may change meanwhile
        if requested != self._sent_bound:
            self.bound = real_error(self._board.bound(fixed_error(requested)))
            self._sent_bound = requested
        record, index = next(self._segments)
        segment = record.segments[index]
        reply = self._board.encode(segment)
        decoded = self._decoder.decode(reply.packet)
        real = record.real_samples(index)
        self._tally.add(reply.level, real, len(reply.packet))
        self._clipped += reply.clipped
        error = (decoded[:real] - segment[:real]) / self.manifest.adc_gain
        return Beat(
            title=f"{record.name}, segment {index}: sent as {self._tally.name(reply.level)}, "
            f"{len(reply.packet):,} bytes",
            curves=(
                Curve("sent (mV)", self._tally.millivolts(segment.astype(np.float64))),
                Curve("decoded", self._tally.millivolts(decoded)),
            ),
            bars=self._tally.bars(),
            facts=tuple(self._facts(reply, float(np.sqrt(np.mean(error**2))))),
            ticks=reply.ticks,
        )

    def scale_bound(self, factor: float) -> bool:
        """Have the next segments encoded at another bound."""
        self._next_bound = min(max(self._next_bound, 1e-3) * factor, real_error(INT32_MAX))
        return True

    def totals(self) -> dict[str, object]:
        """Return what the segments came to."""
        return {**self._tally.totals(), "bound": self._next_bound, "clipped": self._clipped}

    def _all_segments(self, records: Sequence[Record]) -> Iterator[tuple[Record, int]]:
        for stream, record in zip(itertools.count(), itertools.cycle(records), strict=False):
            self._board.reset(stream % SEQUENCES)
            for index in range(len(record.segments)):
                yield record, index

    def _facts(self, reply: EncodeReply, error_mv: float) -> Iterator[tuple[str, str]]:
        unit = self.manifest.error_unit
        yield from self._tally.facts()
        yield f"bound ({unit})", f"{self.bound:.3g}"
        for level, predicted in zip(self.manifest.levels, reply.predicted, strict=True):
            yield f"predicted, {level.name}", f"{real_error(predicted):.3g}"
        yield "RMS error", f"{error_mv * 1e3:,.1f} uV"
        yield "samples clipped", f"{self._clipped:,}"
