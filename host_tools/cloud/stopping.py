"""End what runs until it is stopped in order."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE_S = 0.5


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C or SIGTERM sets; one that comes later ends the process as always.

    ``timeout`` and others signal a process and its group: what comes at once is one signal.

    Signals come to the main thread: from another the event is never set.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}

    begun_s = float("inf")

    def stop(number: int, _frame: object) -> None:
        nonlocal begun_s
        begun_s = min(begun_s, time.monotonic())
        if event.is_set() and time.monotonic() - begun_s > AT_ONCE_S:
            signal.signal(number, before[signal.Signals(number)])
            signal.raise_signal(number)
        event.set()

    for signum in before:
        signal.signal(signum, stop)
    try:
        yield event
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
