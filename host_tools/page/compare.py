"""What changed since another report: every figure beside its old one, and which are worse."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dynadeep.host_tools.errors import RegressionError, ReportError
from dynadeep.host_tools.page.document import Document
from dynadeep.host_tools.page.text import one_line

TOLERANCE = 2.0
"""Percent. A counter has a tick of up to 80 instructions."""

Better = Literal["less", "more"]


@dataclass(frozen=True)
class Figure:
    """A figure of a report; ``held``: it may not get worse."""

    name: str
    value: float
    better: Better = "less"
    held: bool = True
    share: bool = False  # of a whole: compared in percentage points, as 0 is usual


@dataclass(frozen=True)
class Change:
    """A figure that is another one than before."""

    figure: Figure
    before: float

    @property
    def percent(self) -> float:
        """By how much it grew: percent, of a share percentage points."""
        after = self.figure.value
        if self.figure.share:
            return (after - self.before) * 100
        if self.before == 0:
            return math.inf if after > 0 else 0.0
        return (after / self.before - 1) * 100

    def worse(self, tolerance: float) -> bool:
        """Whether it may not get worse, and did by more than ``tolerance`` percent."""
        loss = self.percent if self.figure.better == "less" else -self.percent
        return self.figure.held and loss > tolerance


@dataclass(frozen=True)
class Comparison:
    """One report beside an older one of the same board."""

    report: str  # the name of the one that was compared
    old: str  # where the old one stands
    tolerance: float  # percent
    compared: int  # figures
    changes: tuple[Change, ...]
    notes: tuple[str, ...]  # what else is another one, or was measured on one side alone

    @property
    def worse(self) -> tuple[Change, ...]:
        """The changes past the tolerance."""
        return tuple(change for change in self.changes if change.worse(self.tolerance))


def compare(
    reports: Sequence[Document], old: Sequence[Document], source: str, tolerance: float
) -> list[Comparison]:
    """Compare each report with the old one of the same board, engine, kernels and build.

    Where there is one of each, the board alone must be the same. Setups that only one side has are
    no change.

    Raises:
        ReportError: no report has anything to be compared with.
    """
    pairs = list(_pairs(reports, old))
    comparisons = [_compare(new, before, source, tolerance) for new, before in pairs]
    if not any(comparison.compared for comparison in comparisons):
        boards = ", ".join(sorted({one_line(report.board) for report in old})) or "no board"
        raise ReportError(
            f"{source}: holds figures of {boards}, and none that were measured here on "
            f"{', '.join(sorted({report.board for report in reports}))}. Name a report of the "
            "same board and command."
        )
    return comparisons


def require_kept(comparisons: Sequence[Comparison]) -> None:
    """Refuse figures that are worse than they were by more than is tolerated.

    Raises:
        RegressionError: it names them.
    """
    regressions = [
        _change_text(change) for comparison in comparisons for change in comparison.worse
    ]
    if regressions:
        raise RegressionError(
            f"worse than {comparisons[0].old} by more than {comparisons[0].tolerance:g} %: "
            f"{'; '.join(regressions)}. Find the cause, or take the new report as the old one."
        )


def _change_text(change: Change) -> str:
    return f"{change.figure.name} {number(change.figure.value)}, was {number(change.before)}"


def number(value: float) -> str:
    """Return a figure as people read it."""
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"


def grown(change: Change) -> str:
    """Return by how much a figure grew."""
    return f"{change.percent:+.2f} {'points' if change.figure.share else '%'}"


def _pairs(
    reports: Sequence[Document], old: Sequence[Document]
) -> Iterator[tuple[Document, Document]]:
    if len(reports) == len(old) == 1:
        yield from ((new, was) for new in reports for was in old if new.board == was.board)
        return
    before = {report.name: report for report in old}
    yield from ((new, before[new.name]) for new in reports if new.name in before)


def _compare(new: Document, old: Document, source: str, tolerance: float) -> Comparison:
    before = {figure.name: figure.value for figure in figures_of(old)}
    current = figures_of(new)
    shared = [figure for figure in current if figure.name in before]
    changes = [
        Change(figure, before[figure.name])
        for figure in shared
        if figure.value != before[figure.name]
    ]
    missing = sorted(before.keys() - {figure.name for figure in current})
    notes = [*_settings(new, old), *(f"not measured now: {one_line(name)}" for name in missing)]
    return Comparison(new.name, source, tolerance, len(shared), tuple(changes), tuple(notes))


def _settings(new: Document, old: Document) -> Iterator[str]:
    """Yield what else is not as it was, which may be why figures changed."""
    pairs = {
        "model": (old.model_id, new.model_id),
        "kit": (old.kit_version, new.kit_version),
        "engine": (old.target.engine, new.target.engine),
        "kernels": (old.target.kernels, new.target.kernels),
    }
    if old.memory is not None and new.memory is not None:
        pairs["compiler"] = (old.memory.compiler, new.memory.compiler)
    for name, (was, now) in pairs.items():
        if was != now:
            yield f"{name} {one_line(now)}, was {one_line(was)}"


def figures_of(report: Document) -> list[Figure]:
    """Return all figures of a report that can be compared with another's."""
    return [*_latency(report), *_memory(report), *_parity(report), *_stream(report)]


def _latency(report: Document) -> Iterator[Figure]:
    latency = report.latency
    if latency is None:
        return
    yield Figure(f"{latency.unit}, most", latency.per_segment)
    yield Figure(f"{latency.unit}, least", latency.least_per_segment)
    for layer in latency.layers:
        yield Figure(f"{latency.unit} of layer {layer.layer}", layer.count, held=False)
    if latency.cycles_estimate is not None:
        yield Figure("cycles, estimated", latency.cycles_estimate.total)


def _memory(report: Document) -> Iterator[Figure]:
    memory = report.memory
    if memory is None:
        return
    yield Figure("flash bytes", memory.flash_bytes)
    yield Figure("RAM bytes", memory.ram_bytes)
    yield Figure("static RAM bytes", memory.static_ram_bytes)
    yield Figure("stack bytes", memory.stack_peak_bytes)
    for kind, size in memory.flash_by_kind.items():
        yield Figure(f"flash bytes of {kind}", size, held=False)
    for layer, size in memory.flash_by_layer.items():
        yield Figure(f"flash bytes of layer {layer}", size, held=False)


def _parity(report: Document) -> Iterator[Figure]:
    if report.parity is not None:
        differences = len(report.parity.differences)
        yield Figure("differences from the reference", differences)
        yield Figure("inputs compared", report.parity.segments, "more", held=False)
        yield Figure("tensors compared", report.parity.tensors, "more", held=False)


def _stream(report: Document) -> Iterator[Figure]:
    if report.stream is None:
        return
    for result in report.stream.bounds:
        suffix = f"at bound {result.bound:g} of {result.segments} segments"
        yield Figure(f"mean CG {suffix}", result.mean_cg, "more")
        yield Figure(f"byte CG {suffix}", result.byte_cg, "more")
        if result.prd is not None:
            yield Figure(f"PRD % {suffix}", result.prd)
        if result.violations is not None:
            yield Figure(f"share over the bound {suffix}", result.violations, share=True)
