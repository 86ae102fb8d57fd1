"""The packets of a device that sends by itself, as they come: nothing is asked of it."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict

from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.codec.packet import decode as read_packet
from dynadeep.host_tools.errors import PacketError
from dynadeep.host_tools.link.base import Link
from dynadeep.host_tools.link.device import NANOSECONDS_PER_S, Counter
from dynadeep.host_tools.link.pushed import Crashed, Event, Pushed, PushedStream
from dynadeep.host_tools.monitor.beat import Beat, Curve, Facts
from dynadeep.host_tools.monitor.codec_tally import CodecTally


class ListenFeed:
    """Decodes what comes from a device of the decoder's model."""

    bars_title = "Levels"
    facts_title = "Compression"
    latency_title = "Between two packets"
    listens = True
    counter = Counter("nanoseconds", NANOSECONDS_PER_S, 1.0)

    def __init__(
        self, link: Link, decoder: Decoder, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._link, self._decoder, self._clock_ns = link, decoder, clock_ns
        self._tally = CodecTally(decoder.manifest)
        self._stream = PushedStream()
        self._waiting: deque[bytes] = deque()
        self._last_packet_ns = clock_ns()
        self._refused = 0
        self._crash = ""

    @property
    def input_s(self) -> float:
        """How long a segment's samples take to come."""
        return self._decoder.manifest.segment_length / self._decoder.manifest.rate_hz

    def step(self) -> Beat | None:
        """Decode the next packet; None if there was none in the time that a read waits."""
        if not self._waiting:
            for event in self._stream.feed(self._link.receive_block()):
                self._take(event)
        if not self._waiting:
            return None
        data = self._waiting.popleft()
        try:
            packet = read_packet(data, self._decoder.manifest)
            decoded = self._decoder.decode_packet(packet)
        except PacketError:
            self._refused += 1
            return None
        now_ns = self._clock_ns()
        since_ns, self._last_packet_ns = now_ns - self._last_packet_ns, now_ns
        self._tally.add(packet.level, len(decoded), len(data))
        return Beat(
            title=f"stream {packet.stream}, packet {packet.sequence}: sent as "
            f"{self._tally.name(packet.level)}, {len(data):,} bytes",
            curves=(Curve("decoded (mV)", self._tally.millivolts(decoded)),),
            bars=self._tally.bars(),
            facts=tuple(self._tally.facts()),
            ticks=since_ns,
        )

    def scale_bound(self, factor: float) -> bool:
        """Do nothing: such a device takes no bound over the line."""
        del factor
        return False

    def link_facts(self) -> Facts:
        """Return what the line brought."""
        line = self._stream.line
        crash = (("last crash", self._crash),) if self._crash else ()
        return (
            ("packets", f"{line.packets:,}"),
            ("lost", f"{line.lost:,}"),
            ("damaged frames", f"{line.damaged:,}"),
            ("strange frames", f"{line.strange:,}"),
            ("packets refused", f"{self._refused:,}"),
            ("starts told", f"{line.starts:,}"),
            ("crashes told", f"{line.faults:,}"),
            *crash,
        )

    def totals(self) -> dict[str, object]:
        """Return what the packets came to."""
        return {**self._tally.totals(), "refused": self._refused}

    def traffic(self) -> dict[str, object]:
        """Return what the line brought, as plain data."""
        return asdict(self._stream.line)

    def _take(self, event: Event) -> None:
        if isinstance(event, Pushed):
            self._waiting.append(event.packet)
        elif isinstance(event, Crashed):
            self._crash = str(event.fault)
