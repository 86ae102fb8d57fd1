"""Repeats, wraps, gaps and restarts are told apart whatever the rate at which a device sends."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dynadeep.host_tools.cloud.memory import Arrived
from dynadeep.host_tools.cloud.reader import Sessions
from dynadeep.host_tools.cloud.streams import Device, Outcome
from dynadeep.host_tools.codec import packet as packets

from .sending import collect, message, rows

PERIOD_US = 2000 / 300 * 1e6
START_US = 1_772_366_400_000_000
BLOCK_US = 50_000
"""A gateway stamps what it reads together alike."""
BEGUN = 5
"""Packets of a run before anything happens to it."""


@dataclass(frozen=True)
class Way:
    """How a device sends, and what happens on its packets' way."""

    rate: float  # segments in the time that one takes
    jitter: float  # of the time between two packets, the share that is random
    lost: float
    again: float  # of packets, behind which those of before come again
    leap: float  # of packets, behind which thousands are lost
    restart: float
    reopened: float  # of packets, behind which the gateway opens its port anew
    alike: bool  # every run has the same bytes


@dataclass(frozen=True)
class Sent:
    """A packet, and the run and number that it truly is."""

    run: int
    number: int
    packet: Arrived


WAYS = st.builds(
    Way,
    rate=st.sampled_from([0.02, 0.5, 0.95, 1.0, 1.0002, 1.5, 8.0, 60.0, 3000.0]),
    jitter=st.sampled_from([0.0, 0.3]),
    lost=st.sampled_from([0.0, 0.05, 0.3]),
    again=st.sampled_from([0.0, 0.01, 0.05]),
    leap=st.sampled_from([0.0, 0.01]),
    restart=st.sampled_from([0.0, 0.01]),
    reopened=st.sampled_from([0.0, 0.01]),
    alike=st.booleans(),
)


def first_deliveries(way: Way, rng: random.Random, count: int) -> Iterator[Sent]:
    """Yield what a gateway hears of a device, stamped and with its sessions."""
    sessions, step_us = Sessions(), PERIOD_US / way.rate
    run, number, first, time_us = 0, rng.choice([0, 65_400]), 0, float(START_US)
    first = number
    for _ in range(count):
        time_us += step_us * (1 + way.jitter * rng.uniform(-1, 1))
        settled = number - first >= BEGUN
        if not settled or rng.random() >= way.lost:
            yield Sent(run, number, heard(sessions, run, number, time_us, way))
        number += 1
        if settled and rng.random() < way.leap:
            skipped = rng.randrange(5_000, 15_000)
            number, time_us = number + skipped, time_us + skipped * step_us
        is_by_wrap = number % 65_536 > 65_300 or number % 65_536 < 64  # a restart looks alike
        if settled and not is_by_wrap and rng.random() < way.reopened:
            skipped = rng.randrange(12)
            number, time_us = number + skipped, time_us + skipped * step_us
            sessions.begin()
        if settled and not is_by_wrap and rng.random() < way.restart:
            run, number, first = run + 1, 0, 0
            time_us += rng.uniform(0.3, 60) * max(step_us, BLOCK_US)
            sessions.begin()


def heard(sessions: Sessions, run: int, number: int, time_us: float, way: Way) -> Arrived:
    """Return a packet as the gateway sends it on."""
    data = packets.encode(packets.Packet(1, b"\1\2\3\4", 0, number % 65536, b""))
    return Arrived(
        model=1,
        label=0,
        sequence=number % 65536,
        crc=number if way.alike else hash((run, number)) & 0xFFFFFFFF,
        arrival_us=-int(-time_us // BLOCK_US) * BLOCK_US,
        period_us=PERIOD_US,
        session=sessions.of(data),
    )


def delivered(way: Way, rng: random.Random, count: int) -> Iterator[Sent]:
    """Yield what a collector gets: packets come again, a few of them or all there were."""
    sent: list[Sent] = []
    for delivery in first_deliveries(way, rng, count):
        sent.append(delivery)
        yield delivery
        if rng.random() < way.again:
            yield from sent[-rng.choice([1, 5, 40, 300, len(sent)]) :]


def check(way: Way, seed: int) -> None:
    """Place a device's packets, and hold each to what it truly is."""
    device, archived = Device(), set()
    runs: dict[int, int] = {}
    delivered_before: set[tuple[int, int]] = set()
    for delivery in delivered(way, random.Random(seed), 400):
        verdict = device.judge(delivery.packet, lambda *place: place in archived)
        assert (verdict.outcome is Outcome.REPEAT) == (
            (delivery.run, delivery.number) in delivered_before
        )
        placed = device.place(delivery.packet, verdict)
        assert (runs.setdefault(placed.stream, delivery.run), placed.index) == (
            delivery.run,
            delivery.number,
        )
        archived.add((placed.stream, placed.index))
        delivered_before.add((delivery.run, delivery.number))
    assert len(set(runs.values())) == len(runs)  # no stream was taken for two


@settings(max_examples=40, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(WAYS, st.integers(0, 1 << 30))
def test_every_packet_is_stored_once_in_its_place_and_run_at_any_rate(way: Way, seed: int) -> None:
    check(way, seed)


@pytest.mark.parametrize(
    ("way", "seed"),
    [
        (Way(1.0002, 0.3, 0.05, 0.01, 0.01, 0.0, 0.01, alike=True), 2613),
        (Way(1.0002, 0.3, 0.0, 0.01, 0.01, 0.0, 0.01, alike=False), 167_171),
        (Way(1.5, 0.0, 0.3, 0.0, 0.01, 0.01, 0.01, alike=True), 141),
        (Way(0.95, 0.3, 0.05, 0.05, 0.01, 0.01, 0.01, alike=True), 34_225),
    ],
)
def test_a_port_opened_anew_in_a_long_gap_of_unsteady_packets_is_no_restart(
    way: Way, seed: int
) -> None:
    """How exactly number and time must agree is what the packets before the gap say."""
    check(way, seed)


def test_a_wrap_that_was_due_within_a_gap_is_no_restart() -> None:
    """The first number behind it is 15, and 5,187 segments took the time that they always do."""
    check(Way(0.02, 0.3, 0.0, 0.05, 0.01, 0.0, 0.01, alike=False), 5_029_370)


def test_two_packets_read_at_once_behind_a_gap_do_not_say_how_fast_others_come() -> None:
    """By their pace of nothing a later one would stand 26 million segments on."""
    way = Way(3000.0, 0.0, lost=0.3, again=0.01, leap=0.01, restart=0.01, reopened=0.0, alike=True)
    check(way, 12_251_894)


@pytest.mark.nightly
@settings(max_examples=5000, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(WAYS, st.integers(0, 1 << 30))
def test_thousands_of_ways_to_send_are_told_apart(way: Way, seed: int) -> None:
    check(way, seed)


@pytest.mark.parametrize("rate", [0.05, 1, 60, 5000])
def test_a_whole_spool_that_comes_again_is_archived_once(tmp_path, bundle, rate) -> None:
    """Though most of it is in Parquet already, and the numbers have wrapped meanwhile."""
    sent = [
        message(bundle.manifest, number, at=step / rate)
        for step, number in enumerate([*range(65_000, 65_300), *range(80_000, 80_300)])
    ]
    collect(tmp_path, bundle, sent[:450])
    done = collect(tmp_path, bundle, [*sent[400:], *sent])
    assert done.counts == {"repeated": 50 + len(sent), "packet": 150}
    assert rows(tmp_path, "kind").count(("packet",)) == len(sent)
