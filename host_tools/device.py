"""A board that answers: one method per command, retries and time-outs inside.

A request that is lost or damaged, either way, is sent again with the same bytes; the board answers
a repeated one from memory, so nothing is ever acted on twice.
"""

import math
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from dynadeep.host_tools import frames, protocol
from dynadeep.host_tools.errors import (
    BoardCrashedError,
    HostError,
    LinkError,
    RefusedError,
    WrongFirmwareError,
)
from dynadeep.host_tools.frames import Reply, Request
from dynadeep.host_tools.links.link import Link
from dynadeep.host_tools.protocol import (
    Command,
    CounterUnit,
    Hello,
    MalformedError,
    RunReply,
    StackUse,
    Status,
    TraceEntry,
)

__all__ = ["Counter", "Device", "Patience", "RunReply"]

KEEP_BOUND = -1
LONGEST_HELLO = 256
GREETINGS = 5  # so many more tries, each so much shorter: HELLO costs a board nothing
NANOSECONDS_PER_S = 1_000_000_000
OTHER_MODEL = "Name the bundle that it was generated from, or generate, build and flash it again."
OTHER_BOARD = (
    "Leave --board out, since the firmware names its board, or build and flash the other's."
)
T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long to wait for an answer, from what the board has to do for it."""

    tries: int = 5
    reply_s: float = 2.0  # for anything without an inference
    inference_s: float = 30.0  # on the slowest board that is expected
    wire_bytes_per_s: float = 8_000.0  # both ways; 115,200 baud are 11,520
    damaged_s: float = 0.1  # for more to come after a damaged frame, before the next try

    def timeout_s(self, request_bytes: int, reply_bytes: int, inferences: int) -> float:
        """Return the time within which a reply must be complete."""
        wire_s = (request_bytes + reply_bytes) / self.wire_bytes_per_s
        return self.reply_s + wire_s + inferences * self.inference_s


@dataclass(frozen=True)
class Counter:
    """What the board's ticks are."""

    unit: str  # "instructions", "cycles" or "nanoseconds"
    rate_hz: int  # ticks a second
    per_tick: float  # units in one tick


@dataclass
class Traffic:
    """What the link had to put up with."""

    requests: int = 0
    retries: int = 0
    damaged_frames: int = 0
    strange_frames: int = 0  # sound ones that answer nothing that was asked


class Device:
    """A board behind a link."""

    def __init__(self, link: Link, patience: Patience | None = None):
        self.link = link
        self.traffic = Traffic()
        self._patience = patience or Patience()
        self._sequence = secrets.randbelow(1 << 16)
        self._reader = frames.FrameReader()
        self._about: Hello | None = None

    @property
    def about(self) -> Hello:
        """What the board said of itself; it is greeted if it was not."""
        return self._about or self.hello()

    @property
    def counter(self) -> Counter:
        """The unit of the board's ticks, which only the host knows if the board is emulated."""
        about = self.about
        instructions = self.link.counts_instructions
        unit = CounterUnit.INSTRUCTIONS if instructions else about.counter_unit
        # A cycle counter counts cycles; under an emulator an instruction takes a nanosecond.
        per_tick = 1.0 if unit is CounterUnit.CYCLES else NANOSECONDS_PER_S / about.counter_hz
        return Counter(unit.name.lower(), about.counter_hz, per_tick)

    def hello(self, model_id: str | None = None, board: str | None = None) -> Hello:
        """Greet the board, and refuse it if it is not what is expected.

        Raises:
            WrongFirmwareError: protocol, ``model_id`` or ``board`` is another.
            LinkError: nothing believable answers.
        """
        self.link.forget_input()
        payload = self._exchange(Command.HELLO)
        try:
            about = protocol.parse_hello(payload)
        except MalformedError as error:
            raise WrongFirmwareError(
                f"{self.link.name}: {error}. Build and flash the firmware with this kit."
            ) from error
        self._expect("model", about.model_id, model_id, OTHER_MODEL)
        self._expect("board", about.board, board, OTHER_BOARD)
        self._about = about
        return about

    def run(self, segment: npt.NDArray[np.int16], *, single: bool = False) -> RunReply:
        """Encode a segment and count it in the stream.

        ``single`` has the samples given to the encoder one by one, which only a streaming one can:
        ``worst_ticks`` is then what the slowest of them took.
        """
        flags = protocol.FLAG_SINGLE if single else 0
        *before, payload = self._in_pieces(Command.RUN, b"", segment, flags)
        if any(before):
            raise self._malformed("RUN gave a result before the segment was complete")
        return self._parse(protocol.parse_run, payload)

    def trace(self, segment: npt.NDArray[np.int16], *, unfused: bool) -> tuple[TraceEntry, ...]:
        """Return CRC and time of every tensor that a run shows; the stream is left alone."""
        flags = protocol.FLAG_UNFUSED if unfused else 0
        payload = b"".join(self._in_pieces(Command.TRACE, b"", segment, flags))
        return self._parse(protocol.parse_trace, payload)

    def tensor(
        self, segment: npt.NDArray[np.int16], number: int, size: int, *, unfused: bool
    ) -> npt.NDArray[np.int8]:
        """Return all ``size`` values of one tensor, flat; the stream is left alone."""
        flags = protocol.FLAG_UNFUSED if unfused else 0
        values = b""
        while len(values) < size:
            count = min(size - len(values), self.about.reply_bytes_max)
            wish = protocol.TENSOR_WISH.pack(number, count, len(values))
            piece = b""
            for part in self._in_pieces(Command.TENSOR, wish, segment, flags):
                piece += part
                if len(piece) >= count:
                    break
            if len(piece) != count:
                raise self._malformed(f"TENSOR gave {len(piece)} values, {count} were asked for")
            values += piece
        return np.frombuffer(values, np.int8)

    def constants(self) -> tuple[int, ...]:
        """Return the CRC-32 of each array of constants as it lies in flash."""
        # On a slow core the CRC of 100 KB takes as long as an inference.
        payload = self._exchange(Command.CONSTANTS, inferences=1)
        return self._parse(protocol.parse_constants, payload)

    def memory(self) -> StackUse:
        """Return the stack's size and the most of it that was ever used."""
        return self._parse(protocol.parse_memory, self._exchange(Command.MEMORY))

    def bound(self, bound: int = KEEP_BOUND) -> int:
        """Set the error bound (Q8.24), unless negative; return the one in force."""
        payload = self._exchange(Command.BOUND, protocol.BOUND.pack(bound))
        return self._parse(protocol.parse_bound, payload)

    def reset(self, stream: int = 0) -> None:
        """Begin a new stream of packets: its sequence starts at 0."""
        self._exchange(Command.RESET, protocol.STREAM.pack(stream))

    def _in_pieces(
        self, command: Command, head: bytes, segment: npt.NDArray[np.int16], flags: int
    ) -> Iterator[bytes]:
        """Send a segment in as many requests as the board needs; yield what each one gives."""
        samples = self._segment(segment)
        size = 2 * self.about.chunk_samples
        for at in range(0, len(samples), size):
            first = protocol.FLAG_FIRST if at == 0 else 0
            payload = head + samples[at : at + size]
            yield self._exchange(command, payload, flags | first, inferences=1)

    def _segment(self, segment: npt.NDArray[np.int16]) -> bytes:
        expected = (self.about.segment_length,)
        if segment.dtype != np.int16 or segment.shape != expected:
            raise HostError(
                f"segment: expected int16 of shape {expected}, found {segment.dtype} of shape "
                f"{segment.shape}. Cut the recording into whole segments of ADC samples."
            )
        return segment.astype("<i2").tobytes()

    def _expect(self, what: str, found: str, expected: str | None, advice: str) -> None:
        if expected is not None and found != expected:
            raise WrongFirmwareError(
                f"{self.link.name}: the firmware is of {what} {found}, expected {expected}. "
                f"{advice}"
            )

    def _parse(self, parse: Callable[[bytes], T], payload: bytes) -> T:
        try:
            return parse(payload)
        except MalformedError as error:
            raise self._malformed(str(error)) from error

    def _malformed(self, what: str) -> LinkError:
        return LinkError(
            f"{self.link.name}: {what}, though its CRC is right. Is the firmware of this kit?"
        )

    def _exchange(
        self, command: Command, payload: bytes = b"", flags: int = 0, inferences: int = 0
    ) -> bytes:
        """Send a request until it is answered, and return the answer's payload."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        request = Request(self._sequence, command, flags, payload)
        wire = request.to_wire()
        longest = self._about.reply_bytes_max if self._about else LONGEST_HELLO
        timeout_s = self._patience.timeout_s(len(wire), longest, inferences)
        tries = self._patience.tries
        if command is Command.HELLO:  # which a board that is still starting loses
            timeout_s, tries = timeout_s / GREETINGS, tries * GREETINGS
        self.traffic.requests += 1
        for attempt in range(tries):
            self.traffic.retries += attempt > 0
            # What the port does not take in time is cut off, and the next try's zero ends it.
            self.link.send(wire)
            reply = self._await(request, timeout_s)
            if reply is not None:
                return self._accepted(reply)
        raise self._silent(command, tries, timeout_s)

    def _await(self, request: Request, timeout_s: float) -> Reply | None:
        """Return the reply to ``request``, or None if it does not come whole and in time."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for frame in self._reader.feed(self.link.receive()):
                if isinstance(frame, MalformedError):
                    # Most likely the reply: there is no point in waiting long for another.
                    self.traffic.damaged_frames += 1
                    deadline = min(deadline, time.monotonic() + self._patience.damaged_s)
                elif frame.is_fault:
                    raise self._crashed(frame)
                elif frame.answers(request):
                    return frame
                else:
                    self.traffic.strange_frames += 1
        return None

    def _accepted(self, reply: Reply) -> bytes:
        if reply.status == Status.OK:
            return reply.payload
        if reply.status == Status.RESTARTED:
            raise BoardCrashedError(
                f"{self.link.name}: the board has restarted by itself; its bound and sequence are "
                "lost. Look for a power drop or a watchdog, then begin again."
            )
        name = Command(reply.command).name
        status = protocol.status_of(reply.status)
        if status is None:
            raise self._malformed(f"{name} was answered with status {reply.status}")
        raise RefusedError(
            f"{self.link.name}: {name} was refused with {status.name}: {status.text}. "
            "Is the firmware of this kit's version?",
            status,
        )

    def _crashed(self, reply: Reply) -> BoardCrashedError:
        fault = self._parse(protocol.parse_fault, reply.payload)
        return BoardCrashedError(
            f"{self.link.name}: the board crashed: {fault}. Find the line: "
            "arm-none-eabi-addr2line -f -e firmware.elf with that pc.",
            fault,
        )

    def _silent(self, command: Command, tries: int, timeout_s: float) -> LinkError:
        known = self.link.explain()
        damaged = self.traffic.damaged_frames
        if known:
            hint = known
        elif damaged:
            hint = f"{damaged} damaged frames came. Check baud rate, cable and ground."
        else:
            hint = "Is the board powered, and flashed with this kit's firmware?"
        return LinkError(
            f"{self.link.name}: no answer to {command.name} in {tries} tries of "
            f"{math.ceil(timeout_s * 10) / 10:g} s. {hint}"
        )
