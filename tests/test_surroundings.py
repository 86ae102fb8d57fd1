"""No test hangs on who starts it: nightly.py runs all of them as a stranger does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.caching import ROOT
from tests.surroundings import become_strange, strange_environment


def test_a_stranger_who_starts_the_tests_makes_no_difference() -> None:
    """The test below, started by somebody who ignores SIGINT and lives elsewhere."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--fast"]
    done = subprocess.run(
        [*command, f"{__file__}::test_the_surroundings_are_neutral"],
        env=strange_environment(),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=become_strange,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_surroundings_are_neutral(tmp_path: Path) -> None:
    assert time.localtime(0).tm_hour == 0
    assert Path.home().is_dir()
    assert not {"CFLAGS", "COLUMNS", "FORCE_COLOR"} & os.environ.keys()
    (tmp_path / "made").touch()
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o644
    with subprocess.Popen(["sleep", "60"]) as child:
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == -signal.SIGINT
    with subprocess.Popen(["sleep", "60"]) as child:
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == -signal.SIGTERM
    assert subprocess.run(["locale"], capture_output=True, check=True).stderr == b""
