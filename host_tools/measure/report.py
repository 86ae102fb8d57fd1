"""What was measured of one board with one model, joined; and how results are written as JSON."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dynadeep.codegen.board import Board, Budget
from dynadeep.codegen.bundle import Manifest, sha256_of
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.plan import Plan
from dynadeep.host_tools.measure.known import KnownNetwork, find
from dynadeep.host_tools.measure.latency import Latency
from dynadeep.host_tools.measure.memory import Memory
from dynadeep.host_tools.measure.parity import ParityResult
from dynadeep.host_tools.measure.references import Cases
from dynadeep.host_tools.pipeline import Station

Command = Literal["parity", "profile", "bench", "demo"]

NUMBERS = re.compile(r"\[\n\s+(-?[\d.e+-]+(?:,\n\s+-?[\d.e+-]+)*)\n\s+\]")
"""A list of numbers alone in indented JSON. No text holds a line's end there."""


@dataclass(frozen=True)
class Limit:
    """The most that a figure may be."""

    name: str
    unit: str
    limit: int
    measured: int

    @property
    def held(self) -> bool:
        """Whether the figure is within its limit."""
        return self.measured <= self.limit


@dataclass(frozen=True)
class Run:
    """What a parity run compares: one that was stopped goes on only with the same."""

    inputs: int  # to be compared in all
    sha256: str  # of these inputs
    firmware_sha256: str = ""  # of the ELF file; "" where it was built elsewhere


@dataclass(frozen=True)
class Report:
    """All results of one board with one model; None for what was not measured."""

    command: Command
    board: Board
    emulated: bool
    plan: Plan
    parity: ParityResult | None = None
    latency: Latency | None = None
    memory: Memory | None = None
    budget: Budget | None = None  # None: nobody has set one for this network on this board
    known: KnownNetwork | None = None  # what is known of the network besides
    build: Literal["speed", "size"] = "speed"
    run: Run | None = None  # of a parity run

    @property
    def manifest(self) -> Manifest:
        """Of the model."""
        return self.plan.manifest

    @property
    def budgets(self) -> tuple[Limit, ...]:
        """What the firmware has to stay within; instructions only where they are counted."""
        if self.budget is None:
            return ()
        limits = []
        if self.latency is not None and self.latency.unit == "instructions":
            count = self.latency.per_segment
            limits.append(Limit("instructions a segment", "", self.budget.instructions, count))
        if self.memory is not None:
            ram, flash = self.memory.ram_bytes, self.memory.flash_bytes
            limits += [
                Limit("RAM, static + stack peak", "bytes", self.budget.ram_bytes, ram),
                Limit("flash", "bytes", self.budget.flash_bytes, flash),
            ]
        return tuple(limits)

    @property
    def held(self) -> bool:
        """Whether parity, where it was checked, was exact, and every budget was kept."""
        exact = self.parity is None or self.parity.bit_exact
        return exact and all(budget.held for budget in self.budgets)


def report_of(station: Station, command: Command, **measured: Any) -> Report:
    """Return the report of a greeted board.

    Args:
        station: the board.
        command: what was asked for.
        measured: the report's other fields. The budget is that of the network which the kit ships:
            it says nothing of another one.
    """
    return planned(command, station.board, station.plan, emulated=station.emulated, **measured)


def planned(
    command: Command, board: Board, plan: Plan, *, emulated: bool = True, **measured: Any
) -> Report:
    """Return the report of a board that is yet to be built or greeted; see ``report_of``."""
    known = find(plan.network)
    return Report(
        command=command,
        board=board,
        emulated=emulated,
        plan=plan,
        budget=None if known is None else board.budget,
        known=known,
        **measured,
    )


def run_of(elf: Path | None, cases: Cases) -> Run:
    """Return what tells a parity run from another; ``elf`` is the firmware, where it is known."""
    return Run(cases.count, cases.sha256, "" if elf is None else sha256_of(elf))


def write_report(path: Path, content: dict[str, Any]) -> None:
    """Write a report in a form that diffs well."""
    write_whole(path, text_of(content))


def text_of(content: dict[str, Any]) -> str:
    """Return a result as JSON that diffs well; a list of numbers is one line."""
    text = json.dumps(_finite(content), indent=2, allow_nan=False)
    return NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text) + "\n"


def over_budget(report: Report) -> list[str]:
    """Return the budgets that were exceeded, in words."""
    return [
        f"{budget.name} {budget.measured:,} {budget.unit}".rstrip() + f", at most {budget.limit:,}"
        for budget in report.budgets
        if not budget.held
    ]


def _finite(value: Any) -> Any:
    """Replace infinities, which JSON cannot hold (the PRD of a flat window), by null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
