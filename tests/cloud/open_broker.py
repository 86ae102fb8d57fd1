"""A broker that lets anybody publish anything, as one without access rules does."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .secured import PROGRAM, free_port


def start(folder: Path, port: int, more: str = "allow_anonymous true") -> subprocess.Popen[Any]:
    """Start a broker, and wait until it listens."""
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\npersistence true\npersistence_location {folder}/\n"
        f"max_queued_messages 0\nuser root\n{more}\n"
    )
    process = subprocess.Popen([str(PROGRAM), "-c", str(config)], stderr=subprocess.DEVNULL)
    for _ in range(600):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.05)
    raise AssertionError("mosquitto did not start")


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
