"""A request and its reply: asked again until it is answered, acted on once.

What is small is sent again with the same bytes, and the board answers a repeated request from
memory. What is large may never come through a bad line whole: it goes in several frames then, and
its reply is fetched from the board's memory piece by piece. Before a request is cut anew, the board
is asked whether it acted on it, so that nothing is ever done twice. Only silence counts against a
board: a damaged frame says that the line is bad, not that nobody is there.
"""

import logging
import secrets
import time
from collections.abc import Callable

from dynadeep.host_tools.link import frames, protocol
from dynadeep.host_tools.link.attempts import (
    Attempts,
    PendingRequest,
    Traffic,
    Waiting,
    crashed,
    silence,
)
from dynadeep.host_tools.link.base import Link
from dynadeep.host_tools.link.frames import SEQUENCES, Reply, Request
from dynadeep.host_tools.link.patience import Pace, Patience, Wait
from dynadeep.host_tools.link.protocol import Command, MalformedError, Status
from dynadeep.host_tools.link.sizes import FrameSize

LOG = logging.getLogger(__name__)
SHOWN_BYTES = 24
LONGEST_GREETING = 256
"""Bytes of HELLO's reply at most; afterwards the board itself has said how long replies are."""

LONG_REPLIES = (
    *(Command.TRACE, Command.TENSOR, Command.CONSTANTS, Command.OUTPUT, Command.ENCODE),
)
"""What is answered with so much that it may have to be fetched in pieces."""


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
        self.size = FrameSize()
        self.on_wait: Callable[[Waiting], None] = lambda waiting: None
        """Called before each wait: a user who sees nothing move is told what for."""
        self.on_unasked: Callable[[Reply], None] = lambda frame: None
        """Called with each frame that the board sends by itself, but for a report of a crash."""
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
            LinkError: the link broke, or nothing believable answers; see ``attempts.silence``.
            BoardCrashedError: the board reports a crash.
        """
        return self.ask_for_parts(command, payload, flags, work)[0]

    def ask_for_parts(
        self, command: Command, payload: bytes = b"", flags: int = 0, work: float = 0.0
    ) -> tuple[Reply, list[bytes | None]]:
        """Ask for what may come in several frames; see ``ask``.

        Returns:
            The last reply, and the payloads of all in order: None for one that was lost.
        """
        self.traffic.requests += 1
        so_far = Attempts(self._clock())
        while (answer := self._send_in_frames(command, payload, flags, work, so_far)) is None:
            LOG.debug("%s: cut into frames of %d bytes", command.name, self.size.limit)
        return answer

    def _send_in_frames(
        self, command: Command, payload: bytes, flags: int, work: float, so_far: Attempts
    ) -> tuple[Reply, list[bytes | None]] | None:
        """Send a request in as many frames as the line wants; None: in smaller ones, please."""
        size = self.size.limit
        pieces = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
        for index, piece in enumerate(pieces):
            more = protocol.FLAG_MORE if index < len(pieces) - 1 else 0
            goes_on = protocol.FLAG_GOES_ON if index else 0
            request = Request(self._next(), command, flags | more | goes_on, piece)
            pending = PendingRequest(request, 0.0 if more else work, self._clock())
            reply = self._until_answered(pending, so_far)
            if reply is None or reply.status == Status.BAD_FRAME:
                return None  # too large, or the board has lost its beginning
            if not more or reply.status != Status.OK:
                parts = pending.collect(reply)
                self._sequence = (self._sequence + len(parts) - 1) % SEQUENCES  # each had a number
                return reply, parts
        raise AssertionError("a request has a last frame")

    def _next(self) -> int:
        self._sequence = (self._sequence + 1) % SEQUENCES
        return self._sequence

    def _until_answered(self, pending: PendingRequest, so_far: Attempts) -> Reply | None:
        """Send a frame until it is answered; None if it was not acted on, and is now too large."""
        request = pending.request
        while True:
            reply = self._try(request, pending, so_far)
            if reply is None and self._is_long(request):
                reply = self._fetch(pending, so_far)
                if reply is None and self._is_too_large(request):
                    return None
            if reply is not None:
                return reply

    def _is_long(self, request: Request) -> bool:
        """Whether a request, or the reply to it, is more than the line lets through for certain."""
        if request.flags & protocol.FLAG_MORE:
            return self._is_too_large(request)
        return request.command in LONG_REPLIES or self._is_too_large(request)

    def _is_too_large(self, request: Request) -> bool:
        """Whether to cut a request anew; one that is cut already, only if it is far too large."""
        cut = request.flags & (protocol.FLAG_MORE | protocol.FLAG_GOES_ON)
        return len(request.payload) > self.size.limit * (4 if cut else 1)

    def _fetch(self, pending: PendingRequest, so_far: Attempts) -> Reply | None:
        """Get the reply to what was asked out of the board's memory; None if it is not there."""
        body = b""
        while True:
            count = min(self.size.limit, 0xFFFF)
            span = protocol.REPLY_REQUEST.pack(pending.request.sequence, len(body), count)
            request = Request(self._next(), Command.REPLY, 0, span)
            reply = self._try(request, pending, so_far, busy=not body)
            if reply is None:
                continue
            if reply.command != Command.REPLY:
                return reply  # the answer itself came after all
            if reply.status != Status.OK:
                so_far.unheard += reply.status == Status.BAD_ARGUMENT
                self.pace.unheard(pending.request.command)
                return None
            body += reply.payload
            if len(reply.payload) < count:
                break
        try:
            return frames.parse_body(body)
        except MalformedError as error:
            LOG.debug("the reply in the board's memory is damaged: %s", error)
            return None

    def _try(
        self, request: Request, pending: PendingRequest, so_far: Attempts, *, busy: bool = True
    ) -> Reply | None:
        """Send a frame once and wait for its answer, or the one to what was asked with it.

        ``busy``: the board may still be at work on that.
        """
        self._give_up(pending.request.command, so_far)
        wire = request.to_wire()
        work = pending.work if busy else 0.0
        command = pending.request.command
        wait = self.pace.wait(command, len(wire) + self.longest_reply, work)
        LOG.debug(
            "%s %d: %d bytes, try %d, reply due in %.2f s, given up in %.2f s",
            *(request.command.name, request.sequence, len(wire), so_far.tries + 1),
            *(wait.expected_s, wait.overdue_s),
        )
        self.on_wait(Waiting(command, so_far.tries, wait.expected_s))
        before = (so_far.damaged, so_far.stray_bytes)
        # What the port does not take in time is cut off, and the next try's zero ends it.
        self.link.send(wire)
        sent_s = self._clock()
        reply = self._wait_for_answer(request, pending, so_far, wait)
        if reply is not None:
            self._record_answer(request, pending, reply, sent_s, so_far)
            return reply
        noisy = (so_far.damaged, so_far.stray_bytes) > before
        so_far.failed += 1
        pending.failed += 1
        self.traffic.retries += 1
        so_far.noisy += noisy
        so_far.silent += not noisy
        self.size.failed()
        if not noisy and work:
            self.pace.unanswered(command)
        LOG.info(
            "%s %d: no answer in %.2f s%s",
            *(request.command.name, request.sequence, self._clock() - sent_s),
            ", but noise" if noisy else "",
        )
        return None

    def _wait_for_answer(
        self, request: Request, pending: PendingRequest, so_far: Attempts, wait: Wait
    ) -> Reply | None:
        """Wait for an answer; each part of it that comes gives the next one as long."""
        damaged, sent_s = so_far.damaged, self._clock()
        until_s = sent_s + wait.overdue_s
        while self._clock() < until_s:
            data = self.link.receive()
            if data.strip(frames.END):
                so_far.stray_bytes += len(data)
                so_far.last_bytes = data[-SHOWN_BYTES:]
            parts = len(pending.parts)
            for frame in self._reader.feed(data):
                reply = self._dispatch(frame, request, pending, so_far)
                if reply is not None:
                    return reply
            if len(pending.parts) > parts:
                until_s = self._clock() + wait.overdue_s
            if so_far.damaged > damaged and wait.measured:
                # The reply may be among what was damaged: once it was due, it is asked for again.
                due_s = max(sent_s + wait.expected_s, self._clock()) + self.patience.quiet_s
                until_s = min(until_s, due_s)
        return None

    def _give_up(self, command: Command, so_far: Attempts) -> None:
        """Raise what a board is that was asked often enough."""
        tries = self.patience.tries if command != Command.HELLO else self.patience.greetings
        failures = max(so_far.noisy, so_far.unheard)
        if so_far.silent >= tries or failures >= self.patience.noisy_tries:
            raise silence(self.link, command, so_far, self._clock() - so_far.begin_s)

    def _dispatch(
        self,
        frame: Reply | MalformedError,
        request: Request,
        pending: PendingRequest,
        so_far: Attempts,
    ) -> Reply | None:
        """Return a frame that is an answer; keep a part of one, and count any other.

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
            raise crashed(self.link, frame)
        elif frame.is_unasked:
            self.on_unasked(frame)
        elif frame.answers(request) and frame.status != Status.ANSWER_PART:
            return frame
        elif (index := frame.part_of(pending.request)) is not None:
            if frame.status != Status.ANSWER_PART:
                return frame
            pending.parts[index] = frame.payload
            so_far.answered()
        elif frame.answers(pending.request):
            return frame
        else:
            LOG.debug("a reply that nobody waits for: %d", frame.sequence)
            self.traffic.strange_frames += 1
        return None

    def _record_answer(
        self,
        request: Request,
        pending: PendingRequest,
        reply: Reply,
        sent_s: float,
        so_far: Attempts,
    ) -> None:
        command, work = pending.request.command, pending.work
        seconds = self._clock() - sent_s
        LOG.debug("%s %d: answered in %.3f s", request.command.name, request.sequence, seconds)
        self.size.passed()
        wire_bytes = (
            len(request.payload) + len(reply.payload) + sum(map(len, pending.parts.values()))
        )
        if request is pending.request and pending.failed == 0:
            self.pace.answered(command, seconds, wire_bytes, work)
        elif so_far.silent and reply.command == command and work:
            self.pace.late(command, self._clock() - pending.begin_s, wire_bytes, work)
        so_far.answered()
