import os
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.link.device import Device, Patience
from dynadeep.host_tools.link.frames import FrameReader, Reply, cobs_encode
from dynadeep.host_tools.link.native import NativeLink
from dynadeep.host_tools.link.protocol import PROTOCOL_VERSION, Command
from dynadeep.host_tools.link.serial import SerialLink


@pytest.fixture
def terminal() -> Iterator[str]:
    ends = os.openpty()
    yield os.ttyname(ends[1])
    for end in ends:
        os.close(end)


def test_an_absent_port_is_a_clear_line() -> None:
    with pytest.raises(LinkError, match=r"^/dev/ttyNONE: no such port\. Found: .*plugged in\?$"):
        SerialLink("/dev/ttyNONE")


def test_a_port_in_use_is_a_clear_line(terminal: str) -> None:
    with SerialLink(terminal), pytest.raises(LinkError, match="in use by another program"):
        SerialLink(terminal)


def test_something_that_is_no_port_is_a_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    with pytest.raises(LinkError, match="cannot be opened"):
        SerialLink(str(path))


def test_a_url_of_a_kind_that_does_not_exist_is_a_clear_line() -> None:
    with pytest.raises(LinkError, match="cannot be opened"):
        SerialLink("pigeon://carrier")


def test_a_socket_that_nobody_listens_on_is_a_clear_line() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(LinkError, match="Is the other end listening"):
        SerialLink(f"socket://127.0.0.1:{port}")


def test_a_program_that_was_never_built_is_a_clear_line(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"cannot be started .*Build it first"):
        NativeLink(tmp_path / "firmware.elf")


def test_silence_on_a_port_ends_in_time(terminal: str) -> None:
    patience = Patience(greetings=2, slack_s=0.05)
    with (
        SerialLink(terminal) as link,
        pytest.raises(LinkError, match=r"in 2 tries, .*powered, flashed .* rate \(115,200 here\)"),
    ):
        Device(link, patience).hello()


def test_our_own_echo_is_not_taken_for_a_board() -> None:
    patience = Patience(greetings=2, slack_s=0.05)
    with SerialLink("loop://") as link, pytest.raises(LinkError, match="the line echoes"):
        Device(link, patience).hello()


def test_a_socket_url_reaches_a_board() -> None:
    about = (PROTOCOL_VERSION, bytes(8), 1, 1, 2, 0, 8000, 300, 20, 20, 1, 1, 2, 1, 200, 200, 1, 0)
    hello = struct.pack("<B8sBBBBIIIHBBHHHHBB", *about)
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            request = next(iter(FrameReader().feed(connection.recv(100))))
            assert isinstance(request, Reply)
            body = struct.pack("<HBB", request.sequence, Command.HELLO, 0) + hello + b"\3far\1x"
            connection.sendall(cobs_encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0")
            connection.recv(1)

    thread = threading.Thread(target=answer)
    thread.start()
    with SerialLink(f"socket://127.0.0.1:{server.getsockname()[1]}") as link:
        assert Device(link).hello().board == "far"
    thread.join()
    server.close()
