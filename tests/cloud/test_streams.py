"""Repeats, gaps, wraps and restarts are told apart, and every segment gets its time."""

import random
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.host_tools.cloud.clock import Clock
from dynadeep.host_tools.cloud.memory import Arrived
from dynadeep.host_tools.cloud.streams import Device, Outcome, Placed

PERIOD_US = 2000 / 300 * 1e6
START_US = 1_772_366_400_000_000


def arrived(number: int, *, at: float | None = None, crc: int | None = None, **changes) -> Arrived:
    """Return the packet of a run that began at START_US, ``at`` periods behind that."""
    return Arrived(
        model=1,
        label=0,
        sequence=number % 65536,
        crc=number if crc is None else crc,
        arrival_us=round(START_US + PERIOD_US * (number + 1 if at is None else at)),
        period_us=PERIOD_US,
        **changes,
    )


def placed_of(device: Device, packet: Arrived, known=lambda stream, index: True) -> Placed:
    return device.place(packet, device.judge(packet, known))


def outcomes(
    packets: list[Arrived], known=lambda stream, index: True
) -> list[tuple[str, int, int]]:
    device = Device()
    placed = [placed_of(device, packet, known) for packet in packets]
    return [(place.outcome.value, place.stream, place.index) for place in placed]


def test_numbers_on_end_are_one_stream():
    places = outcomes([arrived(i) for i in range(200)])
    assert places == [("first" if i == 0 else "next", 0, i) for i in range(200)]


def test_a_gap_is_told_with_its_time():
    device = Device()
    for i in (0, 1, 2, 6):
        placed = placed_of(device, arrived(i))
    assert (placed.gap.index, placed.gap.count) == (3, 3)
    assert placed.gap.time_us == pytest.approx(START_US + 3 * PERIOD_US, abs=2)


@pytest.mark.parametrize("lost", [0, 40_000, 70_000, 200_000])
def test_the_number_counts_on_over_its_wraps_however_much_was_lost(lost):
    places = outcomes([arrived(65_534), arrived(65_536 + lost)])
    assert places[1] == ("next", 0, 65_536 + lost)


def test_a_repeat_is_dropped_at_once_and_after_a_week():
    old = [arrived(i) for i in range(3)]
    looked_up = []
    packets = [*old, old[1], *(arrived(i) for i in range(3, 400)), old[2]]
    places = outcomes(packets, lambda *place: looked_up.append(place) or True)
    assert places[3] == ("repeat", 0, 1)
    assert places[-1] == ("repeat", 0, 2)
    assert looked_up == [(0, 2)]


def test_a_packet_that_comes_after_days_and_was_not_archived_is_late():
    late = arrived(2)
    packets = [arrived(0), arrived(1), *(arrived(i) for i in range(3, 400)), late]
    assert outcomes(packets, lambda *_: False)[-1] == ("late", 0, 2)


def test_packets_out_of_order_are_put_in_their_place():
    assert outcomes([arrived(0), arrived(2), arrived(1), arrived(3)]) == [
        ("first", 0, 0), ("next", 0, 2), ("late", 0, 1), ("next", 0, 3),
    ]  # fmt: skip


@pytest.mark.parametrize("number", [0, 3, 30])
def test_a_restart_begins_a_stream_though_its_number_lies_ahead_or_behind(number):
    for newest in (5, 500, 40_000):
        packets = [arrived(newest), arrived(number, at=newest + 1.3 + number + 1)]
        assert outcomes(packets)[1] == ("restart", 1, number)


def test_a_restart_whose_packets_have_the_same_bytes_is_no_repeat():
    flat = [arrived(i, at=i + 1, crc=i) for i in range(5)]
    again = [arrived(i, at=i + 7, crc=i) for i in range(5)]
    assert [place[1] for place in outcomes([*flat, *again])] == [0] * 5 + [1] * 5


def test_what_comes_again_from_before_a_restart_is_a_repeat():
    old = [arrived(i) for i in range(5)]
    new = [arrived(i, at=i + 7, crc=100 + i) for i in range(3)]
    places = outcomes([*old, *new[:2], *old[2:], *new[1:]])
    assert places[7:] == [("repeat", 0, i) for i in (2, 3, 4)] + [
        ("repeat", 1, 1), ("next", 1, 2),
    ]  # fmt: skip


def test_what_was_on_its_way_when_a_stream_began_belongs_to_the_one_before():
    old = [arrived(i) for i in range(5)]
    new = [arrived(i, at=i + 7, crc=100 + i) for i in range(3)]
    places = outcomes([*old[:4], *new[:2], old[4], new[2]])
    assert places[6:] == [("next", 0, 4), ("next", 1, 2)]


def test_a_restart_shortly_after_the_begin_is_told_by_time():
    packets = [arrived(i) for i in range(3)]
    packets.append(arrived(3, at=3 + 4 + 1, crc=9, session="another"))
    assert outcomes(packets)[-1] == ("restart", 1, 3)


def test_a_clock_that_is_set_begins_a_stream():
    for hours in (-3, 3):
        at = 11 + hours * 540
        assert outcomes([arrived(9), arrived(10, at=at)])[1][0] == "restart"


def test_another_model_or_stream_of_the_device_begins_a_stream():
    strangers = [replace(arrived(1), model=2), replace(arrived(1), label=7)]
    for packet in strangers:
        assert outcomes([arrived(0), packet])[1] == ("restart", 1, 1)


def test_packets_that_waited_on_the_way_stay_in_their_stream():
    waited = [arrived(i, at=60) for i in range(10, 59)]
    places = outcomes([*(arrived(i) for i in range(10)), *waited, *(arrived(i) for i in (60, 61))])
    assert {stream for _, stream, _ in places} == {0}


def test_without_a_stamp_the_number_decides():
    packets = [arrived(i, at=100, stamped=False) for i in (0, 1, 2, 2, 5, 4, 700)]
    packets += [arrived(i, at=100, crc=9, stamped=False) for i in (0, 1)]
    assert outcomes(packets) == [
        ("first", 0, 0), ("next", 0, 1), ("next", 0, 2), ("repeat", 0, 2), ("next", 0, 5),
        ("late", 0, 4), ("next", 0, 700), ("restart", 1, 0), ("next", 1, 1),
    ]  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """A packet of a simulated device, and the run and number that it truly is."""

    run: int
    number: int
    packet: Arrived


@st.composite
def deliveries(draw) -> list[Sent]:
    """Draw what a collector gets of a device: lost, repeated, in disorder, over restarts."""
    drawn = random.Random(draw(st.integers(0, 1 << 30)))
    lost, again = draw(st.sampled_from([0, 0.05, 0.4])), draw(st.sampled_from([0, 0.02, 0.2]))
    period = PERIOD_US * (1 + draw(st.sampled_from([-1e-4, 0, 1e-4])))
    time, sent = float(START_US), []
    for run in range(draw(st.integers(1, 5))):
        first = draw(st.sampled_from([0, 65_500])) if run == 0 else 0
        numbers = range(first, first + draw(st.integers(50 if first else 6, 120)))
        for number in numbers:
            time += period
            if number < first + 4 or drawn.random() >= lost:
                at = round(time + drawn.expovariate(1 / 50_000))
                crc = drawn.choice([number, drawn.getrandbits(32)])
                packet = replace(arrived(number, crc=crc), arrival_us=at, session=str(run))
                sent.append(Sent(run, number, packet))
        time += drawn.uniform(0, 100) * PERIOD_US if drawn.random() < 0.5 else 0
    return delivered(sent, again, drawn)


def delivered(sent: list[Sent], again: float, rng: random.Random) -> list[Sent]:
    """Repeat what was not acknowledged after reconnects, and swap neighbours now and then."""
    arrivals: list[Sent] = []
    for index, delivery in enumerate(sent):
        arrivals.append(delivery)
        if rng.random() < again:
            arrivals += sent[max(0, index - rng.randrange(40)) : index + 1]
        if index > 4 and rng.random() < again / 2:
            arrivals[-1], arrivals[-2] = arrivals[-2], arrivals[-1]
    return arrivals


@settings(max_examples=60, deadline=None)
@given(deliveries())
def test_every_packet_is_placed_once_where_it_truly_stands(got):
    device, archived, streams = Device(), set(), {}
    for delivery in got:
        placed = placed_of(device, delivery.packet, lambda *place: place in archived)
        truly = (delivery.run, delivery.number)
        assert streams.setdefault(placed.stream, delivery.run) == delivery.run
        assert placed.index == delivery.number
        assert (placed.outcome is Outcome.REPEAT) == (truly in archived)
        archived.add(truly)
    assert len(set(streams.values())) == len(streams)


def errors_ms(drift: float, seed: int) -> np.ndarray:
    """Return by how much a day's times are late, where a quarter was lost and delays vary."""
    drawn = np.random.default_rng(seed)
    clock, late = Clock(PERIOD_US), []
    for index in range(12_960):
        begin = START_US + index * PERIOD_US * (1 + drift)
        delay = 20_000 + drawn.exponential(30_000) + (2e6 if drawn.random() < 0.01 else 0)
        if index == 0 or drawn.random() < 0.75:
            clock.take(index, round(begin + PERIOD_US * (1 + drift) + delay))
            late.append((clock.time_us(index) - begin) / 1000)
    return np.array(late)


@pytest.mark.parametrize("drift", [-1e-4, 0, 1e-4])
def test_a_segments_time_is_right_to_a_few_milliseconds_over_drift_and_losses(drift):
    late = errors_ms(drift, 3)
    assert np.percentile(np.abs(late[1000:] - 20), 99) < 10
    assert np.abs(late[100:] - 20).max() < 120


def test_time_is_kept_over_a_gap_of_hours():
    clock = Clock(PERIOD_US)
    for index in [*range(3000), *range(5000, 5400)]:
        clock.take(index, round(START_US + (index + 1) * PERIOD_US * (1 + 5e-5)))
    assert clock.time_us(5399) == pytest.approx(START_US + 5399 * PERIOD_US * (1 + 5e-5), abs=2e4)
