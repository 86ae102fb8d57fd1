"""A benchmark's figures as they are kept: held against the last ones, and written for people too.

``results.json`` is what new figures are compared with, ``results.md`` what people read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.markdown import table
from dynadeep.codegen.plan import make_plan
from dynadeep.codegen.typed import Reader
from dynadeep.codegen.version import __version__
from dynadeep.host_tools.errors import HostError
from dynadeep.host_tools.measure.bench import Result
from dynadeep.host_tools.measure.known import KnownNetwork, Peer
from dynadeep.host_tools.measure.known import find as find_known
from dynadeep.host_tools.measure.report import write_report

RESULTS_JSON, RESULTS_MD = "results.json", "results.md"

TOLERANCE = 0.02
"""A figure that grows by more is a loss. Counters have a tick of up to 80 instructions."""
HELD = (
    "instructions",
    "worst_call_instructions",
    "flash_bytes",
    "ram_bytes",
    "stack_bytes",
)

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


def losses(results: Sequence[Result], committed: Path) -> list[str]:
    """Return a line for each figure that grew by more than ``TOLERANCE`` since it was committed.

    Setups that the committed file does not have, or that have gone, are no loss.
    """
    before = {_key(vars(row)): vars(row) for row in _committed(committed).rows}
    lines = []
    for result in results:
        row = result.row()
        old = before.get(_key(row), {})
        lines += [
            f"{result.setup.name}: {key} {row[key]:,}, was {old[key]:,} "
            f"({row[key] / old[key] - 1:+.1%})"
            for key in HELD
            if old.get(key) and row[key] > old[key] * (1 + TOLERANCE)
        ]
        if old.get("bit_exact") and not row["bit_exact"]:
            lines.append(f"{result.setup.name}: no longer bit-exact")
    return lines


def of_another_network(model_id: str, committed: Path) -> str:
    """Return the id of the network whose figures stand there, if it is another one."""
    committed_id = _committed(committed).model_id
    return "" if committed_id == model_id else committed_id


def left_out(boards: Collection[str], committed: Path) -> list[str]:
    """Return the boards whose figures stand there and would go, because they are not measured."""
    return sorted({row.board for row in _committed(committed).rows} - set(boards))


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
    names = {field.name for field in fields(CommittedRow)}
    return [
        {key: value for key, value in row.items() if key in names} if isinstance(row, dict) else row
        for row in rows
    ]


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    build = row.get("build", "speed")
    return tuple(str(part) for part in (row["board"], row["engine"], row["kernels"], build))


def write_results(
    folder: Path, bundle: Bundle, results: Sequence[Result], refused: Mapping[str, str]
) -> None:
    """Write ``results.json`` and ``results.md``; ``refused`` says what does not fit, and why."""
    network = find_known(make_plan(bundle).network)
    peered = network if network is not None and network.peers else None
    content: dict[str, Any] = {
        "kit_version": __version__,
        "model_id": bundle.manifest.model_id,
        "segment_length": bundle.manifest.segment_length,
        "compiler": results[0].memory.compiler,
        "rows": [result.row() for result in results],
        "details": [
            {
                "setup": result.setup.name,
                "latency": asdict(result.latency),
                "memory": asdict(result.memory),
            }
            for result in results
        ],
        "refused": dict(refused),
        "peers": None if peered is None else asdict(peered),
    }
    write_report(folder / RESULTS_JSON, content)
    words = CODEC if bundle.manifest.codec else NETWORK
    lines = _markdown(content, results, peered, words)
    write_whole(folder / RESULTS_MD, "\n".join(lines) + "\n")


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
    content: dict[str, Any], results: Sequence[Result], peered: KnownNetwork | None, words: Words
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
        *table(BOARD_HEADINGS, (_board_row(result) for result in results)),
        "",
        "Flash and RAM in bytes, of the whole firmware: start-up, link and commands included. "
        f"Instructions of {words.run}; the longest call is of one {words.step} given to the "
        "streaming engine. Speed is -O2, size -Os.",
        "",
        *_refused_lines(content["refused"]),
        *([] if peered is None else _peer_lines(peered)),
        *(line for result in results for line in _layer_lines(result)),
    ]


def _refused_lines(refused: Mapping[str, str]) -> list[str]:
    """Return what was not measured, with the reason."""
    if not refused:
        return []
    return ["Not measured:", *(f"- {name}: {reason}" for name, reason in refused.items()), ""]


def _peer_lines(network: KnownNetwork) -> list[str]:
    """Return the table of other ways to run this network."""
    return [
        "## Peers, the same network on a Cortex-M4",
        "",
        *table(PEER_HEADINGS, (_peer_row(peer) for peer in network.peers)),
        "",
        f"{network.source[0].upper()}{network.source[1:]}.",
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


def _board_row(result: Result) -> list[str]:
    row = result.row()
    counts = ("flash", "code", "weights", "tables", "scaling", "ram", "static_ram", "stack")
    return [
        *(str(row[name]) for name in ("board", "core", "engine", "kernels", "build")),
        f"{row['instructions']:,}",
        f"{row['instructions_per_mac']:.2f}",
        "-" if result.latency.cycles is None else f"{result.latency.cycles.total:,}",
        "-" if result.worst_call is None else f"{result.worst_call:,}",
        *(f"{row[f'{name}_bytes']:,}" for name in counts),
        "yes" if row["bit_exact"] else "NO",
    ]


def _layer_lines(result: Result) -> list[str]:
    """Return a setup's table of layers."""
    cycles = {} if result.latency.cycles is None else result.latency.cycles.layers
    rows = [
        [
            layer.layer,
            f"{layer.macs:,}",
            f"{layer.count:,}",
            "-" if layer.per_mac is None else f"{layer.per_mac:.2f}",
            f"{cycles[layer.layer]:,}" if layer.layer in cycles else "-",
            f"{result.memory.flash_by_layer.get(layer.layer, 0):,}",
        ]
        for layer in result.latency.layers
    ]
    return ["", f"## Layers: {result.setup.name}", "", *table(LAYER_HEADINGS, rows)]
