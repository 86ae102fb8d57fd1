"""A request and its reply: asked again until it is answered, acted on once.

A request that is lost or damaged, either way, is sent again with the same bytes; the board answers
a repeated one from memory, so that nothing is ever acted on twice. Only silence counts against a
board: a damaged frame says that the line is bad, not that nobody is there.
"""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from dynadeep.host_tools.errors import (
    BoardCrashedError,
    BoardHangsError,
    LinkError,
    NoisyLineError,
    SilentBoardError,
    StackOverflowError,
)
from dynadeep.host_tools.link import frames, protocol
from dynadeep.host_tools.link.base import Link
from dynadeep.host_tools.link.frames import Reply, Request
from dynadeep.host_tools.link.patience import Pace, Patience
from dynadeep.host_tools.link.protocol import Command, FaultKind, MalformedError

LOG = logging.getLogger(__name__)
SEQUENCES = 1 << 16
SHOWN_BYTES = 24
LONGEST_GREETING = 256
"""Bytes of HELLO's reply at most; afterwards the board itself has said how long replies are."""


@dataclass
class Traffic:
    """What the link had to put up with."""

    requests: int = 0
    retries: int = 0
    damaged_frames: int = 0
    strange_frames: int = 0  # sound ones that answer nothing that was asked
    echoes: int = 0  # our own requests, as they were sent


@dataclass
class Attempts:
    """How one request fared so far."""

    begin_s: float
    silent: int = 0
    noisy: int = 0
    damaged: int = 0
    echoes: int = 0
    stray_bytes: int = 0  # that belong to no sound frame, if nothing else came
    last_bytes: bytes = b""

    @property
    def tries(self) -> int:
        """How often it was sent without an answer."""
        return self.silent + self.noisy


class Exchange:
    """Requests over one link, numbered, timed, and repeated where they must be."""

    def __init__(
        self,
        link: Link,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.link = link
        self.traffic = Traffic()
        self.patience = patience or Patience()
        self.pace = Pace(self.patience, link.bytes_per_s)
        self.longest_reply = LONGEST_GREETING
        self._clock = clock
        self._sequence = secrets.randbelow(SEQUENCES)
        self._reader = frames.FrameReader()

    def ask(
        self, command: Command, payload: bytes = b"", flags: int = 0, work: float = 0.0
    ) -> Reply:
        """Send a request until it is answered, and return the answer, whatever its status.

        Args:
            command: what is asked.
            payload: with the request.
            flags: of the request.
            work: inferences that the board computes for it.

        Raises:
            LinkError: the link broke, or nothing believable answers; see ``_silent``.
            BoardCrashedError: the board reports a crash.
        """
        self._sequence = (self._sequence + 1) % SEQUENCES
        request = Request(self._sequence, command, flags, payload)
        self.traffic.requests += 1
        so_far = Attempts(self._clock())
        while not self._given_up(command, so_far):
            self.traffic.retries += so_far.tries > 0
            reply = self._try(request, work, so_far)
            if reply is not None:
                return reply
        raise self._silent(command, so_far)

    def _given_up(self, command: Command, so_far: Attempts) -> bool:
        tries = self.patience.tries if command != Command.HELLO else self.patience.greetings
        return so_far.silent >= tries or so_far.noisy >= self.patience.noisy_tries

    def _try(self, request: Request, work: float, so_far: Attempts) -> Reply | None:
        """Send a request once and wait for its reply; count what came in its place."""
        wire = request.to_wire()
        damaged, stray_bytes = so_far.damaged, so_far.stray_bytes
        wait = self.pace.wait(request.command, len(wire) + self.longest_reply, work)
        LOG.debug(
            "%s %d: %d bytes, try %d, reply due in %.2f s, given up in %.2f s",
            *(request.command.name, request.sequence, len(wire), so_far.tries + 1),
            *(wait.expected_s, wait.overdue_s),
        )
        # What the port does not take in time is cut off, and the next try's zero ends it.
        self.link.send(wire)
        sent_s = self._clock()
        until_s = sent_s + wait.overdue_s
        while self._clock() < until_s:
            data = self.link.receive()
            if data.strip(frames.END):
                so_far.stray_bytes += len(data)
                so_far.last_bytes = data[-SHOWN_BYTES:]
            for frame in self._reader.feed(data):
                reply = self._sort(frame, request, so_far)
                if reply is not None:
                    self._note(request, reply, sent_s, work, so_far)
                    return reply
            if so_far.damaged > damaged and wait.measured:
                # The reply may be among what was damaged: once it was due, it is asked for again.
                due_s = max(sent_s + wait.expected_s, self._clock()) + self.patience.quiet_s
                until_s = min(until_s, due_s)
        noisy = so_far.damaged > damaged or so_far.stray_bytes > stray_bytes
        so_far.noisy += noisy
        so_far.silent += not noisy
        if not noisy and request.command != Command.HELLO:
            self.pace.unanswered(request.command)
        LOG.info(
            "%s %d: no answer in %.2f s%s",
            *(request.command.name, request.sequence, self._clock() - sent_s),
            ", but noise" if noisy else "",
        )
        return None

    def _sort(
        self, frame: Reply | MalformedError, request: Request, so_far: Attempts
    ) -> Reply | None:
        """Return a frame that is the reply; count any other.

        Raises:
            BoardCrashedError: it is the board's report of a crash.
        """
        if isinstance(frame, MalformedError):
            LOG.debug("damaged frame: %s", frame)
            self.traffic.damaged_frames += 1
            so_far.damaged += 1
        elif frame.echoes(request):
            self.traffic.echoes += 1
            so_far.echoes += 1
            so_far.stray_bytes = 0
        elif frame.is_fault:
            raise self._crashed(frame)
        elif frame.answers(request):
            return frame
        else:
            LOG.debug("a reply that nobody waits for: %d", frame.sequence)
            self.traffic.strange_frames += 1
        return None

    def _note(
        self, request: Request, reply: Reply, sent_s: float, work: float, so_far: Attempts
    ) -> None:
        seconds = self._clock() - sent_s
        LOG.debug("%s %d: answered in %.3f s", request.command.name, request.sequence, seconds)
        wire_bytes = len(request.payload) + len(reply.payload)
        if so_far.tries == 0:
            self.pace.answered(request.command, seconds, wire_bytes, work)
        elif so_far.silent:
            all_s = self._clock() - so_far.begin_s
            self.pace.late(request.command, all_s, wire_bytes, work)

    def _crashed(self, reply: Reply) -> BoardCrashedError:
        try:
            fault = protocol.parse_fault(reply.payload)
        except MalformedError as error:
            return BoardCrashedError(
                f"{self.link.name}: the board crashed, and its report makes no sense: {error}. "
                "Is the firmware of this kit?"
            )
        kind = StackOverflowError if fault.kind == FaultKind.STACK else BoardCrashedError
        return kind(f"{self.link.name}: the board crashed: {fault}.", fault)

    def _silent(self, command: Command, so_far: Attempts) -> LinkError:
        """Return what a board that does not answer is: noise, silence, or one that hangs."""
        seconds = self._clock() - so_far.begin_s
        kind, hint = self._diagnosis(command, so_far)
        return kind(
            f"{self.link.name}: no answer to {command.name} in {so_far.tries} tries, "
            f"{seconds:.1f} s in all. {hint}"
        )

    def _diagnosis(self, command: Command, so_far: Attempts) -> tuple[type[LinkError], str]:
        at_baud = f" ({self.link.baud:,} here)" if self.link.baud else ""
        if known := self.link.explain():
            return LinkError, known
        if so_far.damaged:
            came = f"{so_far.damaged} damaged frame{'s' if so_far.damaged > 1 else ''} came"
            return NoisyLineError, f"{came}. Check baud rate{at_baud}, cable and ground."
        if so_far.echoes:
            return NoisyLineError, (
                "Only what was sent came back: the line echoes. Look for TX joined to RX, or a "
                "terminal or modem with its echo on, in place of a board."
            )
        if so_far.stray_bytes:
            return NoisyLineError, (
                f"{so_far.stray_bytes} bytes came that are no answer, the last of them "
                f"{so_far.last_bytes!r}. Does something else speak there, or at another baud "
                f"rate{at_baud}?"
            )
        if command != Command.HELLO:
            return BoardHangsError, (
                "It answered before: does it hang, or was it unplugged? Reset it, and run again."
            )
        return SilentBoardError, (
            "Is the board powered, flashed with this kit's firmware, and of the same baud "
            f"rate{at_baud}?"
        )
