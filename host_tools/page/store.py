"""report.json: written from documents, read back within bounds, and its JSON Schema."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from dynadeep.codegen.typed import Reader, shown
from dynadeep.host_tools.errors import ReportError
from dynadeep.host_tools.measure.report import text_of
from dynadeep.host_tools.page.document import SCHEMA, Document, Documents
from dynadeep.host_tools.page.make import plain

LARGEST_BYTES = 32 << 20
ADVICE = "Name a report.json of this kit, written by parity, profile, bench or demo with --json."


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a report: of one board, or of the many of a benchmark."""
    kinds, components = msgspec.json.schema_components((Document, Documents))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json",
        "description": f"Schema {SCHEMA} of a report of the Dynamic-Deep microcontroller kit.",
        "anyOf": list(kinds),
        "$defs": components,
    }


def json_text(reports: Sequence[Document], stopped: str | None = None) -> str:
    """Return one report as JSON, or several as a benchmark's, which something may have stopped."""
    if len(reports) == 1:
        return text_of(plain(reports[0]))
    return text_of(plain(Documents(SCHEMA, tuple(reports), stopped is None, stopped)))


def read_documents(path: Path) -> tuple[Document, ...]:
    """Read a report: the one of a board, or the many of a benchmark.

    Raises:
        ReportError: the file is missing, too large, no report, or of another schema.
    """
    reader = Reader(str(path), ReportError, ADVICE)
    data = reader.json(reader.content(path, LARGEST_BYTES))
    if not isinstance(data, dict) or "schema" not in data:
        reader.refuse('no report: the key "schema" is missing')
    if data["schema"] != SCHEMA:
        raise ReportError(
            f"{path}: a report of schema {shown(data['schema'])}, this kit reads schema {SCHEMA}. "
            "Measure it again with this kit."
        )
    if "reports" in data:
        return reader.read(Documents, data).reports
    return (reader.read(Document, data),)
