"""The record of the nightly run names what failed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import nightly
from tests.nightly import failures_in

TESTS = """
import pytest

def test_right():
    assert True

def test_wrong():
    assert 1 == 2, "one is not two"

@pytest.fixture
def broken():
    raise OSError("no such thing")

def test_unready(broken):
    pass
"""


def test_failed_and_broken_tests_are_recorded_by_name_with_their_reason(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS, encoding="utf-8")
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    subprocess.run(
        [*command, f"--rootdir={tmp_path}", f"--junit-xml={report}", "test_some.py"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    found = failures_in(report)
    assert found.keys() == {"test_some::test_wrong", "test_some::test_unready"}
    assert found["test_some::test_wrong"].startswith("AssertionError: one is not two")
    assert "no such thing" in found["test_some::test_unready"]


def test_a_run_that_was_broken_off_is_no_run_without_failures(tmp_path: Path) -> None:
    path = tmp_path / "test_broken_off.py"
    path.write_text("import pytest\n\ndef test_it():\n    pytest.exit('enough', 2)\n")
    (failure,) = nightly.run_tests("not nightly", ["-n", "0", str(path)]).values()
    assert failure == "not all tests ran: exit status 2"


def test_a_part_that_is_run_alone_leaves_the_records_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "nightly.json"
    out.write_text(json.dumps({"old key": 1, "fuzz": {"commit": "of the last night"}}))
    monkeypatch.setattr(nightly, "run_json", lambda *_: {"wrong": 2, "tried": 5, "never_run": []})
    assert nightly.main(["--only", "graphs", "--out", str(out)]) == 1
    kept = json.loads(out.read_text(encoding="utf-8"))
    assert list(kept) == ["graphs", "fuzz"]
    assert kept["fuzz"] == {"commit": "of the last night"}
    assert kept["graphs"]["failures"] == {"tests.graphs": "2 of 5 networks are wrong"}
