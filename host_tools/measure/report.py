"""report.json: everything that was measured, in one versioned schema, and its readable summary."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dynadeep.codegen.board import Budget
from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.version import __version__
from dynadeep.host_tools.measure.known import KnownNetwork
from dynadeep.host_tools.measure.latency import Latency
from dynadeep.host_tools.measure.memory import Memory
from dynadeep.host_tools.measure.parity import ParityResult

SCHEMA = 1


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
class Report:
    """All results of one board with one model."""

    board: str
    emulated: bool
    manifest: Manifest
    parity: ParityResult
    latency: Latency
    memory: Memory
    budget: Budget | None  # None: nobody has set one for this network on this board
    known: KnownNetwork | None  # what is known of the network besides

    @property
    def budgets(self) -> tuple[Limit, ...]:
        """What the firmware has to stay within; instructions only where they are counted."""
        if self.budget is None:
            return ()
        ram, flash = self.memory.ram_bytes, self.memory.flash_bytes
        limits = [
            Limit("RAM, static + stack peak", "bytes", self.budget.ram_bytes, ram),
            Limit("flash", "bytes", self.budget.flash_bytes, flash),
        ]
        if self.latency.unit == "instructions":
            count = self.latency.per_segment
            limits.insert(0, Limit("instructions a segment", "", self.budget.instructions, count))
        return tuple(limits)

    @property
    def held(self) -> bool:
        """Whether parity was exact and every budget was kept."""
        return self.parity.bit_exact and all(budget.held for budget in self.budgets)


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as it is written: plain values, sizes in bytes, errors in percent."""
    return {
        "schema": SCHEMA,
        "kit_version": __version__,
        "board": report.board,
        "emulated": report.emulated,
        "model_id": report.manifest.model_id,
        "held": report.held,
        "parity": parity_json(report.parity),
        "latency": latency_json(report.latency),
        "memory": memory_json(report.memory),
        "budgets": [asdict(budget) | {"held": budget.held} for budget in report.budgets],
        "peers": peers_json(report.known),
        "training_record": report.manifest.record,
    }


def peers_json(known: KnownNetwork | None) -> dict[str, Any] | None:
    """Return what other ways to run this very network cost; None where nobody has measured it."""
    if known is None:
        return None
    figures = [asdict(peer) for peer in known.peers]
    return {"network": known.name, "source": known.source, "figures": figures}


def parity_json(parity: ParityResult) -> dict[str, Any]:
    """Return what was compared and what differed."""
    kinds = {"levels": dict(parity.kinds)} if parity.kinds else {}
    return {
        "bit_exact": parity.bit_exact,
        "segments": parity.segments,
        "tensors": parity.tensors,
        "fused_tensors": parity.fused_tensors,
        "constants": parity.constants,
        parity.noun: parity.results,
        **kinds,
        "differences": [asdict(one) for one in parity.differences],
    }


def latency_json(latency: Latency) -> dict[str, Any]:
    """Return the latency under the name of its unit, so that instructions never pass as cycles."""
    return {
        "unit": latency.unit,
        f"{latency.unit}_per_segment": latency.per_segment,
        f"least_{latency.unit}_per_segment": latency.least,
        f"{latency.unit}_per_mac": None if latency.per_mac is None else round(latency.per_mac, 4),
        "segments": latency.segments,
        "macs": latency.macs,
        "counter": {
            "ticks_per_segment": latency.ticks,
            "rate_hz": latency.counter.rate_hz,
            f"{latency.unit}_per_tick": latency.counter.per_tick,
        },
        "layers": [asdict(layer) for layer in latency.layers],
        "cycles_estimate": None if latency.cycles is None else asdict(latency.cycles),
        "cycles_missing": latency.cycles_missing or None,
    }


def memory_json(memory: Memory) -> dict[str, Any]:
    """Return the memory, ``ram_bytes`` being static RAM and the stack's peak."""
    return asdict(memory) | {"ram_bytes": memory.ram_bytes}


def write_report(path: Path, content: dict[str, Any]) -> None:
    """Write a report in a form that diffs well."""
    write_whole(path, text_of(content))


def text_of(content: dict[str, Any]) -> str:
    """Return a result as JSON that diffs well."""
    return json.dumps(_finite(content), indent=2, allow_nan=False) + "\n"


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
