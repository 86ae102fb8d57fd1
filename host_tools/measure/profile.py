"""Latency and memory of a greeted board: what the profile, the bench and the demo share."""

from dynadeep.host_tools.measure import latency, memory
from dynadeep.host_tools.measure.latency import Latency
from dynadeep.host_tools.measure.memory import Memory
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.pipeline import Station

RUNS_PER_SEGMENT, TRACES = 2, 1
"""What ``measure`` asks of a board: each segment at both ends of the bound, and one trace."""


def measure(station: Station, segments: int) -> tuple[Latency, Memory | None]:
    """Run the first golden segments and return what they cost.

    Returns:
        The latency, and the memory unless the firmware's ELF file is not known.
    """
    chosen = [case.segment for case in golden_cases(station.bundle)[:segments]]
    cost = latency.measure(station.device, station.plan, chosen)
    return cost, measure_memory(station)


def worst_call(station: Station) -> int | None:
    """Return what the longest call of the encoder costs when it gets one sample at a time.

    None where the engine takes a whole segment at once.
    """
    if station.device.about.engine != "stream":
        return None
    case = next(iter(golden_cases(station.bundle)))
    reply = station.device.run(case.segment, single=True)
    return round(reply.worst_ticks * station.device.counter.per_tick)


def measure_memory(station: Station) -> Memory | None:
    """Return flash, RAM and the stack's peak so far; None without a microcontroller's ELF."""
    if station.elf is None or not station.board.cortex_m:
        return None
    stack = station.device.memory()
    return memory.measure(memory.read_image(station.elf), stack, station.plan.rows)
