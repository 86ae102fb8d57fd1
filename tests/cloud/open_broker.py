"""A broker that lets anybody publish anything, as one without access rules does."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .secured import MISSING, PROGRAM, free_port, launch


def start(folder: Path, port: int, more: str = "allow_anonymous true") -> subprocess.Popen[bytes]:
    """Start a broker, and wait until it listens."""
    if PROGRAM is None:
        pytest.skip(MISSING)
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\npersistence true\npersistence_location {folder}/\n"
        f"max_queued_messages 0\nuser root\n{more}\n"
    )
    return launch(folder, port)


@contextmanager
def open_broker(folder: Path, more: str = "allow_anonymous true") -> Iterator[int]:
    """Yield the port of a running broker."""
    port = free_port()
    process = start(folder, port, more)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()
