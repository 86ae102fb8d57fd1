"""Packets lost, doubled, swapped, damaged: the time axis stays right, and everything is counted."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.packet import SEQUENCES, Packet
from dynadeep.host_tools.codec.packet_file import find
from dynadeep.host_tools.codec.timeline import place

SIX = Path(__file__).parents[1] / "cases" / "packets" / "six.bin"


def packet(sequence: int, *, stream: int = 0, payload: bytes = b"") -> Packet:
    payload = payload or f"{stream}/{sequence}".encode()
    return Packet(1, b"\1\2\3\4", stream, sequence % SEQUENCES, payload)


def runs_of(timeline) -> list[list[int]]:
    return [sorted(run.received) for run in timeline.runs]


@pytest.mark.parametrize(
    ("received", "segments", "lost", "repeated", "late"),
    [
        ([0, 1, 2, 3], 4, 0, 0, 0),
        ([0, 1, 3], 4, 1, 0, 0),
        ([0, 1, 1, 2], 3, 0, 1, 0),
        ([0, 1, 2, 0, 1, 2], 3, 0, 3, 0),
        ([1, 0, 2], 3, 0, 0, 1),
        ([0, 2, 3, 1, 4], 5, 0, 0, 1),
        ([5], 6, 5, 0, 0),
    ],
)
def test_packets_of_one_stream_are_put_in_their_place(received, segments, lost, repeated, late):
    timeline = place(map(packet, received))
    counts = (timeline.segments, timeline.lost, timeline.repeated, timeline.late)
    assert counts == (segments, lost, repeated, late)
    assert timeline.restarts == 0


def test_the_sequence_wraps_without_a_gap():
    timeline = place(packet(number) for number in range(SEQUENCES + 3))
    assert (timeline.segments, timeline.lost, timeline.restarts) == (SEQUENCES + 3, 0, 0)


def test_a_gap_over_the_wrap_is_a_gap():
    timeline = place(packet(number) for number in [*range(SEQUENCES - 2), SEQUENCES + 1])
    assert (timeline.segments, timeline.lost, timeline.restarts) == (SEQUENCES + 2, 3, 0)


def test_a_late_packet_over_the_wrap_is_late():
    order = [*range(SEQUENCES - 1), SEQUENCES, SEQUENCES - 1, SEQUENCES + 1]
    timeline = place(packet(number) for number in order)
    assert (timeline.segments, timeline.lost, timeline.late, timeline.restarts) == (
        SEQUENCES + 2,
        0,
        1,
        0,
    )


def test_a_stream_that_begins_anew_is_a_run_of_its_own():
    again = [packet(n, payload=b"other") for n in range(3)]
    timeline = place([*(packet(n) for n in range(100)), *again])
    assert runs_of(timeline) == [list(range(100)), [0, 1, 2]]
    assert (timeline.restarts, timeline.lost, timeline.repeated) == (1, 0, 0)


def test_a_stream_that_begins_anew_with_the_same_signal_is_not_a_repeat():
    """An idle line gives the same packets after a restart, until something differs."""
    first = [packet(n, payload=b"flat") for n in range(10)]
    again = [*first[:3], packet(3, payload=b"beat")]
    timeline = place([*first, *again])
    assert runs_of(timeline) == [list(range(10)), [0, 1, 2, 3]]
    assert (timeline.restarts, timeline.repeated, timeline.lost) == (1, 0, 0)


def test_a_stream_that_begins_anew_unseen_has_lost_its_begin():
    timeline = place(
        [*(packet(n) for n in range(100)), packet(2, payload=b"a"), packet(3, payload=b"b")]
    )
    assert runs_of(timeline)[1] == [2, 3]
    assert (timeline.restarts, timeline.lost) == (1, 2)


def test_streams_that_alternate_stay_apart():
    mixed = [packet(n, stream=s) for n in range(4) for s in (7, 3)]
    timeline = place(mixed)
    assert [run.stream for run in timeline.runs] == [7, 3]
    assert (timeline.segments, timeline.lost, timeline.repeated) == (8, 0, 0)


@pytest.fixture
def six() -> list[bytes]:
    return packets_of(SIX.read_bytes())


@pytest.fixture
def of_six(make_manifest):
    return make_manifest(model_id="f201cc5a5454cbf1")


def packets_of(data: bytes) -> list[bytes]:
    starts = [0]
    while starts[-1] < len(data):
        length = int.from_bytes(data[starts[-1] + 11 : starts[-1] + 13], "little")
        starts.append(starts[-1] + packets.OVERHEAD_BYTES + length)
    return [data[a:b] for a, b in itertools.pairwise(starts)]


def test_whole_packets_are_found_around_any_flipped_bit(six, of_six):
    """Wherever it falls: one packet is lost, in one stretch, and the other five are whole."""
    data = b"".join(six)
    for at in range(0, len(data), 7):
        damaged = bytearray(data)
        damaged[at] ^= 1 << at % 8
        scan = find(bytes(damaged), of_six)
        hit = next(i for i in range(6) if at < len(b"".join(six[: i + 1])))
        assert list(scan.packets) == six[:hit] + six[hit + 1 :]
        assert sum(stretch.length for stretch in scan.damaged) == len(six[hit])


def test_bytes_in_between_are_skipped(six, of_six):
    scan = find(b"noise \xdd".join(six) + b"\xdd\x31", of_six)
    assert list(scan.packets) == six
    assert len(scan.damaged) == 6


def test_a_packet_that_is_cut_off_is_left_out(six, of_six):
    for cut in (1, 4, len(six[5]) - 1):
        scan = find(b"".join(six)[:-cut], of_six)
        assert list(scan.packets) == six[:5]
        assert [str(packet) for packet in scan.damaged] == [
            f"{len(six[5]) - cut} bytes at {sum(map(len, six[:5]))}"
        ]


def test_bytes_made_to_look_like_packets_are_searched_in_bounded_time(of_six):
    """Each begins as a packet does and claims 4000 bytes, so that each has a CRC to compute."""
    head = (
        bytes([0xDD, packets.VERSION << 4])
        + bytes.fromhex("f201cc5a")
        + bytes(5)
        + (4000).to_bytes(2, "little")
    )
    assert find(head * 20_000, of_six).packets == ()


def test_a_packet_of_another_model_is_kept_to_be_named(six, make_manifest):
    assert len(find(b"".join(six), make_manifest()).packets) == 6


def test_noise_holds_no_packet(of_six):
    noise = np.random.default_rng(0).integers(0, 256, 100_000, np.uint8).tobytes()
    scan = find(noise, of_six)
    assert (scan.packets, len(scan.damaged)) == ((), 1)
