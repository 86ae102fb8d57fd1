import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.firmware.harness import Harness, Operation

OK, BUFFER_TOO_SMALL, BAD_FRAME = 0, 4, 5
Frames = list[tuple[int, bytes]]
ROOM = 2000

# Lengths at which a block is full, and their neighbours.
LENGTHS = sorted(
    {base + by for base in (0, 254, 508, 762) for by in range(-2, 4)} & set(range(800))
)
bodies = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from((0, 1, 255)), max_size=600).map(bytes),
)


def stuff(data: bytes) -> bytes:
    """Return COBS(data) and its zero: runs without zeros, each behind its length plus one."""
    wire = bytearray()
    runs = data.split(b"\0")
    for index, run in enumerate(runs):
        full = [run[at : at + 254] for at in range(0, len(run), 254)] or [b""]
        for block in full:
            wire += bytes([len(block) + 1]) + block
        # A full block stands for no zero, so one that a zero follows needs an empty block after it.
        if run and len(run) % 254 == 0 and index + 1 < len(runs):
            wire += b"\1"
    return bytes(wire) + b"\0"


def encode(harness: Harness, data: bytes) -> bytes:
    return harness.call(Operation.COBS_ENCODE, data)


def decode(harness: Harness, wire: bytes, capacity: int = ROOM) -> Frames:
    reply = harness.call(Operation.COBS_DECODE, struct.pack("<I", capacity) + wire)
    frames = []
    at = 0
    while at < len(reply):
        status, length = struct.unpack_from("<BI", reply, at)
        frames.append((status, reply[at + 5 : at + 5 + length]))
        at += 5 + length
    return frames


@pytest.mark.parametrize("fill", [b"\0", b"\1", b"\xff"])
def test_every_length_around_a_full_block(harness: Harness, fill: bytes) -> None:
    for length in LENGTHS:
        for data in (fill * length, fill * length + b"\0", b"\0" + fill * length):
            assert encode(harness, data) == stuff(data)
            assert decode(harness, stuff(data)) == ([(OK, data)] if data else [])


@settings(max_examples=150, deadline=None)
@given(data=bodies)
def test_encoded_frame_is_cobs(harness: Harness, data: bytes) -> None:
    wire = encode(harness, data)
    assert wire == stuff(data)
    assert wire.count(0) == 1
    assert len(wire) <= len(data) + len(data) // 254 + 2


@settings(max_examples=150, deadline=None)
@given(frames=st.lists(bodies.filter(len), max_size=5), extra=st.integers(0, 3))
def test_frames_come_back_one_after_another(
    harness: Harness, frames: list[bytes], extra: int
) -> None:
    wire = b"".join(bytes(extra) + encode(harness, frame) for frame in frames)
    assert decode(harness, wire) == [(OK, frame) for frame in frames]


def test_block_that_ends_the_frame_may_be_followed_by_an_empty_one(harness: Harness) -> None:
    data = b"\7" * 254
    assert decode(harness, b"\xff" + data + b"\1\0") == [(OK, data)]


@settings(max_examples=80, deadline=None)
@given(data=bodies.filter(len), cut=st.integers(0, 600), after=bodies.filter(len))
def test_cut_frame_never_spoils_the_next(
    harness: Harness, data: bytes, cut: int, after: bytes
) -> None:
    wire = stuff(data)
    frames = decode(harness, wire[: cut % len(wire)] + b"\0" + stuff(after))
    assert frames[-1] == (OK, after)


def test_zero_inside_a_block_is_a_bad_frame(harness: Harness) -> None:
    assert decode(harness, b"\5ab\0" + stuff(b"next")) == [(BAD_FRAME, b"ab"), (OK, b"next")]


@settings(max_examples=80, deadline=None)
@given(noise=st.binary(max_size=600), after=bodies.filter(len))
def test_noise_ends_at_the_next_zero(harness: Harness, noise: bytes, after: bytes) -> None:
    assert decode(harness, noise + b"\0" + stuff(after))[-1] == (OK, after)


@pytest.mark.parametrize("capacity", [0, 1, 253, 254])
def test_frame_beyond_the_buffer_is_told_and_not_written(harness: Harness, capacity: int) -> None:
    data = b"\7" * 255
    status, written = decode(harness, stuff(data) + stuff(b""), capacity)[0]
    assert (status, written) == (BUFFER_TOO_SMALL, data[:capacity])


def test_frame_that_just_fits_is_taken(harness: Harness) -> None:
    data = b"\0" * 255
    assert decode(harness, stuff(data), 255) == [(OK, data)]
