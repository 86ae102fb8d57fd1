"""How long a reply is waited for: what the board computes and what the wire carries, no guess.

Until a command was measured on this board its time is predicted, from the planner's figure or from
what HELLO says; after that the slowest reply so far counts. Only replies to a first try are
measured: a later one may answer either.
"""

from dataclasses import dataclass

from dynadeep.host_tools.link.protocol import Command


@dataclass(frozen=True)
class Patience:
    """How often to ask, and how long to wait each time."""

    tries: int = 6  # unanswered ones, before the board is given up
    noisy_tries: int = 30  # ones in which damaged frames came: the line's fault, not the board's
    greetings: int = 20  # of HELLO, which a board that is still starting loses
    slack_s: float = 0.5  # for what is neither board nor wire: USB, drivers, a busy host
    quiet_s: float = 0.25  # after a damaged frame, once the reply was due
    margin: float = 2.0  # a reply is overdue after so many times what the board is expected to take
    growth: float = 1.25  # of the wait from one silent try to the next
    inference_s: float = 10.0  # of a board of which nothing is known yet


@dataclass(frozen=True)
class Wait:
    """How long one try waits."""

    expected_s: float  # when the reply is due, if all goes well
    overdue_s: float  # when it is given up
    measured: bool  # whether the board itself was timed


class Pace:
    """How fast one board is; ``work`` counts inferences, whole or parts of one."""

    def __init__(self, patience: Patience, bytes_per_s: float):
        self.patience = patience
        self.inference_s = patience.inference_s
        self._bytes_per_s = bytes_per_s
        self._slowest: dict[Command, float] = {}  # seconds for one inference's work, as measured
        self._stretch: dict[Command, float] = {}  # after silence, until a first try is answered

    def wait(self, command: Command, wire_bytes: int, work: float) -> Wait:
        """Return how long to wait for a reply.

        Args:
            command: what is asked.
            wire_bytes: of the request and the longest reply to it.
            work: inferences that the board computes for it.
        """
        busy_s = work * self._slowest.get(command, self.inference_s)
        wire_s = wire_bytes / self._bytes_per_s
        overdue_s = self.patience.margin * busy_s + wire_s + self.patience.slack_s
        stretch = self._stretch.get(command, 1.0) if work else 1.0
        return Wait(busy_s + wire_s, overdue_s * stretch, command in self._slowest or not work)

    def answered(self, command: Command, seconds: float, wire_bytes: int, work: float) -> None:
        """Take note of a first try that was answered ``seconds`` after it was sent."""
        self._stretch.pop(command, None)
        if work:
            busy_s = max(0.0, seconds - wire_bytes / self._bytes_per_s) / work
            self._slowest[command] = max(busy_s, self._slowest.get(command, 0.0))

    def late(self, command: Command, seconds: float, wire_bytes: int, work: float) -> None:
        """Take note of an answer that came ``seconds`` after the first of several tries.

        Which of them it answers nobody knows: the next first try waits for as long.
        """
        self._stretch.pop(command, None)
        self._stretch[command] = max(
            1.0, seconds / self.wait(command, wire_bytes, work).overdue_s * self.patience.growth
        )

    def unheard(self, command: Command) -> None:
        """Take note that a request was lost: the board was not slow."""
        self._stretch.pop(command, None)

    def unanswered(self, command: Command) -> None:
        """Wait longer for this command from now on: the board may be slower than expected."""
        self._stretch[command] = self._stretch.get(command, 1.0) * self.patience.growth
