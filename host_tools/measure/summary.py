"""What was measured, for a person: tables for the terminal, drawn from the results."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dynadeep.codegen.board import Board
from dynadeep.host_tools.boards import KnownBoard
from dynadeep.host_tools.cycles.estimate import CyclesEstimate
from dynadeep.host_tools.link.ports import SerialPort
from dynadeep.host_tools.measure.known import KnownNetwork
from dynadeep.host_tools.measure.latency import Latency
from dynadeep.host_tools.measure.memory import Memory
from dynadeep.host_tools.measure.parity import ParityResult
from dynadeep.host_tools.measure.report import Report

FUNCTIONS = 12
"""As many are shown; report.json has all."""

WIDTH = 110
"""Columns where the output is no terminal, which would have its own."""


def make_console(*, stderr: bool = False) -> Console:
    """Return the console for results, wide enough for the tables also in a file."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=WIDTH)


def new_table(title: str, *columns: str, caption: str | None = None) -> Table:
    """Return a table with a first column of names and right-aligned figures."""
    table = Table(
        title=title, title_justify="left", caption=caption, caption_justify="left", box=SIMPLE_HEAD
    )
    table.add_column(columns[0], overflow="fold")  # names differ at their ends: none is cut
    for column in columns[1:]:
        table.add_column(column, justify="right")
    return table


def print_table(console: Console, table: Table) -> None:
    """Print a table of ``new_table``; where the terminal is narrow, so that no figure is cut."""
    if console.width < WIDTH:
        table.padding, table.pad_edge = (0, 1, 0, 0), False
        for column in table.columns[1:]:
            column.header, column.no_wrap = str(column.header).replace(" ", "\n"), True
    console.print(table)


def columns_of(console: Console) -> int | None:
    """Return how many columns a text may have; None where it does not go to a terminal."""
    return console.width if console.is_terminal else None


def print_measured(console: Console, report: Report) -> None:
    """Print what a board computes and costs."""
    kind = "emulated by QEMU" if report.emulated else "hardware"
    console.print()
    console.rule(f"model {report.manifest.model_id} on {report.board.name} ({kind})")
    if report.parity is not None:
        print_parity(console, report.parity)
    if report.latency is not None:
        print_latency(console, report.latency)
        print_cycles(console, report.latency)
    if report.memory is not None:
        print_memory(console, report.memory)


def print_limits(console: Console, report: Report) -> None:
    """Print what else is known of the network: its peers, its budgets."""
    if report.known is not None and report.known.peers:
        print_table(console, peers_table(report, report.known))
    print_budgets(console, report)


def print_parity(console: Console, parity: ParityResult) -> None:
    """Print what was compared, and each difference."""
    verdict = "[green]bit-exact[/]" if parity.bit_exact else "[red]NOT bit-exact[/]"
    kinds = ", ".join(f"{name} {count}" for name, count in parity.kinds.items())
    console.print(
        f"[bold]Parity[/]   {verdict}: {parity.segments} segments x {parity.tensors} tensors "
        f"(and {parity.fused_tensors} as the firmware keeps them), {parity.constants} constant "
        f"arrays, {parity.results} {parity.noun}" + (f" ({kinds})" if kinds else ""),
        soft_wrap=True,
    )
    for difference in parity.differences:
        console.print(f"  [red]{escape(str(difference))}[/]", soft_wrap=True)


def print_latency(console: Console, latency: Latency) -> None:
    """Print the total in the counter's own unit, never one for another."""
    seconds = "" if latency.seconds is None else f", {latency.seconds * 1e3:.1f} ms"
    per_mac = "" if latency.per_mac is None else f", {latency.per_mac:.2f} per MAC"
    console.print(
        f"[bold]Latency[/]  {latency.per_segment:,} {latency.unit} a segment{per_mac} "
        f"({latency.macs:,} MAC){seconds}",
        soft_wrap=True,
    )


def print_cycles(console: Console, latency: Latency) -> None:
    """Print the estimated cycles and what they stand on, or why there are none."""
    cycles = latency.cycles
    if cycles is None:
        missing = escape(latency.cycles_missing)
        console.print(f"[bold]Cycles[/]   not estimated: {missing}", soft_wrap=True)
        return
    per_mac = f", {cycles.total / latency.macs:.2f} per MAC" if latency.macs else ""
    waits = f"{cycles.wait_states} wait states"
    if cycles.wait_states:
        waits += f", {cycles.cache_hit_rate:.0%} of what is read there in a cache"
    console.print(
        f"[bold]Cycles[/]   about {cycles.total:,} a segment by estimate{per_mac}, "
        f"{cycles.per_instruction:.2f} per instruction (flash with {waits})\n"
        f"         {escape(cycles.source)}",
        soft_wrap=True,
    )


def print_memory(console: Console, memory: Memory) -> None:
    """Print flash, and RAM as what it is made of."""
    console.print(
        f"[bold]Memory[/]   flash {memory.flash_bytes:,} bytes; RAM {memory.ram_bytes:,} bytes = "
        f"static {memory.static_ram_bytes:,} + stack {memory.stack_peak_bytes:,} "
        f"(of {memory.stack_reserved_bytes:,} reserved)",
        soft_wrap=True,
    )


def peers_table(report: Report, network: KnownNetwork) -> Table:
    """Return this firmware beside the peers' figures."""
    table = new_table(
        "This network, its peers on a Cortex-M4",
        *("", "instructions", "flash KB", "RAM KB", "bit-exact"),
        caption=network.source,
    )
    parity, latency, memory = report.parity, report.latency, report.memory
    counted = latency is not None and latency.unit == "instructions"
    table.add_row(
        f"[bold]this firmware on {report.board.name}, all included[/]",
        f"{latency.per_segment / 1e6:.1f} M" if latency is not None and counted else "-",
        "-" if memory is None else f"{memory.flash_bytes / 1e3:.1f}",
        "-" if memory is None else f"{memory.ram_bytes / 1e3:.1f}",
        "-" if parity is None else "yes" if parity.bit_exact else "no",
    )
    for peer in network.peers:
        table.add_row(
            f"{peer.name} ({peer.flags})",
            f"{peer.instructions / 1e6:.1f} M",
            f"{peer.flash_bytes / 1e3:.1f}",
            f"{peer.ram_bytes / 1e3:.1f}",
            peer.bit_exact,
        )
    return table


def layers_table(latency: Latency, memory: Memory | None) -> Table:
    """Return what each layer costs."""
    columns = ("layer", "MAC", latency.unit, "per MAC", "share", "cycles (est.)")
    table = new_table("Layers", *columns, "flash bytes", "arena bytes")
    cycles = {} if latency.cycles is None else latency.cycles.layers
    total = sum(layer.count for layer in latency.layers)
    for layer in latency.layers:
        table.add_row(
            layer.layer,
            f"{layer.macs:,}",
            f"{layer.count:,}",
            "-" if layer.per_mac is None else f"{layer.per_mac:.2f}",
            f"{layer.count / total:.1%}",
            f"{cycles[layer.layer]:,}" if layer.layer in cycles else "-",
            "-" if memory is None else f"{memory.flash_by_layer.get(layer.layer, 0):,}",
            "-" if memory is None else f"{memory.arena_by_layer.get(layer.layer, 0):,}",
        )
    return table


def functions_table(cycles: CyclesEstimate) -> Table:
    """Return the functions that take the most cycles by estimate."""
    table = new_table("Functions", "function", "cycles (est.)", "share")
    for name, count in list(cycles.functions.items())[:FUNCTIONS]:
        table.add_row(escape(name), f"{count:,}", f"{count / cycles.total:.1%}")
    return table


def ports_table(ports: Sequence[SerialPort]) -> Table:
    """Return the serial ports, and what could be behind each."""
    table = Table(box=SIMPLE_HEAD)
    for column in ("port", "USB", "serial number", "description", "could be"):
        table.add_column(column)
    for port in ports:
        adapter = f"any board, behind an adapter of {port.adapter}" if port.adapter else ""
        could_be = ", ".join(port.boards) or adapter or "not known"
        cells = (port.device, port.usb, port.serial_number, port.description, could_be)
        table.add_row(*map(escape, cells))
    return table


def boards_table(boards: Sequence[KnownBoard]) -> Table:
    """Return the boards: what each is, how it is flashed, whether it was run, where it could be."""
    # As narrow as it goes: a terminal of 80 columns holds it.
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("board", "Cortex"):
        table.add_column(column, no_wrap=True)
    for column in ("MHz", "flash\nKB", "RAM\nKB"):
        table.add_column(column, justify="right")
    attached = any(entry.ports for entry in boards)
    for column in ("flashed by", "run", *(["could be at"] if attached else [])):
        table.add_column(column, overflow="fold")
    for entry in boards:
        board = entry.board
        sizes = [f"{part.bytes // 1024:,}" if part else "" for part in (board.flash, board.ram)]
        clock = f"{board.core.clock_hz / 1e6:g}" if board.cortex_m else ""
        cells = [board.name, _short_core(board), clock, *sizes, entry.flashed, entry.run]
        table.add_row(*map(escape, [*cells, *([", ".join(entry.ports)] if attached else [])]))
    return table


def _short_core(board: Board) -> str:
    """Return M0+ of cortex-m0plus."""
    core = board.core.cpu.removeprefix("cortex-").upper().replace("PLUS", "+")
    return core if board.cortex_m else ""


def print_budgets(console: Console, report: Report) -> None:
    """Print each budget and whether it was kept, or that there is none."""
    if not report.budgets:
        console.print("[bold]Budget[/]   none is set for this network on this board")
    for budget in report.budgets:
        mark = "[green]held[/]" if budget.held else "[red]EXCEEDED[/]"
        console.print(
            f"[bold]Budget[/]   {budget.name}: {budget.measured:,} of {budget.limit:,} "
            f"{budget.unit} {mark}".rstrip()
        )


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Print plain lines, none of which is markup."""
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
