"""A board that answers: one method per command, every answer checked before it is believed."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from dynadeep.host_tools.errors import (
    BoardRestartedError,
    HostError,
    LinkError,
    OtherProtocolError,
    RefusedError,
    WrongBoardError,
    WrongFirmwareError,
)
from dynadeep.host_tools.link import answers, protocol
from dynadeep.host_tools.link.answers import Model
from dynadeep.host_tools.link.attempts import Traffic
from dynadeep.host_tools.link.base import Link
from dynadeep.host_tools.link.exchange import Exchange
from dynadeep.host_tools.link.frames import Reply
from dynadeep.host_tools.link.parts import Fetch, Parts, Range, place
from dynadeep.host_tools.link.patience import Patience
from dynadeep.host_tools.link.protocol import (
    Command,
    CounterUnit,
    Hello,
    MalformedError,
    StackUse,
    Status,
    TraceEntry,
    VersionError,
)

__all__ = ["Counter", "Device", "Patience"]

LOG = logging.getLogger(__name__)
MOST_AT_ONCE = (1 << 16) - 1
"""Values that one request may ask for."""

NANOSECONDS_PER_S = 1_000_000_000
WORK = {
    Command.ENCODE: 1.0,
    Command.RUN: 1.0,
    Command.TENSOR: 1.0,
    Command.TRACE: 2.0,
    Command.CONSTANTS: 1.0,
    Command.SAMPLES: 1.0,  # the one that completes a segment sets all of its work going
}
"""What a command costs a board, in inferences. A trace takes the CRC of each tensor; on a slow core
that of 100 KB of constants takes as long as an inference."""

OTHER_MODEL = "Name the bundle that it was generated from, or generate, build and flash it again."
OTHER_BOARD = (
    "Leave --board out, since the firmware names its board, or build and flash the other's."
)
T = TypeVar("T")
Values = npt.NDArray[np.int8] | npt.NDArray[np.int16]
"""An inference's input: ``Hello.input_length`` of ``Hello.input_dtype``."""


Unit = Literal["instructions", "cycles", "nanoseconds"]

UNITS: dict[CounterUnit, Unit] = {
    CounterUnit.INSTRUCTIONS: "instructions",
    CounterUnit.CYCLES: "cycles",
    CounterUnit.NANOSECONDS: "nanoseconds",
}


@dataclass(frozen=True)
class Counter:
    """What the board's ticks are."""

    unit: Unit
    rate_hz: int  # ticks a second
    per_tick: float  # units in one tick


class Device:
    """A board behind a link."""

    def __init__(
        self,
        link: Link,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.exchange = Exchange(link, patience, clock)
        self._about: Hello | None = None
        self.restarts_allowed = 0
        """How often a board may restart by itself during one command, and the work goes on."""
        self.restore: Callable[[], None] = lambda: None
        """Called after such a restart: set the board up again as it was."""
        self.on_segment: Callable[[], None] = lambda: None
        """Called whenever a whole segment was run or traced: how far a measurement is."""

    @property
    def link(self) -> Link:
        """The link to the board."""
        return self.exchange.link

    @property
    def traffic(self) -> Traffic:
        """What the link had to put up with so far."""
        return self.exchange.traffic

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
        return Counter(UNITS[unit], about.counter_hz, per_tick)

    def hello(self, model_id: str | None = None, board: str | None = None) -> Hello:
        """Greet the board, and refuse it if it is not what is expected.

        Raises:
            WrongFirmwareError: ``model_id`` is another, or it cannot be what it says.
            OtherProtocolError: it speaks another version of the protocol.
            WrongBoardError: it is another board than ``board``.
            LinkError: nothing believable answers.
        """
        self.link.forget_input()
        payload = self.ask(Command.HELLO)
        try:
            about = protocol.parse_hello(payload)
            answers.check_hello(about)
        except MalformedError as error:
            raise self._not_ours(error) from error
        self._expect("model", about.model_id, model_id, WrongFirmwareError, OTHER_MODEL)
        self._expect("board", about.board, board, WrongBoardError, OTHER_BOARD)
        self._about = about
        self.exchange.longest_reply = about.reply_bytes_max
        self.expect(self.exchange.patience.inference_s)
        if about.sample_rate_hz:  # a board that keeps up is done before the next input is there
            input_s = about.input_length / about.sample_rate_hz
            self.expect(min(input_s, self.exchange.patience.inference_s))
        return about

    def expect(self, inference_s: float) -> None:
        """Say what the board will take for an inference, until it is measured."""
        self.exchange.pace.inference_s = inference_s

    def check_model(self, model: Model) -> None:
        """Check what the board says of its model against the model itself.

        Raises:
            WrongFirmwareError: it is not what the model is.
        """
        try:
            answers.check_model(self.about, model)
        except MalformedError as error:
            raise self._not_ours(error) from error

    def trace(self, values: Values, *, unfused: bool) -> tuple[TraceEntry, ...]:
        """Return CRC and time of every tensor that a run shows.

        What the application counts is left alone.
        """
        flags = protocol.FLAG_UNFUSED if unfused else 0
        payload = self.run_in_pieces(Command.TRACE, values, flags)
        entries = self.parse(protocol.parse_trace, payload)
        self.check(answers.check_trace, entries, self.about)
        self.on_segment()
        return entries

    def tensor(
        self, values: Values, number: int, size: int, *, unfused: bool
    ) -> npt.NDArray[np.int8]:
        """Return all ``size`` values of one tensor, flat.

        What the application counts is left alone.
        """
        flags = protocol.FLAG_UNFUSED if unfused else 0

        def fetch(begin: int, count: int) -> Iterator[Parts]:
            span = protocol.TENSOR_REQUEST.pack(number, count, begin)
            return self._in_requests(Command.TENSOR, span, values, flags)

        return np.frombuffer(self.read_parts(Command.TENSOR, fetch, size), np.int8)

    def output(self, number: int, size: int) -> npt.NDArray[np.int8]:
        """Return all ``size`` values of one output of the last run, flat."""

        def fetch(begin: int, count: int) -> Iterator[Parts]:
            yield self._ask_for_parts(
                Command.OUTPUT, protocol.TENSOR_REQUEST.pack(number, count, begin)
            )

        return np.frombuffer(self.read_parts(Command.OUTPUT, fetch, size), np.int8)

    def read_parts(self, command: Command, fetch: Fetch, size: int) -> bytes:
        """Return ``size`` bytes that come in parts; what was lost of them is fetched again."""
        values, missing = bytearray(size), [(0, size)]
        part_bytes = self.about.reply_bytes_max

        def read(begin: int, count: int) -> list[Range]:
            return place(values, (begin, count), fetch(begin, count), part_bytes)

        while missing:
            begin, left = missing.pop()
            # On a bad line no more at a time than the board remembers.
            count = min(left, part_bytes if self.exchange.size.disturbed else MOST_AT_ONCE)
            if left > count:
                missing.append((begin + count, left - count))
            try:
                missing += self.resumed(partial(read, begin, count))
            except MalformedError as error:
                raise self.malformed(f"{command.name} {error}") from error
        return bytes(values)

    def constants(self) -> tuple[int, ...]:
        """Return the CRC-32 of each array of constants as it lies in flash."""
        if self.about.constants == 0:
            return ()  # an answer without content could not be told from an echo
        payload = self.resumed(lambda: self.ask(Command.CONSTANTS))
        crcs = self.parse(protocol.parse_constants, payload)
        self.check(answers.check_constants, crcs, self.about)
        return crcs

    def memory(self) -> StackUse:
        """Return the stack's size and the most of it that was ever used."""
        payload = self.resumed(lambda: self.ask(Command.MEMORY))
        stack = self.parse(protocol.parse_memory, payload)
        self.check(answers.check_memory, stack)
        return stack

    def give_samples(self, samples: npt.NDArray[np.int16]) -> None:
        """Give samples, ADC units, to a device whose source is the link; it takes them in order.

        What it sends by itself meanwhile goes to ``exchange.on_unasked``.
        """
        size = self.about.chunk_bytes
        content = samples.astype("<i2").tobytes()
        for at in range(0, len(content), size):
            answers.check_empty(self.ask(Command.SAMPLES, content[at : at + size]), "SAMPLES")

    def run_in_pieces(self, command: Command, values: Values, flags: int = 0) -> bytes:
        """Run the network over an input; return what the board says when it is complete."""

        def run() -> bytes:
            *before, (payload,) = self._in_requests(command, b"", values, flags)
            if any(any(parts) for parts in before):
                raise self.malformed(f"{command.name} gave a result before the input was complete")
            assert payload is not None  # the last part is what a reply is told by
            return payload

        return self.resumed(run)

    def _in_requests(
        self, command: Command, head: bytes, values: Values, flags: int
    ) -> Iterator[Parts]:
        """Send an input in as many requests as the board needs; yield what each one gives."""
        content = self._content(values)
        size = self.about.chunk_bytes
        for at in range(0, len(content), size):
            first = protocol.FLAG_FIRST if at == 0 else 0
            payload = head + content[at : at + size]
            share = len(content[at : at + size]) / len(content)
            yield self._ask_for_parts(command, payload, flags | first, share)

    def _content(self, values: Values) -> bytes:
        dtype, expected = np.dtype(self.about.input_dtype), (self.about.input_length,)
        if values.dtype != dtype or values.shape != expected:
            raise HostError(
                f"input: expected {dtype} of shape {expected}, found {values.dtype} of shape "
                f"{values.shape}. A codec takes whole segments of ADC samples, a network the "
                "codes of its inputs, flat, one input behind the other."
            )
        return values.astype(dtype.newbyteorder("<")).tobytes()

    def _expect(
        self,
        name: str,
        actual: str,
        expected: str | None,
        error: type[WrongFirmwareError],
        advice: str,
    ) -> None:
        if expected is not None and actual != expected:
            raise error(
                f"{self.link.name}: the firmware is of {name} {actual}, expected {expected}. "
                f"{advice}"
            )

    def parse(self, parse: Callable[[bytes], T], payload: bytes) -> T:
        """Read a payload; one that makes no sense is a fault of the link's."""
        try:
            return parse(payload)
        except MalformedError as error:
            raise self.malformed(str(error)) from error

    def check(self, check: Callable[..., None], *arguments: object) -> None:
        """Check an answer; one that cannot be true is a fault of the link's."""
        try:
            check(*arguments)
        except MalformedError as error:
            raise self.malformed(str(error)) from error

    def _not_ours(self, error: MalformedError) -> WrongFirmwareError:
        kind = OtherProtocolError if isinstance(error, VersionError) else WrongFirmwareError
        return kind(f"{self.link.name}: {error}. Build and flash the firmware with this kit.")

    def malformed(self, problem: str) -> LinkError:
        """Return the error for an answer that is not what the protocol says."""
        return LinkError(
            f"{self.link.name}: {problem}, though its CRC is right. Is the firmware of this kit?"
        )

    def ask(
        self, command: Command, payload: bytes = b"", flags: int = 0, share: float = 1.0
    ) -> bytes:
        """Return the payload of a request's answer; ``share`` is that of an input it carries."""
        work = WORK.get(command, 0.0) * share
        return self._accepted(self.exchange.ask(command, payload, flags, work))

    def _ask_for_parts(
        self, command: Command, payload: bytes = b"", flags: int = 0, share: float = 1.0
    ) -> Parts:
        """Return the payloads of an answer's parts; None for one that was lost."""
        work = WORK.get(command, 0.0) * share
        reply, parts = self.exchange.ask_for_parts(command, payload, flags, work)
        self._accepted(reply)
        return parts

    def resumed(self, run: Callable[[], T]) -> T:
        """Do something with the board, once more if it restarts by itself meanwhile.

        Raises:
            BoardRestartedError: it restarts more often than ``restarts_allowed``.
            WrongFirmwareError: it is another firmware since.
        """
        for _ in range(self.restarts_allowed):
            try:
                return run()
            except BoardRestartedError as error:
                LOG.warning("%s The work goes on.", error)
                self._greet_again()
        return run()

    def _greet_again(self) -> None:
        before = self.about
        if self.hello(before.model_id, before.board) != before:
            raise WrongFirmwareError(
                f"{self.link.name}: it restarted with other firmware than before. "
                "Was it flashed meanwhile? Begin again."
            )
        self.traffic.restarts += 1
        self.restore()

    def _accepted(self, reply: Reply) -> bytes:
        if reply.status == Status.OK:
            return reply.payload
        if reply.status == Status.RESTARTED:
            raise BoardRestartedError(
                f"{self.link.name}: the board has restarted by itself; its bound and sequence are "
                "lost. Look for a power drop or a watchdog, then begin again."
            )
        name = Command(reply.command).name
        status = protocol.status_of(reply.status)
        if status is None:
            raise self.malformed(f"{name} was answered with status {reply.status}")
        raise RefusedError(
            f"{self.link.name}: {name} was refused with {status.name}: {status.text}. "
            "Is the firmware of this kit's version?",
            status,
        )
