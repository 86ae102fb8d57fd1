import re
import struct
import zlib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadeep.host_tools.codec import wire
from dynadeep.host_tools.link import frames, protocol
from dynadeep.host_tools.link.frames import FrameReader, Reply, Request, cobs_decode, cobs_encode
from dynadeep.host_tools.link.protocol import Command, MalformedError, Status


def firmware_text(path: str) -> str:
    return (resources.files("dynadeep.firmware_templates") / path).read_text(encoding="utf-8")


def frame(sequence: int, command: int, status: int, payload: bytes = b"") -> bytes:
    body = struct.pack("<HBB", sequence, command, status) + payload
    return cobs_encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


def test_the_statuses_are_those_of_the_firmware() -> None:
    rows = re.findall(r'X\(DD_(\w+), (\d+), "([^"]+)"\)', firmware_text("runtime/dd_status.h"))
    expected = [(name, int(value), text) for name, value, text in rows]
    assert [(status.name, status.value, status.text) for status in Status] == expected


def test_the_commands_are_those_of_the_firmware() -> None:
    headers = ("commands.h", "commands_net.h", "commands_codec.h", "dd_link.h", "autonomous.c")
    text = "".join(firmware_text(f"app/{name}") for name in headers)
    rows = re.findall(r"DD_COMMAND_(\w+)(?: =)? +(0x[0-9A-F]+)", text)
    expected = {name: int(value, 16) for name, value in rows}
    assert {
        command.name: command.value for command in Command if command != Command.FAULT
    } == expected


def test_the_kernel_sets_are_those_of_the_firmware() -> None:
    rows = re.findall(r"#define DD_KERNELS_(\w+)\s+(\d+)", firmware_text("runtime/dd_dot.h"))
    expected = {name.lower(): int(number) for name, number in rows}
    assert {name: i for i, name in enumerate(protocol.KERNELS, start=1)} == expected


def test_the_version_is_that_of_the_firmware() -> None:
    (version,) = re.findall(r"DD_PROTOCOL_VERSION (\d+)", firmware_text("app/hello.h"))
    assert int(version) == protocol.PROTOCOL_VERSION


def hello(application: int = 1, engine: int = 1, kernels: int = 3) -> bytes:
    kinds = (application, engine, kernels, 0)
    numbers = struct.pack("<BBBBIIIHBBHHHHBB", *kinds, 1000, 300, 80, 80, 1, 4, 9, 7, 0, 0, 2, 1)
    texts = b"\x06native\x050.1.0"
    return bytes([protocol.PROTOCOL_VERSION]) + bytes(8) + numbers + texts


def test_hello_tells_engine_and_kernels() -> None:
    about = protocol.parse_hello(hello())
    assert (about.engine, about.kernels, about.board) == ("stream", "dsp", "native")
    assert (about.application, about.input_length, about.sample_rate_hz) == ("codec", 40, 300)


def test_a_network_alone_takes_codes() -> None:
    about = protocol.parse_hello(hello(application=0))
    assert (about.application, about.input_length) == ("network", 80)


@pytest.mark.parametrize("kinds", [(3, 0, 1), (0, 2, 1), (0, 0, 0), (0, 0, 5)])
def test_an_application_engine_or_kernel_set_that_is_unknown_is_refused(
    kinds: tuple[int, int, int],
) -> None:
    with pytest.raises(MalformedError, match=r"known are [01] to \d"):
        protocol.parse_hello(hello(*kinds))


@given(st.binary(max_size=1200))
def test_stuffing_is_undone_and_leaves_no_zero(body: bytes) -> None:
    assert b"\0" not in cobs_encode(body)
    assert cobs_decode(cobs_encode(body)) == body


@pytest.mark.parametrize("length", [253, 254, 255, 508, 509])
@pytest.mark.parametrize("tail", [b"", b"\0", b"\x01"])
def test_blocks_that_are_just_full_are_undone(length: int, tail: bytes) -> None:
    body = b"\x07" * length + tail
    assert cobs_decode(cobs_encode(body)) == body


@given(st.binary(max_size=300))
def test_noise_is_never_taken_for_a_reply(noise: bytes) -> None:
    assert all(isinstance(reply, MalformedError) for reply in FrameReader().feed(noise + b"\0"))


@given(st.binary(max_size=60), st.data())
def test_a_reply_is_found_after_noise_however_it_is_cut(noise: bytes, data: st.DataObject) -> None:
    wire = noise + b"\0" + frame(7, 2, 0, b"abc")
    reader = FrameReader()
    replies: list[Reply | MalformedError] = []
    while wire:
        length = data.draw(st.integers(1, len(wire)))
        replies += reader.feed(wire[:length])
        wire = wire[length:]
    assert replies[-1] == Reply(7, 2, 0, b"abc")


@given(st.integers(0, 20), st.integers(1, 255))
def test_one_changed_byte_is_always_found(position: int, change: int) -> None:
    wire = bytearray(frame(0x1234, 5, 0, b"payload"))
    wire[position % (len(wire) - 1)] ^= change
    replies = [reply for reply in FrameReader().feed(bytes(wire)) if isinstance(reply, Reply)]
    assert replies == []


def test_endless_noise_without_a_zero_does_not_fill_the_memory() -> None:
    reader = FrameReader()
    for _ in range(64):
        assert list(reader.feed(b"\x55" * 65536)) == []
    assert len(reader._pending) <= frames.LONGEST_BODY


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x01", b"\x02" + bytes(40), b"\x04" + bytes(10) + b"\x01" + bytes(27) + b"\x09short"],
)
def test_an_introduction_that_is_cut_off_or_of_another_version_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedError):
        protocol.parse_hello(payload)


@pytest.mark.parametrize(
    ("parse", "payload"),
    [
        (wire.parse_encoded, b"\x01\x02"),
        (protocol.parse_trace, bytes(9)),
        (protocol.parse_constants, bytes(3)),
        (protocol.parse_memory, bytes(7)),
        (wire.parse_bound, bytes(5)),
        (protocol.parse_fault, bytes(13)),
    ],
)
def test_a_reply_of_a_wrong_length_is_refused(parse, payload: bytes) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MalformedError):
        parse(payload)


def test_a_request_begins_and_ends_with_a_zero_and_holds_no_other() -> None:
    wire = Request(0, Command.ENCODE, payload=bytes(4000)).to_wire()
    assert (wire[0], wire[-1], wire.count(0)) == (0, 0, 2)
