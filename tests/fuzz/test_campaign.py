"""What is counted, kept and said of a target's run; tiny targets stand for the real ones."""

import json
import platform
import sys
from pathlib import Path

import pytest

from fuzz import __main__ as command_line
from fuzz import campaign
from fuzz.campaign import FuzzError, Limits, run

TARGET = "frames"
"""Its seeds are what the tiny targets run over."""

TINY = """
import atheris, sys
def target(data):
    if {found}:
        raise KeyError("found")
atheris.Setup(sys.argv, target)
atheris.Fuzz()
"""

pytestmark = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="atheris is for Linux on x86"
)


def tiny(found: str) -> list[str]:
    return [sys.executable, "-c", TINY.format(found=found)]


def test_executions_are_counted_and_nothing_is_found_where_nothing_fails(tmp_path: Path) -> None:
    outcome = run(TARGET, tiny("False"), tmp_path, Limits(runs=100))
    assert outcome.executions == 100
    assert outcome.crashes == ()


def test_the_input_that_fails_is_kept_and_the_log_says_how(tmp_path: Path) -> None:
    outcome = run(TARGET, tiny("len(data) > 9"), tmp_path, Limits(runs=100))
    (crash,) = outcome.crashes
    assert len(crash.read_bytes()) > 9
    assert "KeyError: 'found'" in outcome.log.read_text(errors="replace")


def test_a_target_that_does_not_run_is_an_error_not_zero_executions(tmp_path: Path) -> None:
    with pytest.raises(FuzzError, match="did not run"):
        run(TARGET, [sys.executable, "-c", "raise SystemExit(3)"], tmp_path, Limits(runs=1))


@pytest.mark.parametrize(("found", "status"), [("False", 0), ("len(data) > 9", 1)])
def test_the_command_prints_the_counts_as_json_and_fails_if_something_was_found(
    found: str,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        command_line, "commands", lambda names, _: dict.fromkeys(names, tiny(found))
    )
    arguments = ["--runs", "50", "--json", "--out", str(tmp_path), TARGET]
    assert command_line.main(arguments) == status
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"executions", "crashes"}
    assert (told["executions"] == {TARGET: 50}) == (status == 0)
    assert (TARGET in told["crashes"]) == (status == 1)


def test_a_target_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(SystemExit):
        command_line.main(["no-such-target"])


def test_every_target_has_seeds() -> None:
    assert {path.name for path in campaign.SEEDS.iterdir()} == set(campaign.NAMES)
