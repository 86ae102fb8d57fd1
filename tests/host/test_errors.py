"""docs/errors.md and the classes say the same."""

import importlib
import re
from pathlib import Path

from dynadeep.codegen.errors import DynadeepError

DOCUMENT = Path(__file__).parents[2] / "docs" / "errors.md"
FOLDERS = ("train", "export", "codegen", "host_tools")


def all_errors() -> list[type[DynadeepError]]:
    for folder in FOLDERS:
        importlib.import_module(f"dynadeep.{folder}.errors")
    found: list[type[DynadeepError]] = []
    pending = [DynadeepError]
    while pending:
        one = pending.pop()
        found.append(one)
        pending += one.__subclasses__()
    return found


def test_every_exit_status_is_documented_with_its_class():
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \|(.*)$", text, re.MULTILINE))
    for error in all_errors():
        row = rows[str(error.exit_status)]
        same_status = [
            base.__name__
            for base in error.__mro__
            if getattr(base, "exit_status", None) == error.exit_status
        ]
        assert any(f"`{name}`" in row for name in same_status), error


def test_no_two_families_share_a_status():
    """What has a status of its own is the only class that sets it."""
    owners: dict[int, str] = {}
    for error in all_errors():
        if "exit_status" in vars(error):
            assert owners.setdefault(error.exit_status, error.__name__) == error.__name__
