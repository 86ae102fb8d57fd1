import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.firmware.harness import Harness, Operation

OK, BAD_ARGUMENT, BUFFER_TOO_SMALL = 0, 3, 4
OVERHEAD = 17


def packet(model: bytes, stream: int, sequence: int, level: int, payload: bytes) -> bytes:
    """Return the bytes that docs/packet.md describes."""
    head = struct.pack("<BB4sHHBH", 0xDD, 3 << 4 | level, model, stream, sequence, 0, len(payload))
    return head + payload + struct.pack("<I", zlib.crc32(head + payload))


def seal(
    harness: Harness,
    payload: bytes,
    *,
    model: bytes = b"abcd",
    stream: int = 1,
    sequence: int = 2,
    level: int = 1,
    capacity: int | None = None,
) -> tuple[int, bytes]:
    room = len(payload) + OVERHEAD if capacity is None else capacity
    head = struct.pack("<4sHHBBI", model, stream, sequence, level, 0, room)
    reply = harness.call(Operation.PACKET, head + payload)
    return reply[0], reply[1:]


@settings(max_examples=60, deadline=None)
@given(
    model=st.binary(min_size=4, max_size=4),
    numbers=st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
    level=st.integers(0, 15),
    payload=st.binary(max_size=300),
)
def test_packet_is_what_the_document_describes(
    harness: Harness, model: bytes, numbers: tuple[int, int], level: int, payload: bytes
) -> None:
    stream, sequence = numbers
    sealed = seal(harness, payload, model=model, stream=stream, sequence=sequence, level=level)
    assert sealed == (OK, packet(model, stream, sequence, level, payload))


@pytest.mark.parametrize("size", [0, 31, 62, 4001, 65535])
def test_packet_costs_17_bytes_over_its_payload(harness: Harness, size: int) -> None:
    status, sealed = seal(harness, bytes(size))
    assert (status, len(sealed)) == (OK, size + OVERHEAD)


@pytest.mark.parametrize("capacity", [1, 16, 47])
def test_buffer_one_byte_short_is_refused(harness: Harness, capacity: int) -> None:
    assert seal(harness, bytes(31), capacity=capacity) == (BUFFER_TOO_SMALL, b"")


def test_missing_buffer_is_refused(harness: Harness) -> None:
    assert seal(harness, bytes(31), capacity=0) == (BAD_ARGUMENT, b"")


def test_level_that_does_not_fit_its_nibble_is_refused(harness: Harness) -> None:
    assert seal(harness, bytes(31), level=16) == (BAD_ARGUMENT, b"")
