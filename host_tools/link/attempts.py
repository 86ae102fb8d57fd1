"""How the requests over a link fared, and what a board is called that does not answer."""

from dataclasses import dataclass, field

from dynadeep.host_tools.errors import (
    BoardCrashedError,
    BoardHangsError,
    LinkError,
    NoisyLineError,
    SilentBoardError,
    StackOverflowError,
)
from dynadeep.host_tools.link import protocol
from dynadeep.host_tools.link.base import Link
from dynadeep.host_tools.link.frames import Reply, Request
from dynadeep.host_tools.link.protocol import Command, FaultKind, MalformedError


@dataclass
class Traffic:
    """What the link had to put up with."""

    requests: int = 0
    retries: int = 0
    damaged_frames: int = 0
    strange_frames: int = 0  # sound ones that answer nothing that was asked
    echoes: int = 0  # our own requests, as they were sent
    restarts: int = 0  # of the board, after which the work was resumed

    def remarks(self) -> list[str]:
        """Return what a user should know of a run that ended right all the same."""
        remarks = []
        if self.restarts:
            times = "once" if self.restarts == 1 else f"{self.restarts} times"
            remarks.append(f"the board restarted by itself {times}; the work was resumed each time")
        if self.retries:
            remarks.append(f"the line: {self.retries} tries of {self.requests} requests were lost")
        return remarks


@dataclass
class Attempts:
    """How one request fared so far; silence and noise count since the last sound answer."""

    begin_s: float
    failed: int = 0  # tries without an answer, in all
    silent: int = 0
    noisy: int = 0
    unheard: int = 0  # times that the board said it never got the request
    damaged: int = 0
    echoes: int = 0
    stray_bytes: int = 0  # that belong to no sound frame, if nothing else came
    last_bytes: bytes = b""

    @property
    def tries(self) -> int:
        """How often something was sent without an answer."""
        return self.silent + self.noisy

    def answered(self) -> None:
        """Take note of a sound answer: somebody is there."""
        self.silent = self.noisy = 0


@dataclass
class PendingRequest:
    """A request under way, and the parts of its answer that came."""

    request: Request
    work: float  # inferences that the board computes for it
    begin_s: float  # when it was sent first
    failed: int = 0  # tries, those to fetch its reply included
    parts: dict[int, bytes] = field(default_factory=dict)

    def collect(self, last: Reply) -> list[bytes | None]:
        """Return all parts in order, None for one that was lost, now that the last one came."""
        count = last.part_of(self.request) or 0
        return [*(self.parts.get(index) for index in range(count)), last.payload]


@dataclass(frozen=True)
class Waiting:
    """What a board is waited for."""

    command: Command
    tries: int  # that had no answer yet
    expected_s: float  # when the reply is due

    def __str__(self) -> str:
        """Say it in a few words."""
        due_text = f"due in {self.expected_s:.1f} s" if self.expected_s >= 1 else "due at once"
        again = f", try {self.tries + 1}" if self.tries else ""
        return f"waiting for {self.command.name}, {due_text}{again}"


def crashed(link: Link, reply: Reply) -> BoardCrashedError:
    """Return the error for a board's own report of a crash."""
    try:
        fault = protocol.parse_fault(reply.payload)
    except MalformedError as error:
        return BoardCrashedError(
            f"{link.name}: the board crashed, and its report makes no sense: {error}. "
            "Is the firmware of this kit?"
        )
    kind = StackOverflowError if fault.kind == FaultKind.STACK else BoardCrashedError
    return kind(f"{link.name}: the board crashed: {fault}.", fault)


def silence(link: Link, command: Command, so_far: Attempts, seconds: float) -> LinkError:
    """Return what a board that does not answer is: noise, silence, or one that hangs."""
    kind, hint = _diagnosis(link, command, so_far)
    tries = so_far.tries or so_far.failed
    return kind(
        f"{link.name}: no answer to {command.name} in {tries} tries, {seconds:.1f} s in all. {hint}"
    )


def _diagnosis(link: Link, command: Command, so_far: Attempts) -> tuple[type[LinkError], str]:
    if explanation := link.explain():
        return LinkError, explanation
    at_baud = f" ({link.baud:,} here)" if link.baud else ""
    if noise := _noise(so_far, at_baud):
        return NoisyLineError, noise
    if command != Command.HELLO:
        return BoardHangsError, (
            "It answered before: does it hang, or was it unplugged? Reset it, and run again."
        )
    return SilentBoardError, (
        "Is the board powered, flashed with this kit's firmware, and of the same baud "
        f"rate{at_baud}?"
    )


def _noise(so_far: Attempts, at_baud: str) -> str:
    """Return what came in place of an answer, and what it may mean; nothing if nothing came."""
    if so_far.damaged:
        frames = f"{so_far.damaged} damaged frame{'s' if so_far.damaged > 1 else ''} came"
        return f"{frames}. Check baud rate{at_baud}, cable and ground."
    if so_far.echoes:
        return (
            "Only what was sent came back: the line echoes. Look for TX joined to RX, or a "
            "terminal or modem with its echo on, in place of a board."
        )
    if so_far.stray_bytes:
        return (
            f"{so_far.stray_bytes} bytes came that are no answer, the last of them "
            f"{so_far.last_bytes!r}. Does something else speak there, or at another baud "
            f"rate{at_baud}?"
        )
    if so_far.unheard:
        return (
            f"The board answers, but {so_far.unheard} times it had not got the request whole. "
            f"Check baud rate{at_baud}, cable and ground."
        )
    return ""
