"""Latency and memory of a greeted board: what the profile, the bench and the demo share."""

from dynadeep.host_tools.measure import latency, memory
from dynadeep.host_tools.measure.application import Application
from dynadeep.host_tools.measure.latency import Latency
from dynadeep.host_tools.measure.memory import Memory
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.pipeline import Station

TRACES = 1
"""What ``measure`` asks of a board beside the application's own runs."""


def measure(
    station: Station, application: Application, segments: int
) -> tuple[Latency, Memory | None]:
    """Run the first golden inputs and return what they cost.

    Returns:
        The latency, and the memory unless the firmware's ELF file is not known.
    """
    chosen = [case.input for case in golden_cases(station.bundle)[:segments]]
    cost = latency.measure(station.device, station.plan, chosen, application)
    return cost, measure_memory(station)


def worst_call(station: Station, application: Application) -> int | None:
    """Return what the longest call costs when the input comes a step at a time.

    None where the engine takes a whole input at once.
    """
    if station.device.about.engine != "stream":
        return None
    case = next(iter(golden_cases(station.bundle)))
    ticks = application.longest_call(case.input)
    return round(ticks * station.device.counter.per_tick)


def measure_memory(station: Station) -> Memory | None:
    """Return flash, RAM and the stack's peak so far; None without a microcontroller's ELF."""
    if station.elf is None or not station.board.cortex_m:
        return None
    stack = station.device.memory()
    return memory.measure(memory.read_image(station.elf), stack, station.plan.rows)
