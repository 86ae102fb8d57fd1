"""JUnit XML: what a CI service shows as tests, one case for each thing that had to hold."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from dynadeep.host_tools.page.compare import Comparison, number
from dynadeep.host_tools.page.document import Document, Parity
from dynadeep.host_tools.page.text import printable


@dataclass(frozen=True)
class Case:
    """One thing that had to hold."""

    group: str  # "parity", "budget", "comparison"
    name: str
    failure: str = ""  # "" where it held
    skipped: str = ""  # why it was not looked at


def junit_of(reports: Sequence[Document], comparisons: Sequence[Comparison] = ()) -> str:
    """Return one suite a report: its parity, layer by layer, its budgets, what changed."""
    root = Xml.Element("testsuites", name="dynadeep")
    by_report = {comparison.report: comparison for comparison in comparisons}
    for report in reports:
        cases = list(cases_of(report, by_report.get(report.name)))
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=printable(report.name),
            tests=str(len(cases)),
            failures=str(sum(bool(case.failure) for case in cases)),
            skipped=str(sum(bool(case.skipped) for case in cases)),
            errors="0",
        )
        for case in cases:
            _add(suite, case, report)
    Xml.indent(root)
    text = Xml.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add(suite: Xml.Element, case: Case, report: Document) -> None:
    name = f"dynadeep.{report.board}.{case.group}"
    element = Xml.SubElement(suite, "testcase", classname=name, name=printable(case.name))
    if case.failure:
        Xml.SubElement(element, "failure", message=printable(case.failure))
    if case.skipped:
        Xml.SubElement(element, "skipped", message=printable(case.skipped))


def cases_of(report: Document, comparison: Comparison | None) -> Iterator[Case]:
    """Yield all that had to hold. A profile without budgets has one case: that it was measured."""
    if not report.complete:
        yield Case(report.command, "the whole run", f"stopped: {report.stopped}")
    if report.parity is not None:
        yield from _parity(report, report.parity)
    for limit in report.budgets:
        over = "" if limit.held else f"{limit.measured:,} {limit.unit}, at most {limit.limit:,}"
        yield Case("budget", limit.name, over)
    if report.latency is not None:
        yield Case("profile", f"latency: {report.latency.per_segment:,} {report.latency.unit}")
    if comparison is not None:
        worse = {change.figure.name: change for change in comparison.worse}
        for name, change in worse.items():
            figures = f"{number(change.figure.value)}, was {number(change.before)}"
            yield Case("comparison", name, f"{figures}, more than {comparison.tolerance:g} % worse")
        unchanged = comparison.compared - len(worse)
        yield Case("comparison", f"{unchanged} figures no worse than in {comparison.old}")


def _parity(report: Document, parity: Parity) -> Iterator[Case]:
    """Yield a case a layer; those behind the first that differs were not looked at there."""
    differences: dict[str, list[str]] = {}
    for difference in parity.differences:
        if difference.kind != "constant":
            differences.setdefault(difference.layer, []).append(str(difference))
    arrays = [str(difference) for difference in parity.differences if difference.kind == "constant"]
    nothing = "" if parity.segments else "nothing was compared"
    yield Case("parity", f"{parity.constants} arrays of constants", "; ".join(arrays))
    before = True
    for name in ("input", *(layer.name for layer in report.network.layers)):
        if name in differences:
            before = False
            yield Case("parity", f"layer {name}", "; ".join(differences.pop(name)))
        elif before:
            yield Case("parity", f"layer {name}", nothing)
        else:
            yield Case("parity", f"layer {name}", skipped="behind the first layer that differs")
    others = "; ".join(itertools.chain.from_iterable(differences.values()))
    yield Case("parity", f"{parity.results} {parity.noun}", others or nothing)
