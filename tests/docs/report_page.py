"""docs/report.md held to a report that was really written: a test of the demo does it."""

import re
from typing import Any

from .pages import page, table

PAGE = page("docs/report.md")
ANY = {"parity.levels", "stream.levels", "training_record"}
"""Tables whose keys are the model's, not the schema's."""


def documented() -> set[str]:
    """Return the keys of the page, each with its path, but those of one command's report alone."""
    found = set()
    for row in table(PAGE, "key", "meaning"):
        if row["meaning"].startswith("of `"):
            continue
        part = ""
        for name in re.findall(r"`([\w.]+)`", row["key"]):
            part = part if name.startswith(".") else name.split(".")[0]
            found.add(part + name if name.startswith(".") else name)
    return found


def missing(report: dict[str, Any]) -> list[str]:
    """Return the documented keys that a report has not."""
    return [key for key in sorted(documented()) if not _has(report, key.split("."))]


def undocumented(report: dict[str, Any]) -> list[str]:
    """Return the keys that the page names nowhere, of a report and of the tables in it."""
    named = {part for name in re.findall(r"`([\w.]+)`", PAGE) for part in name.split(".")}
    keys = [(key, key) for key in report]
    keys += [
        (f"{key}.{inner}", inner)
        for key, value in report.items()
        if isinstance(value, dict) and key not in ANY
        for inner in value
    ]
    return [path for path, key in keys if key not in named]


def _has(report: Any, parts: list[str]) -> bool:
    if not parts:
        return True
    return isinstance(report, dict) and parts[0] in report and _has(report[parts[0]], parts[1:])
