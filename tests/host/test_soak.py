"""A board that works for long: every result right, the host's memory flat, nothing drifts."""

import gc
import itertools
import resource
from pathlib import Path

import pytest

from dynadeep.host_tools import pipeline
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.measure import parity
from dynadeep.host_tools.measure.parity import ParityResult
from dynadeep.host_tools.measure.references import golden_cases

SEGMENTS = 20_000
SETTLED = 0.25
"""Share of the segments behind which nothing is allocated for the first time any more."""

GROWTH_BYTES = 4 << 20
"""Of the resident memory, behind that: an allocator's own, not a thing a segment."""


def resident_bytes() -> int:
    """Return this process's resident memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def soak(bundle, elf, segments: int) -> None:
    """Compare golden segments over and over with one board that is never reset.

    Every tensor, packet and predicted error is held to the reference, and each packet's number to
    the count of all: what is lost, done twice or drifts shows.
    """
    cases = golden_cases(bundle)
    memory: list[int] = []
    ticks: list[list[int]] = []
    with pipeline.connect(bundle, "mps2-an386", elf=elf) as station:
        application = application_of(station)

        def on_case(so_far: ParityResult) -> None:
            if so_far.segments % max(segments // 20, 1) == 0:
                memory.append(resident_bytes())

        def measured() -> list[int]:
            return application.ticks([case.input for case in cases[:2]])

        ticks.append(measured())
        result = parity.check(
            station.device,
            station.plan,
            itertools.islice(itertools.cycle(cases), segments),
            application,
            on_case,
        )
        stack = station.device.memory()
        ticks.append(measured())
        per_tick = station.device.counter.per_tick
        traffic = station.device.traffic
    parity.require_exact(result)
    assert result.segments == segments
    assert result.results == segments
    assert (traffic.damaged_frames, traffic.restarts) == (0, 0)
    settled = memory[int(len(memory) * SETTLED) :]
    assert settled[-1] - settled[0] < GROWTH_BYTES, [size >> 10 for size in memory]
    assert 0 < stack.peak_bytes < stack.size_bytes
    # A run costs as much as before, to a tick of the counter on either side.
    before, after = ticks
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= 2, per_tick


@pytest.mark.emulator
def test_one_golden_set_after_the_other_stays_right(bundle, firmware):
    soak(bundle, firmware("mps2-an386").elf, 60)


@pytest.mark.emulator
@pytest.mark.nightly
@pytest.mark.timeout(4 * 3600)
def test_twenty_thousand_segments_are_right_and_the_hosts_memory_stays_flat(bundle, firmware):
    soak(bundle, firmware("mps2-an386").elf, SEGMENTS)
