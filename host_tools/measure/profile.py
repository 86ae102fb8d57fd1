"""Latency and memory of a greeted board: what the profile, the bench and the demo share."""

from collections.abc import Callable
from dataclasses import replace

from dynadeep.codegen.errors import DynadeepError
from dynadeep.host_tools.cycles.counts import counting
from dynadeep.host_tools.cycles.estimate import CyclesEstimate, price
from dynadeep.host_tools.cycles.program import read_program
from dynadeep.host_tools.errors import HostError
from dynadeep.host_tools.measure import latency, memory
from dynadeep.host_tools.measure.application import Application
from dynadeep.host_tools.measure.latency import Latency
from dynadeep.host_tools.measure.memory import Memory
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.pipeline import Station, emulated_again

Runs = Callable[[Station], Application]
"""Gives what a greeted board does with its model."""

TRACES = 1
"""What ``measure`` asks of a board beside the application's own runs."""


COUNTING = 100
"""Instructions between reading the clock and what the plugin takes for it, at most."""


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


def with_cycles(measured: Latency, station: Station, runs: Runs) -> Latency:
    """Return a latency with the estimate of its cycles, or with why there is none."""
    try:
        return replace(measured, cycles=estimate_cycles(station, runs), cycles_missing="")
    except DynadeepError as error:
        return replace(measured, cycles=None, cycles_missing=str(error))


def estimate_cycles(station: Station, runs: Runs) -> CyclesEstimate:
    """Count a run of the first golden input in an emulator, and price it by the core's timing.

    Raises:
        DynadeepError: the board has no emulator, its firmware is not known, a program is missing,
            or what was counted is not what the board's own counter says.
    """
    board, layers = station.board, station.plan.network.layers
    if station.elf is None or board.emulator is None or board.flash is None:
        raise HostError(
            f"{board.name}: cycles are estimated of a microcontroller's firmware in its emulator. "
            "Name a board that has one, and the project with --sources."
        )
    program = read_program(station.elf, len(layers))
    with counting(program, board) as count, emulated_again(station, count.arguments) as emulated:
        ticks = runs(emulated).run(golden_cases(station.bundle)[0].input)
        counts = count.counts()
        names = [layer.name for layer in layers]
        estimate = price(program, counts, board.core.cpu, board.flash, names)
        _check_counted(estimate.instructions, ticks, emulated.device.counter.per_tick)
    return estimate


def _check_counted(instructions: int, ticks: int, per_tick: float) -> None:
    """Check that the plugin saw what the board's own counter counted, to two of its ticks."""
    if abs(instructions - ticks * per_tick) > 2 * max(per_tick, COUNTING):
        raise HostError(
            f"the emulator's plugin counted {instructions:,} instructions, the board's counter "
            f"{ticks * per_tick:,.0f}: the cycles of such a run mean nothing. Report this."
        )
