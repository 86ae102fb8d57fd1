"""The screen: fed by a thread of its own, so that keys answer while the board computes."""

import asyncio
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Grid
from textual.content import Content
from textual.widgets import Footer, Header, Static

from dynadeep.codegen.errors import DynadeepError
from dynadeep.host_tools.monitor import draw
from dynadeep.host_tools.monitor.beat import Beat, Feed, Latencies

STYLES = ("bold cyan", "magenta", "yellow", "green")
DRAWN_HZ = 10
STEP = 1.25
"""What one press of a key multiplies the bound by."""


@dataclass(frozen=True)
class Pace:
    """How fast inputs go, and how many."""

    real_time: bool = False  # one every so long as its samples take
    inputs: int | None = None  # then it ends; None goes on until the user ends it


class Monitor(App[None]):
    """Shows each input and what came of it, how the board and the link fare."""

    CSS = """
    #trace { height: 2fr; border: round $primary; padding: 0 1; }
    Grid { grid-size: 2 2; grid-gutter: 0; height: 3fr; }
    Grid Static { border: round $surface-lighten-2; padding: 0 1; height: 1fr; }
    """
    BINDINGS = [  # noqa: RUF012 (Textual's)
        Binding("q,ctrl+c,ctrl+q", "end", "Quit", priority=True, key_display="q"),
        Binding("p,space", "pause", "Pause"),
        Binding("plus,equals_sign", "bound(True)", "Bound up", key_display="+"),
        Binding("minus", "bound(False)", "Bound down", key_display="-"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, feed: Feed, title: str, pace: Pace) -> None:
        super().__init__()
        self.feed, self.pace = feed, pace
        self.title = title
        self.latencies = Latencies(feed.counter)
        self.beat: Beat | None = None
        self.failure: BaseException | None = None
        self.paused = False
        self._drawn: Beat | None = None
        # The thread and the screen share these alone: neither ever waits for the other.
        self._ending, self._going_on, self._ended = (threading.Event() for _ in range(3))
        self._going_on.set()

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Header()
        yield Static(id="trace")
        with Grid():
            for name in ("bars", "facts", "latency", "link"):
                yield Static(id=name)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to feed the board."""
        titles = {
            "trace": "waiting for the board",
            "bars": self.feed.bars_title,
            "facts": self.feed.facts_title,
            "latency": self.feed.latency_title,
            "link": "Link",
        }
        for name, title in titles.items():
            self.query_one(f"#{name}", Static).border_title = title
        if threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGTERM"):
            with suppress(NotImplementedError):  # Windows
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.action_end)
        self.set_interval(1 / DRAWN_HZ, self._look)
        self.run_worker(self._feed, thread=True, exit_on_error=False)

    def on_unmount(self) -> None:
        """Let the thread end, whatever ended the screen."""
        self._ending.set()
        self._going_on.set()

    def action_end(self) -> None:
        """End once the board has answered what it was asked."""
        self._ending.set()
        self._going_on.set()
        self.sub_title = "ending: waiting for the board's answer"

    def action_pause(self) -> None:
        """Stop feeding the board, or go on; what sends by itself is heard but not drawn."""
        self.paused = not self.paused
        (self._going_on.clear if self.paused else self._going_on.set)()
        self.sub_title = "paused" if self.paused else ""

    def action_bound(self, up: bool) -> None:
        """Raise or lower the bound for the next inputs."""
        if not self.feed.scale_bound(STEP if up else 1 / STEP):
            self.notify("this board has no bound that is set from here", severity="warning")

    def on_resize(self) -> None:
        """Draw anew: what is drawn fits the room that there was."""
        self.call_after_refresh(self.draw)

    def _feed(self) -> None:
        """Run inputs until the end is asked for; what goes wrong ends the screen."""
        try:
            while not self._ending.is_set() and self.latencies.count != self.pace.inputs:
                begin = time.monotonic()
                beat = self.feed.step()
                if beat is not None:
                    self.latencies.add(beat.ticks)
                    self.beat = beat
                if self.pace.real_time:
                    self._ending.wait(max(begin + self.feed.input_s - time.monotonic(), 0))
                if not self.feed.listens:
                    self._going_on.wait()
        except (DynadeepError, OSError) as error:
            self.failure = error
        self._ended.set()

    def _look(self) -> None:
        """Draw what is new, and end behind the last input."""
        frozen = self.paused and self.feed.listens
        if not frozen and (self.beat is not self._drawn or self.beat is None):
            self.draw()  # while nothing came, what the link says may change
        if self._ended.is_set():
            self.exit()

    def draw(self) -> None:
        """Draw what is known."""
        self.query_one("#link", Static).update(draw.facts(self.feed.link_facts()))
        beat = self.beat
        if beat is None:
            return
        self._drawn = beat
        trace = self.query_one("#trace", Static)
        trace.border_title = Content(beat.title)  # a recording's name may hold what looks as markup
        names = [
            Content.styled(curve.label, style)
            for curve, style in zip(beat.curves, STYLES, strict=False)
        ]
        trace.border_subtitle = Content(" over ").join(names)
        curves = beat.curves[: len(STYLES)]
        size = trace.content_size
        trace.update(draw.plot(curves, STYLES, size.width, max(size.height, 1)))
        panel = self.query_one("#bars", Static)
        panel.update(draw.bars(beat.bars, panel.content_size.width, "cyan"))
        self.query_one("#facts", Static).update(draw.facts(beat.facts))
        panel = self.query_one("#latency", Static)
        line = draw.sparkline(self.latencies.ticks, panel.content_size.width)
        panel.update(draw.facts(self.latencies.facts()).append(line, "cyan"))
