"""The record of the nightly run names what failed."""

import subprocess
import sys
from pathlib import Path

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
