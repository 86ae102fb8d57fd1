"""Everything that a report can be written as, and where the user wants it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dynadeep.codegen.files import write_whole
from dynadeep.host_tools.errors import ReportError
from dynadeep.host_tools.page.compare import TOLERANCE, Comparison, compare
from dynadeep.host_tools.page.document import Document
from dynadeep.host_tools.page.html import html_of
from dynadeep.host_tools.page.junit import junit_of
from dynadeep.host_tools.page.markdown import markdown_of
from dynadeep.host_tools.page.store import read_documents
from dynadeep.host_tools.page.text import one_line

REPORT_JSON, REPORT_HTML = "report.json", "report.html"

Maker = Callable[[Sequence[Document], Sequence[Comparison]], str]


@dataclass(frozen=True)
class Old:
    """A report to compare with, read before anything is measured."""

    path: Path
    reports: tuple[Document, ...]
    tolerance: float  # percent

    @classmethod
    def read(cls, path: Path, tolerance: float | None) -> "Old":
        """Read it.

        Raises:
            ReportError: it cannot be used.
        """
        reports = read_documents(path)
        for report in reports:
            if not report.complete:
                raise ReportError(
                    f"{path}: of a run that was stopped ({one_line(str(report.stopped))}), whose "
                    "figures say little. Name the report of a whole run."
                )
        return cls(path, reports, TOLERANCE if tolerance is None else tolerance)


@dataclass(frozen=True)
class Forms:
    """Where each form goes; None is not written."""

    html: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None
    old: Old | None = None

    def write(self, reports: Sequence[Document]) -> list[Comparison]:
        """Compare reports with the old ones and write every form that was asked for.

        Raises:
            ReportError: the old reports have nothing to compare with.
            OSError: a file cannot be written.
        """
        old = self.old
        comparisons = (
            [] if old is None else compare(reports, old.reports, str(old.path), old.tolerance)
        )
        makers: tuple[tuple[Path | None, Maker], ...] = (
            (self.html, html_of),
            (self.junit, junit_of),
            (self.markdown, markdown_of),
        )
        for path, make in makers:
            if path is not None:
                write_whole(path, make(reports, comparisons))
        return comparisons
