"""Child processes that never outlive this one."""

import atexit
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from dynadeep.host_tools.errors import LinkError

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PATIENCE_S = 2.0

Child = subprocess.Popen[bytes]


def require_terminals(name: str) -> None:
    """Refuse to start ``name`` where no pseudo-terminal can be had, as on Windows.

    Raises:
        LinkError: this system has none.
    """
    if not hasattr(os, "openpty"):
        raise LinkError(
            f"{name}: runs behind a pseudo-terminal, and {sys.platform} has none. Connect a board "
            "and give its --port, or run it on Linux, macOS or in WSL."
        )


def start(
    command: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int,
    stderr: int,
    inherited: Sequence[int] = (),
) -> Child:
    """Start ``command`` bound to this process: when this one ends, however it does, so does that.

    ``inherited`` are the file descriptors that it has too, by the same numbers. Clean-up at exit
    covers an exception and Ctrl-C; on Linux the kernel covers SIGTERM and SIGKILL.

    Raises:
        OSError: the program cannot be started.
    """
    child = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        pass_fds=inherited,
        start_new_session=True,  # a Ctrl-C is for us; we stop the child in order
        preexec_fn=_die_with_parent(),  # noqa: PLW1509 (it only calls prctl, getppid and kill)
    )
    atexit.register(stop, child)
    return child


def stop(child: Child) -> None:
    """End ``child`` and wait until it is gone. May be called twice."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    for stream in (child.stdout, child.stderr):
        if stream is not None:
            stream.close()


def _die_with_parent() -> Callable[[], None] | None:
    """Return what the child does before it becomes the program, where the kernel can help.

    The kernel watches the thread that started the child, so only the main one may ask for it.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    prctl: Any = ctypes.CDLL(None).prctl  # before the fork: after it, nothing is safe to load
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended in between
            os.kill(os.getpid(), signal.SIGKILL)

    return ask
