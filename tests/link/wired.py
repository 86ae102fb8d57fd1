"""A board on a serial port that stays when hosts come and go, as one on a bench does."""

import json
import os
import select
import socket
import threading
import tty
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dynadeep.host_tools.link.base import Link
from dynadeep.host_tools.link.fault import Faults

PIECE = 4096


class WiredBoard:
    """Pass bytes between a board and a pseudo-terminal, ``port``, that any program may open.

    ``to_board`` and ``to_host`` spoil what passes; ``echo`` joins the host's TX to its RX. What
    nobody reads at the host's end is lost, as on a wire.
    """

    def __init__(self, link: Link, monitor: Path | None = None):
        self.link = link
        self.monitor = monitor
        self.to_board, self.to_host = Faults(), Faults()
        self.echo = False
        self._board: Any = link.port
        self._ours, self._hosts = os.openpty()
        tty.setraw(self._hosts)
        os.set_blocking(self._ours, False)
        self.port = os.ttyname(self._hosts)
        self._stop, self._stopping = os.pipe()
        self._thread = threading.Thread(target=self._pass_on)
        self._thread.start()

    def disturb(self, to_board: Faults | None = None, to_host: Faults | None = None) -> None:
        """Have the wire as bad as this, or good again."""
        self.to_board, self.to_host = to_board or Faults(), to_host or Faults()

    def press_reset(self) -> None:
        """Press the board's reset button."""
        assert self.monitor is not None
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self.monitor))
            answers = monitor.makefile("r")
            answers.readline()  # the greeting
            for order in ("qmp_capabilities", "system_reset"):
                monitor.sendall(json.dumps({"execute": order}).encode())
                while "return" not in json.loads(answers.readline()):
                    pass

    def _pass_on(self) -> None:
        board = self._board.fileno()
        while True:
            ready, _, _ = select.select([self._ours, board, self._stop], [], [])
            if self._stop in ready:
                return
            if self._ours in ready:
                data = os.read(self._ours, PIECE)
                if self.echo:
                    self._to_host(data)
                os.write(board, self.to_board.apply(data))
            if board in ready:
                self._to_host(self.to_host.apply(os.read(board, PIECE)))

    def _to_host(self, data: bytes) -> None:
        try:
            os.write(self._ours, data)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Unplug it."""
        os.write(self._stopping, b"x")
        self._thread.join()
        for end in (self._ours, self._hosts, self._stop, self._stopping):
            os.close(end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
