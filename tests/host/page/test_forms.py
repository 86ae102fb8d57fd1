"""The commands write every form that was asked for, and refuse what they cannot."""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from dynadeep.host_tools.cli import run

FORMS = {"--json": "r.json", "--html": "r.html", "--junit": "r.xml", "--markdown": "r.md"}


@pytest.fixture(scope="module")
def written(bundle, firmware, tmp_path_factory) -> tuple[list[str], Path]:
    """Run parity on the native board, all forms written; return the command and the folder."""
    out = tmp_path_factory.mktemp("forms")
    sources = firmware("native").elf.parents[1]
    command = ["parity", "-q", "--bundle", str(bundle.folder), "--sources", str(sources)]
    options = [part for option, name in FORMS.items() for part in (option, str(out / name))]
    assert run([*command, *options]) == 0
    return command, out


def test_parity_writes_each_form_that_was_asked_for(written):
    _, out = written
    assert json.loads((out / "r.json").read_text())["parity"]["bit_exact"] is True
    assert Xml.parse(out / "r.xml").getroot().find("testsuite").get("failures") == "0"
    assert (out / "r.md").read_text(encoding="utf-8").startswith("# ✅")
    assert "bit-exact" in (out / "r.html").read_text(encoding="utf-8")


def test_a_run_like_the_last_changed_in_nothing(written, capsys):
    command, out = written
    assert run([*command, "--compare", str(out / "r.json")]) == 0
    assert "3 of them unchanged" in capsys.readouterr().out


def test_an_old_report_that_cannot_be_used_is_refused_before_anything_runs(fails, tmp_path):
    (tmp_path / "old.json").write_text(json.dumps({"schema": 1}))
    line = fails(15, "parity", "--bundle", tmp_path / "none", "--compare", tmp_path / "old.json")
    assert "a report of schema 1, this kit reads schema 2" in line


@pytest.mark.parametrize("command", ["parity", "profile", "bench", "demo"])
def test_a_tolerance_without_an_old_report_is_refused(fails, command):
    assert "--tolerance needs --compare too" in fails(2, command, "--tolerance", "3")


@pytest.mark.parametrize("option", ["--json", "--html", "--junit", "--markdown"])
def test_the_old_report_is_not_written_over(fails, tmp_path, option):
    path = tmp_path / "report"
    line = fails(2, "profile", "--compare", path, option, path)
    assert "one would write over the other" in line
