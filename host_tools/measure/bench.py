"""The benchmark kept in the repository: what a network needs on each emulated board.

Every figure is counted, not timed, so that it is the same on any computer.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from dynadeep.codegen.board import Board, board_names, load_board
from dynadeep.codegen.bundle import Bundle, sha256_of
from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.kernels import DSP, HELIUM, KernelSet, kernels_of
from dynadeep.codegen.plan import Engine
from dynadeep.codegen.planner import PlanSettings, plan_for
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.errors import HostError
from dynadeep.host_tools.measure import parity, profile
from dynadeep.host_tools.measure.latency import Latency
from dynadeep.host_tools.measure.memory import Memory
from dynadeep.host_tools.measure.profile import Runs
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.measure.report import Report, planned
from dynadeep.host_tools.measure.several import several
from dynadeep.host_tools.measure.unfinished import Measured
from dynadeep.host_tools.pipeline import Station

Build = Literal["speed", "size"]
SEGMENTS = 3
OPTIMIZE: dict[Build, str | None] = {"speed": None, "size": "-Os"}
SCALING = ("bias", "multiplier", "shift")
"""What turns a channel's sums into codes."""

SIZE_BOARD = "mps2-an386"
"""Where the size build is measured: it differs in nothing but the compiler's option."""


@dataclass(frozen=True)
class Setup:
    """What is measured: a board with an engine and a kernel set."""

    board: str
    engine: Engine
    kernels: KernelSet
    build: Build = "speed"

    @property
    def name(self) -> str:
        """All of it in words."""
        small = " (size build)" if self.build == "size" else ""
        return f"{self.board} {self.engine} {self.kernels.name}{small}"


@dataclass(frozen=True)
class Result:
    """One setup's figures."""

    setup: Setup
    report: Report
    worst_call: int | None  # instructions of the longest call; None where a segment is one call
    latency: Latency
    memory: Memory

    @property
    def constants(self) -> Mapping[str, int]:
        """Bytes of the model's arrays in flash, by kind."""
        sizes: Counter[str] = Counter()
        for constant in self.report.plan.constants:
            sizes[constant.kind] += constant.array.nbytes
        return sizes

    def row(self) -> dict[str, Any]:
        """Return what is compared from version to version."""
        memory = self.memory
        return {
            "board": self.setup.board,
            "core": self.report.board.core.cpu,
            "engine": self.setup.engine,
            "kernels": self.setup.kernels.name,
            "build": self.setup.build,
            "instructions": self.latency.least,
            "cycles_estimate": None if self.latency.cycles is None else self.latency.cycles.total,
            "instructions_with_samples": self.latency.per_segment,
            "worst_call_instructions": self.worst_call or self.latency.per_segment,
            "instructions_per_mac": round(self.latency.least / max(self.latency.macs, 1), 3),
            "flash_bytes": memory.flash_bytes,
            "code_bytes": memory.flash_bytes - sum(self.constants.values()),
            "weights_bytes": self.constants["weights"],
            "tables_bytes": self.constants["table"],
            "scaling_bytes": sum(size for kind, size in self.constants.items() if kind in SCALING),
            "ram_bytes": memory.ram_bytes,
            "static_ram_bytes": memory.static_ram_bytes,
            "stack_bytes": memory.stack_peak_bytes,
            "bit_exact": self.report.parity is not None and self.report.parity.bit_exact,
        }


@dataclass(frozen=True)
class Choice:
    """What is measured of a network, and why the rest is not."""

    setups: tuple[Setup, ...]
    refused: Mapping[str, str]  # setup's name -> why it does not fit


def emulated() -> list[str]:
    """Return the names of the kit's microcontrollers that an emulator runs."""
    return [name for name in board_names() if _is_emulated(name)]


def _is_emulated(name: str) -> bool:
    board = load_board(name)
    return board.cortex_m and board.emulator is not None


def choose(bundle: Bundle, names: Sequence[str] = ()) -> Choice:
    """Return every engine and kernel set of emulated boards, by name or folder; else of the kit's.

    Raises:
        BoardError: there is no such board.
        HostError: a board is no emulated microcontroller, or the network fits none of them.
    """
    boards = emulated()
    for name in names:
        if not _is_emulated(name):
            raise HostError(
                f"{name}: it is measured in an emulator, and has none. Give {', '.join(boards)}, "
                "or the folder of one of your own."
            )
    setups: list[Setup] = []
    refused: dict[str, str] = {}
    for setup in _setups(list(names) or boards):
        try:
            plan_for(
                bundle, load_board(setup.board), PlanSettings(setup.engine, setup.kernels.name)
            )
        except BoardError as problem:
            refused[setup.name] = str(problem)
        else:
            setups.append(setup)
    if not setups:
        raise HostError("\n".join(refused.values()))
    return Choice(tuple(setups), refused)


def _setups(names: Sequence[str]) -> Iterator[Setup]:
    for name in names:
        board = load_board(name)
        for kernels in _kernel_sets(board):
            for engine in ("stream", "layers"):
                yield Setup(name, engine, kernels)
    if SIZE_BOARD in names:
        yield Setup(SIZE_BOARD, "stream", DSP, "size")


def _kernel_sets(board: Board) -> tuple[KernelSet, ...]:
    """Return what a core's own kernel set can be compared with: the one of the core below it."""
    best = kernels_of(board.core.cpu)
    return (best, DSP) if best is HELIUM else (best,)


@dataclass(frozen=True)
class Watch:
    """Who is told how far a benchmark is."""

    say: Callable[[str], None]  # each step
    begin: Callable[[Report], None] = lambda report: None  # each setup, nothing measured of it yet
    put: Callable[[Report], None] = lambda report: None  # what is known of it meanwhile
    done: Callable[[Measured], None] = lambda measured: None


def run_bench(
    bundle: Bundle,
    setups: Sequence[Setup],
    runs: Runs,
    watch: Watch,
    *,
    before: Sequence[Measured] = (),
    jobs: int = 1,
) -> list[Result]:
    """Measure setups in the emulator: the same figures on any computer.

    Args:
        bundle: the model.
        setups: the setups.
        runs: gives what a greeted board does with the model.
        watch: told of each step.
        before: what an earlier benchmark measured, taken over where the firmware is the same.
        jobs: how many setups are measured at a time; they are told of in their order.
    """
    earlier = {(measured.setup, measured.firmware_sha256): measured for measured in before}
    if jobs == 1:
        return [_result(bundle, setup, runs, watch, earlier) for setup in setups]

    def measure(setup: Setup, go_on: Callable[[], None]) -> tuple[Result, Measured]:
        measurements: list[Measured] = []
        own_watch = Watch(watch.say, put=lambda report: go_on(), done=measurements.append)
        return _result(bundle, setup, runs, own_watch, earlier), measurements[0]

    results = []  # each is told of when it and those before it are done
    for result, measured in several(measure, setups, jobs):
        watch.begin(result.report)
        watch.done(measured)
        results.append(result)
    return results


def _result(
    bundle: Bundle,
    setup: Setup,
    runs: Runs,
    watch: Watch,
    earlier: Mapping[tuple[str, str], Measured],
) -> Result:
    settings = PlanSettings(setup.engine, setup.kernels.name)
    board = load_board(setup.board)
    report = planned("bench", board, plan_for(bundle, board, settings), build=setup.build)
    watch.begin(report)
    watch.say(f"{setup.name}: building")
    optimize = OPTIMIZE[setup.build]
    firmware = pipeline.make_firmware(bundle, setup.board, settings=settings, optimize=optimize)
    key = (setup.name, sha256_of(firmware.elf))
    if key in earlier:
        watch.say(f"{setup.name}: measured before, and the firmware is the same")
        measured = earlier[key]
    else:
        with pipeline.connect(bundle, setup.board, elf=firmware.elf, settings=settings) as station:
            measured = _measured(key, station, runs, report, watch)
    watch.done(measured)
    report = replace(
        report, parity=measured.parity, latency=measured.latency, memory=measured.memory
    )
    watch.put(report)
    return Result(setup, report, measured.worst_call, measured.latency, measured.memory)


def _measured(
    key: tuple[str, str], station: Station, runs: Runs, report: Report, watch: Watch
) -> Measured:
    """Measure a greeted board; ``report`` is put as it grows."""
    name, firmware = key
    watch.say(f"{name}: parity over the golden vectors")
    application = runs(station)
    compared = parity.check(
        station.device,
        station.plan,
        golden_cases(station.bundle),
        application,
        lambda so_far: watch.put(replace(report, parity=so_far)),
    )
    parity.require_exact(compared)
    watch.say(f"{name}: latency and memory")
    latency, memory = profile.measure(station, application, SEGMENTS)
    latency = profile.with_cycles(latency, station, runs)
    worst = profile.worst_call(station, application)
    if memory is None:
        raise HostError(f"{station.board.name}: is no microcontroller. Measure a Cortex-M board.")
    return Measured(name, firmware, compared, latency, memory, worst)
