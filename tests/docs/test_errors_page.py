"""docs/errors.md and the classes say the same, in both directions."""

import importlib
import re

from dynadeep.codegen.errors import DynadeepError
from dynadeep.host_tools import cli

from .pages import code, page, table

ROWS = table(page("docs/errors.md"), "status", "meaning", "class")
FOLDERS = ("train", "export", "codegen", "host_tools")
NO_CLASS_OF_OURS = {"0", str(cli.INTERRUPTED)}
OF_OTHERS = {"OSError": cli.OTHER_FAILURE}


def all_errors() -> dict[str, type[DynadeepError]]:
    for folder in FOLDERS:
        importlib.import_module(f"dynadeep.{folder}.errors")
    found: dict[str, type[DynadeepError]] = {}
    pending = [DynadeepError]
    while pending:
        one = pending.pop()
        if one.__module__.startswith("dynadeep.") and not one.__name__.startswith("_"):
            found[one.__name__] = one
        pending += one.__subclasses__()
    return found


def test_every_class_stands_in_the_row_of_its_status_by_its_name_or_its_familys():
    rows = {row["status"]: row["class"] for row in ROWS}
    for name, error in all_errors().items():
        row = rows[str(error.exit_status)]
        family = [
            base.__name__
            for base in error.__mro__[1:]
            if getattr(base, "exit_status", None) == error.exit_status
        ]
        by_family = any(f"`{one}` and its kinds" in row for one in family)
        assert name in code(row) or by_family, name


def test_every_class_of_the_page_exists_and_has_that_status():
    statuses = {name: error.exit_status for name, error in all_errors().items()} | OF_OTHERS
    for row in ROWS:
        for name in code(row["class"]):
            assert statuses[name] == int(row["status"]), name


def test_every_status_of_the_page_is_one_that_a_command_can_end_with():
    known = {str(error.exit_status) for error in all_errors().values()} | NO_CLASS_OF_OURS
    known |= {str(cli.USAGE), str(cli.OTHER_FAILURE)}
    assert {row["status"] for row in ROWS} == known


def test_no_two_families_share_a_status():
    """What has a status of its own is the only class that sets it."""
    owners: dict[int, str] = {}
    for name, error in all_errors().items():
        if "exit_status" in vars(error):
            assert owners.setdefault(error.exit_status, name) == name


def test_the_trees_in_the_errors_modules_are_the_classes():
    for folder in FOLDERS:
        module = importlib.import_module(f"dynadeep.{folder}.errors")
        own = {name for name, error in all_errors().items() if error.__module__ == module.__name__}
        told = set(re.findall(r"\b(\w+Error)\b", module.__doc__ or ""))
        assert own <= told, (folder, own - told)
        assert told <= set(all_errors()), (folder, told - set(all_errors()))
