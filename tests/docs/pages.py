"""What the tests of documents share: a page's tables and blocks of code."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
Row = dict[str, str]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tables(text: str) -> list[list[Row]]:
    """Return a page's tables, each as rows by the names of its columns."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    return [_rows(table.splitlines()) for table in found]


def table(text: str, *columns: str) -> list[Row]:
    """Return the one table that has these columns."""
    (found,) = [rows for rows in tables(text) if rows and set(columns) <= rows[0].keys()]
    return found


def blocks(text: str, language: str = "") -> list[str]:
    """Return the blocks of code of one language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [content for name, content in found if name == language]


def code(cell: str) -> list[str]:
    """Return what stands between backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def _rows(lines: list[str]) -> list[Row]:
    head, _, *body = [_cells(line) for line in lines]
    return [dict(zip(head, cells, strict=True)) for cells in body]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
