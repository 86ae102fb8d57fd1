"""The benchmark kept in the repository: what each emulated board needs, beside the peers."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dynadeep.codegen.bundle import Bundle
from dynadeep.host_tools import parity, pipeline, profile
from dynadeep.host_tools.errors import HostError
from dynadeep.host_tools.latency import Latency
from dynadeep.host_tools.memory import Memory
from dynadeep.host_tools.peers import PEERS, SOURCE
from dynadeep.host_tools.references import golden_cases
from dynadeep.host_tools.report import latency_json, memory_json, write_report

BOARDS = ("mps2-an386", "netduinoplus2")
SEGMENTS = 3
RESULTS_JSON, RESULTS_MD = "results.json", "results.md"


@dataclass(frozen=True)
class BoardResult:
    """One board's figures."""

    board: str
    bit_exact: bool
    latency: Latency
    memory: Memory


def run_bench(
    bundle: Bundle, boards: Sequence[str], say: Callable[[str], None]
) -> list[BoardResult]:
    """Measure ``boards`` in the emulator: the same figures on any computer."""
    return [_measure(bundle, board, say) for board in boards]


def write_results(folder: Path, bundle: Bundle, results: Sequence[BoardResult]) -> None:
    """Write ``results.json`` and ``results.md``."""
    content: dict[str, Any] = {
        "kit_version": version("dynadeep"),
        "model_id": bundle.manifest.model_id,
        "compiler": results[0].memory.compiler,
        "boards": [
            {
                "board": one.board,
                "bit_exact": one.bit_exact,
                "latency": latency_json(one.latency),
                "memory": memory_json(one.memory),
            }
            for one in results
        ],
        "peers": {"source": SOURCE, "figures": [asdict(peer) for peer in PEERS]},
    }
    write_report(folder / RESULTS_JSON, content)
    text = "\n".join(_markdown(content, results)) + "\n"
    (folder / RESULTS_MD).write_text(text, encoding="utf-8")


def _measure(bundle: Bundle, board: str, say: Callable[[str], None]) -> BoardResult:
    say(f"{board}: building")
    firmware = pipeline.make_firmware(bundle, board)
    with pipeline.connect(bundle, board, elf=firmware.elf) as station:
        say(f"{board}: parity over the golden vectors")
        compared = parity.check(station.device, bundle, station.plan, golden_cases(bundle))
        parity.require_exact(compared)
        say(f"{board}: latency and memory")
        latency, memory = profile.measure(station, SEGMENTS)
    if memory is None:
        raise HostError(f"{board}: is no microcontroller. Measure a Cortex-M board.")
    return BoardResult(board, compared.bit_exact, latency, memory)


def _markdown(content: dict[str, Any], results: Sequence[BoardResult]) -> list[str]:
    """Return the tables that people read."""
    return [
        "# Benchmarks",
        "",
        f"Made by `make bench`: model {content['model_id']}, {content['compiler']}, QEMU. "
        "Instructions are counted by the board's own counter under `-icount`; they are not cycles.",
        "",
        "## Boards, one segment of 2000 samples",
        "",
        "| board | instructions | per MAC | flash | RAM | = static | + stack | bit-exact |",
        "|---|---|---|---|---|---|---|---|",
        *(_board_row(one) for one in results),
        "",
        "Flash and RAM in bytes, of the whole firmware: start-up, link and commands included.",
        "",
        "## Peers, the same network on a Cortex-M4",
        "",
        "| | flags | instructions | flash | RAM | bit-exact |",
        "|---|---|---|---|---|---|",
        *(
            f"| {peer.name} | {peer.flags} | {peer.instructions / 1e6:.1f} M | "
            f"{peer.flash_bytes / 1e3:g} KB | {peer.ram_bytes / 1e3:g} KB | {peer.bit_exact} |"
            for peer in PEERS
        ),
        "",
        f"{SOURCE[0].upper()}{SOURCE[1:]}.",
        *(line for one in results for line in _layer_lines(one)),
    ]


def _board_row(one: BoardResult) -> str:
    memory = one.memory
    return (
        f"| {one.board} | {one.latency.per_segment:,} | {one.latency.per_mac:.2f} | "
        f"{memory.flash_bytes:,} | {memory.ram_bytes:,} | {memory.static_ram_bytes:,} | "
        f"{memory.stack_peak_bytes:,} | {'yes' if one.bit_exact else 'NO'} |"
    )


def _layer_lines(one: BoardResult) -> list[str]:
    """Return a board's table of layers."""
    rows = [
        f"| {layer.layer} | {layer.macs:,} | {layer.count:,} | "
        f"{'-' if layer.per_mac is None else f'{layer.per_mac:.2f}'} | "
        f"{one.memory.flash_by_layer.get(layer.layer, 0):,} |"
        for layer in one.latency.layers
    ]
    return [
        "",
        f"## Layers on {one.board}",
        "",
        "| layer | MAC | instructions | per MAC | constants in flash |",
        "|---|---|---|---|---|",
        *rows,
    ]
