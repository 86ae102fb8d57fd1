"""The application as a process under AddressSanitizer and UndefinedBehaviorSanitizer."""

import random
import struct
import subprocess
import zlib

import pytest

from dynadeep.host_tools.link.frames import FrameReader, Reply, Request, cobs_encode
from dynadeep.host_tools.link.protocol import FLAG_FIRST, Command, Status, parse_hello
from dynadeep.host_tools.toolchain import Firmware

HELLO = Request(1, Command.HELLO).to_wire()
LAST_HELLO = Request(0xABCD, Command.HELLO)


def talk(firmware: Firmware, wire: bytes) -> list[Reply]:
    """Feed the board all of ``wire``, hang up, and return its replies; it must end in peace."""
    done = subprocess.run([firmware.elf], input=wire, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    replies = []
    for frame in FrameReader().feed(done.stdout):
        assert isinstance(frame, Reply), frame
        replies.append(frame)
    return replies


def sound_frame(body: bytes) -> bytes:
    return b"\0" + cobs_encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


def test_hello_is_answered(native_firmware: Firmware) -> None:
    (reply,) = talk(native_firmware, HELLO)
    about = parse_hello(reply.payload)
    assert (reply.status, about.board, about.input_length) == (Status.OK, "native", 2000)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(Request(7, Command.BOUND, payload=bytes(4)), id="a sound request"),
        pytest.param(Request(7, 0x55), id="an unknown command"),
        pytest.param(Request(7, Command.BOUND, payload=bytes(3)), id="a wrong length"),
        pytest.param(Request(7, Command.MEMORY, flags=1), id="an unknown flag"),
    ],
)
def test_until_a_hello_everything_else_is_answered_with_restarted(
    native_firmware: Firmware, request_: Request
) -> None:
    (reply,) = talk(native_firmware, request_.to_wire())
    assert reply.status == Status.RESTARTED


def test_a_request_given_twice_is_acted_on_once(native_firmware: Firmware) -> None:
    run = Request(2, Command.ENCODE, FLAG_FIRST, payload=bytes(4000)).to_wire()
    again = Request(3, Command.ENCODE, FLAG_FIRST, payload=bytes(4000)).to_wire()
    _, first, repeated, second = talk(native_firmware, HELLO + run + run + again)
    assert first == repeated
    assert [reply.payload[24 + 8] for reply in (first, second)] == [0, 1]  # packet sequence


def test_hello_forgets_the_last_request(native_firmware: Firmware) -> None:
    run = Request(2, Command.ENCODE, FLAG_FIRST, payload=bytes(4000)).to_wire()
    replies = talk(native_firmware, HELLO + run + HELLO + run)
    assert [reply.payload[24 + 8] for reply in replies[1::2]] == [0, 1]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (struct.pack("<HBB", 5, 0x77, 0), Status.UNKNOWN_COMMAND),
        (struct.pack("<HBB", 5, Command.ENCODE, 0), Status.BAD_LENGTH),
        (struct.pack("<HBB", 5, Command.MEMORY, 1), Status.BAD_ARGUMENT),
        (struct.pack("<HBB", 5, Command.ENCODE, 2) + bytes(4002), Status.BAD_LENGTH),
        (struct.pack("<HBB", 5, Command.ENCODE, 2) + bytes(3998), Status.BAD_LENGTH),
        (struct.pack("<HBB", 5, Command.ENCODE, 2) + bytes(3999), Status.BAD_LENGTH),
        # It continues a segment that was not begun, or by another command.
        (struct.pack("<HBB", 5, Command.ENCODE, 0) + bytes(4000), Status.BAD_ARGUMENT),
        (struct.pack("<HBB", 5, Command.ENCODE, 6) + bytes(4000), Status.BAD_LENGTH),
        (
            struct.pack("<HBBHHI", 5, Command.TENSOR, 2, 2, 2, 1999) + bytes(4000),
            Status.BAD_LENGTH,
        ),
        (
            struct.pack("<HBBHHI", 5, Command.TENSOR, 2, 2, 2, 0xFFFFFFFF) + bytes(4000),
            Status.BAD_ARGUMENT,
        ),
        (
            struct.pack("<HBBHHI", 5, Command.TENSOR, 2, 1, 2, 0) + bytes(4000),
            Status.BAD_ARGUMENT,  # a tensor that only an unfused run has
        ),
        (
            struct.pack("<HBBHHI", 5, Command.TENSOR, 2, 2, 0xFFFF, 1990) + bytes(4000),
            Status.BAD_LENGTH,
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_answered_with_its_status(
    native_firmware: Firmware, body: bytes, status: Status
) -> None:
    _, reply = talk(native_firmware, HELLO + sound_frame(body))
    assert (reply.status, reply.payload) == (status, b"")


def test_looking_at_tensors_leaves_the_stream_alone(native_firmware: Firmware) -> None:
    segment = bytes(4000)
    wire = HELLO
    wire += Request(2, Command.TRACE, FLAG_FIRST, payload=segment).to_wire()
    wire += Request(
        3, Command.TENSOR, FLAG_FIRST, payload=struct.pack("<HHI", 1, 1, 0) + segment
    ).to_wire()
    wire += Request(4, Command.ENCODE, FLAG_FIRST, payload=segment).to_wire()
    *_, run = talk(native_firmware, wire)
    assert run.payload[22 + 8] == 0


@pytest.mark.parametrize("length", [1, 4, 7, 4016, 4017, 4500, 70_000])
def test_a_frame_too_short_or_too_long_is_dropped(native_firmware: Firmware, length: int) -> None:
    junk = b"\0" + cobs_encode(bytes(range(1, 256)) * (length // 255 + 1))[:length] + b"\0"
    replies = talk(native_firmware, junk + LAST_HELLO.to_wire())
    assert [reply.sequence for reply in replies] == [LAST_HELLO.sequence]


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_never_hurt_the_receiver(native_firmware: Firmware, seed: int) -> None:
    noise = random.Random(seed).randbytes(50_000)
    # The odds that noise is a frame with a right CRC are one in four thousand million.
    replies = talk(native_firmware, noise + LAST_HELLO.to_wire())
    assert [reply.sequence for reply in replies] == [LAST_HELLO.sequence]


@pytest.mark.parametrize("seed", range(8))
def test_random_requests_in_sound_frames_never_hurt_the_commands(
    native_firmware: Firmware, seed: int
) -> None:
    chance = random.Random(seed)
    wire = HELLO
    for _ in range(150):
        length = chance.choice([0, 1, 2, 4, 8, 4000, 4008, chance.randrange(5000)])
        command = chance.choice([*range(12), 0xFF, chance.randrange(256)])
        payload = bytes(chance.randrange(256) for _ in range(min(length, 8)))
        payload += b"\x11" * (length - len(payload))
        head = struct.pack(
            "<HBB", chance.randrange(1 << 16), command, chance.choice([0, 2, 3, 255])
        )
        wire += sound_frame(head + payload)
    replies = talk(native_firmware, wire + LAST_HELLO.to_wire())
    assert replies[-1].sequence == LAST_HELLO.sequence


@pytest.mark.parametrize("seed", range(8))
def test_damaged_requests_never_hurt_the_receiver(native_firmware: Firmware, seed: int) -> None:
    chance = random.Random(seed)
    wire = bytearray()
    for number in range(40):
        frame = bytearray(
            Request(number, Command.ENCODE, FLAG_FIRST, payload=chance.randbytes(4000)).to_wire()
        )
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(1, len(frame) - 1)
            frame[at : at + chance.randrange(2)] = chance.randbytes(chance.randrange(3))
        wire += frame
    replies = talk(native_firmware, bytes(wire) + LAST_HELLO.to_wire())
    assert replies[-1].sequence == LAST_HELLO.sequence
