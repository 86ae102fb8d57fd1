"""dd_codec over a toy plan: whatever the network is, no sample is lost without a trace."""

import struct
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.codegen.bundle import InputMap
from dynadeep.codegen.numerics import clipped_samples
from dynadeep.host_tools.codec import rice
from dynadeep.host_tools.link.protocol import Status
from tests.firmware.harness import Harness, Operation

Samples = npt.NDArray[np.int16]

LENGTH = 8
OVERHEAD = 17
MAX = OVERHEAD + rice.bytes_max(LENGTH)
CODED_MAX = OVERHEAD + 3
MAP = InputMap("affine", 100, 1, 4)
BEGIN, PUSH, ENCODE = 0, 1, 2
NO_SAMPLES = np.zeros(0, np.int16)
ANY = st.integers(-(1 << 15), (1 << 15) - 1)
STREAMS = st.lists(
    st.lists(ANY, min_size=LENGTH, max_size=LENGTH)
    | st.lists(st.sampled_from((0, 4095)), min_size=LENGTH, max_size=LENGTH)
    | st.lists(st.integers(-6000, 6000), min_size=LENGTH, max_size=LENGTH)
    | st.lists(st.integers(-5, 5), min_size=LENGTH, max_size=LENGTH),
    min_size=1,
    max_size=5,
)
NEVER = 0xFFFF
WEAKEST = 135 << 16
"""A bound that quiet segments meet at the weakest compression alone, and loud ones at none."""


@dataclass(frozen=True)
class Outcome:
    """What one call gave, and what lay in the packet's buffer after it."""

    status: int
    taken: int
    sequence: int  # of the next packet
    level: int
    clipped: int
    length: int
    buffer: bytes

    @property
    def packet(self) -> bytes:
        return self.buffer[: self.length]


def calls(
    harness: Harness,
    steps: list[tuple[int, Samples]],
    *,
    lossless: bool = True,
    stall_at: int = NEVER,
    capacity: int = MAX,
    bound: int = 0,
) -> list[Outcome]:
    """Call the codec, on an encoder of its own, and return what each call gave."""
    head = struct.pack("<BHHi", lossless, stall_at, capacity, bound)
    body = b"".join(struct.pack("<BH", kind, len(s)) + s.tobytes() for kind, s in steps)
    reply = harness.call(Operation.CODEC, head + body)
    size = struct.calcsize("<BHHBHH")
    return [
        Outcome(*struct.unpack_from("<BHHBHH", reply, at), reply[at + size : at + size + capacity])
        for at in range(0, len(reply), size + capacity)
    ]


def whole(harness: Harness, stream: Samples, **options: int) -> list[bytes]:
    """Return the packets of segments that are encoded as a whole."""
    outcomes = calls(harness, [(ENCODE, segment) for segment in stream], **options)
    assert all(outcome.status == Status.OK for outcome in outcomes)
    return [outcome.packet for outcome in outcomes]


def pushed(harness: Harness, stream: Samples, places: list[int], **options: int) -> list[bytes]:
    """Return the packets of segments that come in pieces cut at ``places``."""
    flat = stream.reshape(-1)
    edges = sorted({place % len(flat) for place in places} | set(range(0, len(flat), LENGTH)))
    pieces = np.split(flat, edges)[1:]
    steps = [(BEGIN, NO_SAMPLES), *((PUSH, piece) for piece in pieces)]
    outcomes = calls(harness, steps, **options)
    return [outcome.packet for outcome in outcomes if outcome.status == Status.PACKET_READY]


@settings(max_examples=100, deadline=None)
@given(
    segments=STREAMS,
    places=st.lists(st.integers(0, 1000), max_size=12),
    bound=st.sampled_from((0, 1 << 22, 1 << 23, (1 << 31) - 1)),
    more=st.sampled_from((0, 1, 500)),
    lossless=st.booleans(),
)
def test_any_samples_in_any_pieces_give_the_packets_of_whole_segments(
    harness: Harness,
    *,
    segments: list[list[int]],
    places: list[int],
    bound: int,
    more: int,
    lossless: bool,
) -> None:
    stream = np.array(segments, np.int16)
    expected = whole(harness, stream, bound=bound, lossless=lossless)
    most = MAX if lossless else CODED_MAX
    assert len(expected) == len(stream)
    assert all(len(packet) <= most for packet in expected)
    sent = pushed(harness, stream, places, bound=bound, lossless=lossless, capacity=MAX + more)
    assert sent == expected
    for number, (packet, segment) in enumerate(zip(sent, stream, strict=True)):
        check_packet(packet, number, segment, lossless=lossless)


def check_packet(packet: bytes, number: int, segment: Samples, *, lossless: bool) -> None:
    """Check header and CRC, and what level none gives back."""
    magic, level, stream, sequence, _, size = struct.unpack_from("<BB4xHHBH", packet)
    assert (magic, stream, sequence, size) == (0xDD, 0x1234, number, len(packet) - OVERHEAD)
    assert struct.unpack_from("<I", packet, len(packet) - 4)[0] == zlib.crc32(packet[:-4])
    if level & 15 == 0:
        assert lossless
        assert np.array_equal(rice.decode_samples(packet[13:-4], LENGTH), segment)


@settings(max_examples=60, deadline=None)
@given(segments=STREAMS)
def test_clipped_samples_are_counted_as_python_counts_them(
    harness: Harness, segments: list[list[int]]
) -> None:
    stream = np.array(segments, np.int16)
    outcomes = calls(harness, [(ENCODE, segment) for segment in stream])
    expected = [int(clipped_samples(segment, MAP)) for segment in stream]
    assert [outcome.clipped for outcome in outcomes] == expected
    pieces = [(PUSH, half) for segment in stream for half in np.split(segment, [3])]
    in_pieces = calls(harness, [(BEGIN, NO_SAMPLES), *pieces])[2::2]
    assert [outcome.clipped for outcome in in_pieces] == expected


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_push_of_no_samples_leaves_a_finished_packet_alone(harness: Harness, level: int) -> None:
    bound = {0: 0, 1: WEAKEST, 2: (1 << 31) - 1}[level]
    segment = np.full(LENGTH, 120, np.int16)
    steps = [(BEGIN, NO_SAMPLES), (PUSH, segment), (PUSH, NO_SAMPLES)]
    _, ready, after = calls(harness, steps, bound=bound)
    assert (ready.status, ready.level, ready.length > OVERHEAD) == (
        Status.PACKET_READY,
        level,
        True,
    )
    assert (after.status, after.taken, after.buffer) == (Status.OK, 0, ready.buffer)


def test_a_push_of_no_samples_reads_nothing_that_was_never_written(harness: Harness) -> None:
    segment = np.full(LENGTH, 120, np.int16)
    steps = [(BEGIN, NO_SAMPLES), (PUSH, NO_SAMPLES), (PUSH, segment)]
    _, nothing, ready = calls(harness, steps)
    assert (nothing.status, nothing.taken) == (Status.OK, 0)
    assert ready.packet == whole(harness, segment[None])[0]


@pytest.mark.parametrize("stall_at", range(LENGTH))
def test_a_segment_of_which_the_network_takes_only_a_part_is_never_sealed(
    harness: Harness, stall_at: int
) -> None:
    segment = np.arange(LENGTH, dtype=np.int16)
    (outcome,) = calls(harness, [(ENCODE, segment)], stall_at=stall_at)
    assert (outcome.status, outcome.length, outcome.sequence) == (Status.STALLED, 0, 1)
    steps = [(BEGIN, NO_SAMPLES), *((PUSH, segment[i : i + 1]) for i in range(LENGTH))]
    outcomes = calls(harness, steps, stall_at=stall_at)[1:]
    assert [outcome.status for outcome in outcomes[:stall_at]] == [Status.OK] * stall_at
    assert (outcomes[stall_at].status, outcomes[stall_at].length) == (Status.STALLED, 0)


def test_what_does_not_fit_a_smaller_buffer_uses_up_its_number(harness: Harness) -> None:
    noise = np.array([-30000, 30000] * (LENGTH // 2), np.int16)
    flat = np.zeros(LENGTH, np.int16)
    steps = [(BEGIN, NO_SAMPLES), (PUSH, flat), (PUSH, noise), (PUSH, flat)]
    _, first, lost, last = calls(harness, steps, capacity=CODED_MAX, bound=WEAKEST)
    assert [encoded.status for encoded in (first, lost, last)] == [
        Status.PACKET_READY,
        Status.BUFFER_TOO_SMALL,
        Status.PACKET_READY,
    ]
    numbers = [struct.unpack_from("<H", encoded.packet, 8)[0] for encoded in (first, last)]
    assert numbers == [0, 2]


@pytest.mark.parametrize("capacity", [0, 1, CODED_MAX - 1])
def test_a_buffer_that_no_level_fits_is_refused(harness: Harness, capacity: int) -> None:
    segment = np.zeros(LENGTH, np.int16)
    steps = [(BEGIN, NO_SAMPLES), (PUSH, segment), (ENCODE, segment)]
    begun, pushed_, encoded = calls(harness, steps, capacity=capacity)
    assert begun.status == encoded.status == Status.BUFFER_TOO_SMALL
    assert pushed_.status == Status.BAD_ARGUMENT  # nothing was begun


@pytest.mark.parametrize("count", [0, LENGTH - 1, LENGTH + 1])
def test_a_whole_segment_of_another_length_is_refused(harness: Harness, count: int) -> None:
    (outcome,) = calls(harness, [(ENCODE, np.zeros(count, np.int16))])
    assert (outcome.status, outcome.sequence) == (Status.BAD_LENGTH, 0)


def test_without_level_none_noise_goes_at_the_weakest_compression(harness: Harness) -> None:
    noise = np.array([-30000, 30000] * (LENGTH // 2), np.int16)
    (outcome,) = calls(harness, [(ENCODE, noise)], lossless=False)
    assert (outcome.status, outcome.level, outcome.length) == (Status.OK, 1, CODED_MAX)
