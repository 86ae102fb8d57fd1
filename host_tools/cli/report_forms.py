"""A report as the user wants it: the options of its forms, and how it is kept as it grows."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dynadeep.codegen.files import write_whole
from dynadeep.host_tools.cli.options import (
    STDOUT,
    CompareOption,
    HtmlOption,
    JsonOption,
    JunitOption,
    MarkdownOption,
    ToleranceOption,
)
from dynadeep.host_tools.cli.refusals import refuse_same, refuse_without

if TYPE_CHECKING:
    from dynadeep.host_tools.measure.report import Report
    from dynadeep.host_tools.page.compare import Comparison
    from dynadeep.host_tools.page.document import Document
    from dynadeep.host_tools.page.forms import Forms

KEEP_EVERY_S = 15.0
"""How much work is lost at most if this computer itself goes down."""

UNDER_WAY = "it was under way when this was written"


@dataclass(frozen=True)
class ReportForms:
    """Where a report goes: ``json`` may be ``-``, standard output."""

    json: Path | None
    forms: "Forms"
    copy: Path | None = None  # of the JSON

    @property
    def file_to_resume(self) -> Path:
        """Where the report of a run that was stopped lies.

        Raises:
            typer.BadParameter: the user named no file for it.
        """
        if self.json is None or self.json == STDOUT:
            refuse_without("--json FILE", {"--resume": True}, "the report there says how far it is")
        assert self.json is not None
        return self.json

    def write(
        self, reports: "Sequence[Document]", stopped: str | None = None
    ) -> "list[Comparison]":
        """Write reports in every form that was asked for, and print what changed.

        Args:
            reports: at least one.
            stopped: what ended a benchmark early.

        Returns:
            What ``require_kept`` is to be asked about when all else was said.
        """
        from dynadeep.host_tools.measure import summary
        from dynadeep.host_tools.page.store import json_text
        from dynadeep.host_tools.page.summary import print_comparison

        text = json_text(reports, stopped)
        for path in (self.json, self.copy):
            if path == STDOUT:
                print(text, end="")
            elif path is not None:
                write_whole(path, text)
        forms = self.forms if stopped is None else replace(self.forms, old=None)
        comparisons = forms.write(reports)
        console = summary.make_console(stderr=STDOUT in {self.json, self.copy})
        for comparison in comparisons:
            print_comparison(console, comparison)
        return comparisons

    @contextmanager
    def growing(self) -> "Iterator[Growing]":
        """Yield where a report is put as it grows; if the work ends early, what is there is kept.

        Every form says then what ended it. Where nothing was put, nothing is written.
        """
        growing = Growing(self)
        try:
            yield growing
        except BaseException as error:
            if growing.reports:
                growing.write(str(error) or "interrupted")
            raise


@dataclass
class Growing:
    """The reports of a command as far as they came; the last is the one under way."""

    forms: ReportForms
    reports: "list[Report]" = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    kept_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.kept_s = self.clock()

    def begin(self, report: "Report") -> None:
        """Put a further report."""
        self.reports.append(report)

    def put(self, report: "Report") -> None:
        """Put what the report under way has become; keep it in its file now and then."""
        self.reports[-1:] = [report]
        to_file = self.forms.json not in {None, STDOUT}
        if to_file and self.clock() - self.kept_s >= KEEP_EVERY_S:
            from dynadeep.host_tools.page.forms import Forms

            Growing(ReportForms(self.forms.json, Forms()), self.reports).write(UNDER_WAY)
            self.kept_s = self.clock()

    def write(self, stopped: str) -> None:
        """Write what there is, the last report marked with what ended it."""
        from dynadeep.host_tools.page.make import document_of

        *whole, last = self.reports
        documents = [document_of(report) for report in whole]
        self.forms.write([*documents, document_of(last, stopped=stopped)], stopped)


def report_forms(
    *,
    json: JsonOption = None,
    html: HtmlOption = None,
    junit: JunitOption = None,
    markdown: MarkdownOption = None,
    compare: CompareOption = None,
    tolerance: ToleranceOption = None,
) -> ReportForms:
    """Take what a report is to be written as, the report to compare with read already.

    Raises:
        typer.BadParameter: two options name one file, or one has no meaning without another.
        ReportError: the report to compare with cannot be used.
    """
    from dynadeep.host_tools.page.forms import Forms, Old

    refuse_same(
        {
            "--json": json,
            "--html": html,
            "--junit": junit,
            "--markdown": markdown,
            "--compare": compare,
        }
    )
    if compare is None:
        refuse_without(
            "--compare", {"--tolerance": tolerance}, "it says how much worse is too much"
        )
    old = None if compare is None else Old.read(compare, tolerance)
    return ReportForms(json, Forms(html, junit, markdown, old))
