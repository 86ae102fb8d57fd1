"""Processes of ours that a Ctrl-C, which a terminal sends to all of them, leaves to us."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Have the processes that are started meanwhile not hear Ctrl-C; this one hears it afterwards.

    A SIGTERM waits as long, so that none of them is left half started. Where signals cannot be held
    back, as on Windows, nothing is.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # multiprocessing's own helper, which would lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _terminated_afterwards():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _terminated_afterwards() -> Iterator[None]:
    """Act on a SIGTERM at the end; masked, the children would never hear one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
        if received:
            signal.raise_signal(signal.SIGTERM)
