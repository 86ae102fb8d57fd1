"""A summary in Markdown, for the page that a CI service shows of a run."""

import html
import re
from collections.abc import Iterator, Sequence

from dynadeep.codegen.markdown import table
from dynadeep.host_tools.page.compare import Comparison
from dynadeep.host_tools.page.document import Document
from dynadeep.host_tools.page.sheet import page_of
from dynadeep.host_tools.page.text import one_line
from dynadeep.host_tools.page.view import Cell, Section, Sheet, Table

SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~@$])")
"""What Markdown, a mention or a formula begins with."""

SHOWN = ("changes", "budgets", "reconstruction", "predicted", "latency")
"""The sections of which a summary has the tables; all else is in report.html."""

LAYERS = 12
"""Rows of a table: of more, the largest stand in report.html."""


def markdown_of(reports: Sequence[Document], comparisons: Sequence[Comparison] = ()) -> str:
    """Return the verdict, the figures and the main tables of each report."""
    page = page_of(reports, comparisons)
    lines = [
        f"# {'✅' if all(sheet.held for sheet in page.sheets) else '❌'} {escaped(page.title)}",
        "",
    ]
    for section in page.overview:
        lines += [*_tables(section), ""]
    for sheet in page.sheets:
        lines += _sheet(sheet, folded=len(page.sheets) > 1)
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return _html(SPECIAL.sub(r"\\\1", one_line(text)))


def _sheet(sheet: Sheet, *, folded: bool) -> Iterator[str]:
    if folded and sheet.held:
        return
    if folded:
        yield from (f"## ❌ {escaped(sheet.title)}", "")
    else:
        yield from (escaped(f"{sheet.title} on {sheet.subtitle}"), "")
    for failure in sheet.failures:
        yield f"- **{escaped(failure)}**"
    if sheet.failures:
        yield ""
    rows = [
        [
            tile.label,
            f"**{escaped(f'{tile.value} {tile.unit}'.strip())}**",
            escaped(_joined(tile.gauge_text, tile.detail)),
        ]
        for tile in sheet.tiles
    ]
    yield from (*table(["", "figure", "of which"], rows), "")
    for section in sheet.sections:
        if section.id.rpartition("-")[2] in SHOWN:
            yield from _section(section)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _section(section: Section) -> Iterator[str]:
    tables = list(_tables(section))
    if tables:
        title = f"<details><summary>{_html(section.title)}</summary>"
        yield from (title, "", *tables, "", "</details>", "")


def _html(text: str) -> str:
    return html.escape(one_line(text), quote=False)


def _tables(section: Section) -> Iterator[str]:
    for block in section.blocks:
        if isinstance(block, Table):
            rows = [[_cell(cell) for cell in row] for row in block.rows]
            yield from table([escaped(column.label) for column in block.columns], rows)
            yield ""


def _cell(cell: Cell) -> str:
    text = escaped(cell.text)
    return f"**{text}**" if cell.tone == "bad" else text
