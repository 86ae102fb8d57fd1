"""The benchmark kept in the repository: what each emulated board needs, beside the peers.

Every figure is counted, not timed, so that it is the same on any computer; the last committed
figures are what new ones are held against.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from dynadeep.codegen.board import Board, board_names, load_board
from dynadeep.codegen.bundle import Bundle, sha256_of
from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.kernels import DSP, HELIUM, KernelSet, kernels_of
from dynadeep.codegen.markdown import table
from dynadeep.codegen.plan import Engine, make_plan
from dynadeep.codegen.planner import Wanted, plan_for
from dynadeep.codegen.typed import Reader
from dynadeep.codegen.version import __version__
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.errors import HostError
from dynadeep.host_tools.measure import parity, profile
from dynadeep.host_tools.measure.known import KnownNetwork, Peer
from dynadeep.host_tools.measure.known import find as find_known
from dynadeep.host_tools.measure.latency import Latency
from dynadeep.host_tools.measure.memory import Memory
from dynadeep.host_tools.measure.profile import Runs
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.measure.report import Report, planned, write_report
from dynadeep.host_tools.measure.several import several
from dynadeep.host_tools.measure.unfinished import Measured
from dynadeep.host_tools.pipeline import Station

Build = Literal["speed", "size"]
SEGMENTS = 3
TOLERANCE = 0.02
"""A figure that grows by more is a loss. Counters have a tick of up to 80 instructions."""
HELD = (
    "instructions",
    "worst_call_instructions",
    "flash_bytes",
    "ram_bytes",
    "stack_bytes",
)
OPTIMIZE: dict[Build, str | None] = {"speed": None, "size": "-Os"}
SCALING = ("bias", "multiplier", "shift")
"""What turns a channel's sums into codes."""

SIZE_BOARD = "mps2-an386"
"""Where the size build is measured: it differs in nothing but the compiler's option."""

RESULTS_JSON, RESULTS_MD = "results.json", "results.md"


BOARD_HEADINGS = (
    *("board", "core", "engine", "kernels", "build", "instructions", "per MAC"),
    *("cycles (est.)", "longest call"),
    *("flash", "= code, others", "+ weights", "+ tables", "+ scaling"),
    *("RAM", "= static", "+ stack", "bit-exact"),
)
PEER_HEADINGS = ("", "flags", "instructions", "flash", "RAM", "bit-exact")
LAYER_HEADINGS = (
    *("layer", "MAC", "instructions", "per MAC", "cycles (est.)"),
    "constants in flash",
)


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
        found: Counter[str] = Counter()
        for constant in self.report.plan.constants:
            found[constant.kind] += constant.array.nbytes
        return found

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
class CommittedRow:
    """One setup's earlier figures; those of ``HELD`` that were not measured then are 0."""

    board: str
    engine: str
    kernels: str
    build: str = "speed"
    instructions: int = 0
    worst_call_instructions: int = 0
    flash_bytes: int = 0
    ram_bytes: int = 0
    stack_bytes: int = 0
    bit_exact: bool = False


@dataclass(frozen=True)
class Committed:
    """What of earlier results is held against new ones."""

    rows: tuple[CommittedRow, ...]
    model_id: str = ""


@dataclass(frozen=True)
class Choice:
    """What is measured of a network, and why the rest is not."""

    setups: tuple[Setup, ...]
    refused: Mapping[str, str]  # setup's name -> why it does not fit


def emulated() -> list[str]:
    """Return the names of the microcontrollers that an emulator runs."""
    boards = [load_board(name) for name in board_names()]
    return [board.name for board in boards if board.cortex_m and board.emulator is not None]


def choose(bundle: Bundle, names: Sequence[str] = ()) -> Choice:
    """Return every engine and kernel set of the named emulated boards; without names, of all.

    Raises:
        HostError: a name is no emulated microcontroller's, or the network fits none of them.
    """
    known = emulated()
    for name in names:
        if name not in known:
            raise HostError(f"{name}: is measured in an emulator only. Give {', '.join(known)}.")
    found: list[Setup] = []
    refused: dict[str, str] = {}
    for setup in _setups(list(names) or known):
        try:
            plan_for(bundle, load_board(setup.board), Wanted(setup.engine, setup.kernels.name))
        except BoardError as problem:
            refused[setup.name] = str(problem)
        else:
            found.append(setup)
    if not found:
        raise HostError("\n".join(refused.values()))
    return Choice(tuple(found), refused)


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
    wanted: Sequence[Setup],
    runs: Runs,
    watch: Watch,
    *,
    before: Sequence[Measured] = (),
    jobs: int = 1,
) -> list[Result]:
    """Measure setups in the emulator: the same figures on any computer.

    Args:
        bundle: the model.
        wanted: the setups.
        runs: gives what a greeted board does with the model.
        watch: told of each step.
        before: what an earlier benchmark measured, taken over where the firmware is the same.
        jobs: how many setups are measured at a time; they are told of in their order.
    """
    known = {(one.setup, one.firmware_sha256): one for one in before}
    if jobs == 1:
        return [_result(bundle, setup, runs, watch, known) for setup in wanted]

    def measure(setup: Setup, go_on: Callable[[], None]) -> tuple[Result, Measured]:
        found: list[Measured] = []
        own = Watch(watch.say, put=lambda report: go_on(), done=found.append)
        return _result(bundle, setup, runs, own, known), found[0]

    results = []  # each is told of when it and those before it are done
    for result, measured in several(measure, wanted, jobs):
        watch.begin(result.report)
        watch.done(measured)
        results.append(result)
    return results


def losses(results: Sequence[Result], committed: Path) -> list[str]:
    """Return a line for each figure that grew by more than ``TOLERANCE`` since it was committed.

    Setups that the committed file does not have, or that have gone, are no loss.
    """
    before = {_key(vars(row)): vars(row) for row in _committed(committed).rows}
    found = []
    for result in results:
        row = result.row()
        old = before.get(_key(row), {})
        found += [
            f"{result.setup.name}: {key} {row[key]:,}, was {old[key]:,} "
            f"({row[key] / old[key] - 1:+.1%})"
            for key in HELD
            if old.get(key) and row[key] > old[key] * (1 + TOLERANCE)
        ]
        if old.get("bit_exact") and not row["bit_exact"]:
            found.append(f"{result.setup.name}: no longer bit-exact")
    return found


def of_another_network(model_id: str, committed: Path) -> str:
    """Return the id of the network whose figures stand there, if it is another one."""
    known = _committed(committed).model_id
    return "" if known == model_id else known


def _committed(path: Path) -> Committed:
    """Return what was committed, nothing where there is no file."""
    if not path.is_file():
        return Committed(())
    reader = Reader(str(path), HostError, "Remove it, if it is no benchmark's results.")
    data = reader.json(reader.content(path))
    model_id = data.get("model_id", "") if isinstance(data, dict) else ""
    return reader.read(Committed, {"rows": _rows_of(data), "model_id": model_id})


def _rows_of(data: Any) -> Any:
    """Return the rows of plain data with what is compared of each; the rest may be anything."""
    rows = data.get("rows") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        return rows
    wanted = {field.name for field in fields(CommittedRow)}
    return [
        {key: value for key, value in row.items() if key in wanted}
        if isinstance(row, dict)
        else row
        for row in rows
    ]


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    build = row.get("build", "speed")
    return tuple(str(part) for part in (row["board"], row["engine"], row["kernels"], build))


def write_results(
    folder: Path, bundle: Bundle, results: Sequence[Result], refused: Mapping[str, str]
) -> None:
    """Write ``results.json`` and ``results.md``; ``refused`` says what does not fit, and why."""
    known = find_known(make_plan(bundle).network)
    content: dict[str, Any] = {
        "kit_version": __version__,
        "model_id": bundle.manifest.model_id,
        "segment_length": bundle.manifest.segment_length,
        "compiler": results[0].memory.compiler,
        "rows": [one.row() for one in results],
        "details": [
            {
                "setup": one.setup.name,
                "latency": asdict(one.latency),
                "memory": asdict(one.memory),
            }
            for one in results
        ],
        "refused": dict(refused),
        "peers": None if known is None or not known.peers else asdict(known),
    }
    write_report(folder / RESULTS_JSON, content)
    text = (
        "\n".join(_markdown(content, results, known, CODEC if bundle.manifest.codec else NETWORK))
        + "\n"
    )
    write_whole(folder / RESULTS_MD, text)


def _result(
    bundle: Bundle,
    setup: Setup,
    runs: Runs,
    watch: Watch,
    known: Mapping[tuple[str, str], Measured],
) -> Result:
    wanted = Wanted(setup.engine, setup.kernels.name)
    board = load_board(setup.board)
    report = planned("bench", board, plan_for(bundle, board, wanted), build=setup.build)
    watch.begin(report)
    watch.say(f"{setup.name}: building")
    optimize = OPTIMIZE[setup.build]
    firmware = pipeline.make_firmware(bundle, setup.board, wanted=wanted, optimize=optimize)
    key = (setup.name, sha256_of(firmware.elf))
    if key in known:
        watch.say(f"{setup.name}: measured before, and the firmware is the same")
        measured = known[key]
    else:
        with pipeline.connect(bundle, setup.board, elf=firmware.elf, wanted=wanted) as station:
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


@dataclass(frozen=True)
class Words:
    """What the tables call a run of an application."""

    input: str
    run: str
    step: str


CODEC = Words(
    "segment of {} samples",
    "a segment that goes compressed, everything from its samples to its packet",
    "sample",
)
NETWORK = Words("input of {} time steps", "a whole input, from its codes to the outputs", "step")


def _markdown(
    content: dict[str, Any], results: Sequence[Result], known: KnownNetwork | None, words: Words
) -> list[str]:
    """Return the tables that people read."""
    return [
        "# Benchmarks",
        "",
        f"Made by `make bench`: model {content['model_id']}, {content['compiler']}, QEMU. "
        "Instructions are counted by the board's own counter under `-icount`; cycles are "
        "estimated (docs/cycles.md).",
        "",
        f"## Boards, one {words.input.format(content['segment_length'])}",
        "",
        *table(BOARD_HEADINGS, (_board_row(one) for one in results)),
        "",
        "Flash and RAM in bytes, of the whole firmware: start-up, link and commands included. "
        f"Instructions of {words.run}; the longest call is of one {words.step} given to the "
        "streaming engine. Speed is -O2, size -Os.",
        "",
        *_refused_lines(content["refused"]),
        *([] if known is None or not known.peers else _peer_lines(known)),
        *(line for one in results for line in _layer_lines(one)),
    ]


def _refused_lines(refused: Mapping[str, str]) -> list[str]:
    """Return what was not measured, with the reason."""
    if not refused:
        return []
    return ["Not measured:", *(f"- {name}: {why}" for name, why in refused.items()), ""]


def _peer_lines(known: KnownNetwork) -> list[str]:
    """Return the table of other ways to run this network."""
    return [
        "## Peers, the same network on a Cortex-M4",
        "",
        *table(PEER_HEADINGS, (_peer_row(peer) for peer in known.peers)),
        "",
        f"{known.source[0].upper()}{known.source[1:]}.",
    ]


def _peer_row(peer: Peer) -> list[str]:
    return [
        peer.name,
        peer.flags,
        f"{peer.instructions / 1e6:.1f} M",
        f"{peer.flash_bytes / 1e3:g} KB",
        f"{peer.ram_bytes / 1e3:g} KB",
        str(peer.bit_exact),
    ]


def _board_row(one: Result) -> list[str]:
    row = one.row()
    counts = ("flash", "code", "weights", "tables", "scaling", "ram", "static_ram", "stack")
    return [
        *(str(row[name]) for name in ("board", "core", "engine", "kernels", "build")),
        f"{row['instructions']:,}",
        f"{row['instructions_per_mac']:.2f}",
        "-" if one.latency.cycles is None else f"{one.latency.cycles.total:,}",
        "-" if one.worst_call is None else f"{one.worst_call:,}",
        *(f"{row[f'{name}_bytes']:,}" for name in counts),
        "yes" if row["bit_exact"] else "NO",
    ]


def _layer_lines(one: Result) -> list[str]:
    """Return a setup's table of layers."""
    cycles = {} if one.latency.cycles is None else one.latency.cycles.layers
    rows = [
        [
            layer.layer,
            f"{layer.macs:,}",
            f"{layer.count:,}",
            "-" if layer.per_mac is None else f"{layer.per_mac:.2f}",
            f"{cycles[layer.layer]:,}" if layer.layer in cycles else "-",
            f"{one.memory.flash_by_layer.get(layer.layer, 0):,}",
        ]
        for layer in one.latency.layers
    ]
    return ["", f"## Layers: {one.setup.name}", "", *table(LAYER_HEADINGS, rows)]
