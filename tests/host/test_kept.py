"""A report is kept however its command ends, and --resume goes on where it was stopped."""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from dynadeep.codegen.files import write_whole
from dynadeep.codegen.kernels import DSP
from dynadeep.host_tools.cli import report_forms, run
from dynadeep.host_tools.codec.application import CodecApplication
from dynadeep.host_tools.measure import bench, profile
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.page.store import read_documents


@dataclass(frozen=True)
class Parity:
    report: Path
    shared: tuple[object, ...]

    def words(self, *further: object) -> list[str]:
        return [str(word) for word in ("parity", *self.shared, *further)]

    def __call__(self, *further: object) -> int:
        return run(self.words(*further))


@pytest.fixture
def parity(bundle, firmware, tmp_path):
    """Run parity of the native firmware, with a report."""
    project = firmware("native").elf.parents[1]
    report = tmp_path / "report.json"
    shared = ("--bundle", bundle.folder, "--sources", project, "--json", report)

    return Parity(report, shared)


def stop_at(monkeypatch, number: int, error: type[BaseException] = KeyboardInterrupt):
    """Have the comparison of a case end as Ctrl-C would end it; return the numbers compared."""
    compare, compared = CodecApplication.compare, []

    def stopping(self, case, index):
        if index == number:
            raise error
        compared.append(index)
        return compare(self, case, index)

    monkeypatch.setattr(CodecApplication, "compare", stopping)
    return compared


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def children(parent: int) -> list[int]:
    """Return the processes that a process has started, and theirs."""
    own = [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return [*own, *(child for pid in own for child in children(pid))]


@pytest.mark.emulator
def test_ctrl_c_leaves_a_valid_report_and_no_process_and_the_run_goes_on(
    bundle, firmware, tmp_path
):
    """The same figures come out as of a run that nobody stopped."""
    report, whole = tmp_path / "report.json", tmp_path / "whole.json"
    project = firmware("mps2-an386").elf.parents[1]
    program = Path(sys.executable).with_name("dynadeep")
    command = [program, "parity", "--bundle", bundle.folder, "--sources", project, "--json"]
    with subprocess.Popen([*command, report, "-vv"], stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        answered = 0
        for line in running.stderr:
            answered += "ENCODE" in line and "answered" in line
            if answered == 3:
                break
        emulators = children(running.pid)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    assert running.returncode == 130
    assert emulators
    assert not [pid for pid in emulators if Path(f"/proc/{pid}").exists()]
    stopped = read(report)
    assert (stopped["complete"], stopped["stopped"]) == (False, "interrupted")
    total = stopped["run"]["inputs"]
    assert 2 <= stopped["parity"]["segments"] < total
    assert read_documents(report)[0].held is False

    for words in ([*command, report, "--resume"], [*command, whole]):
        subprocess.run(words, check=True, capture_output=True)
    assert read(report) == read(whole)
    assert read(whole)["parity"]["segments"] == total


def test_a_resumed_run_compares_only_what_is_left(parity, monkeypatch, capsys, bundle):
    with monkeypatch.context() as stopping:
        assert stop_at(stopping, 3) is not None
        assert parity() == 130
    with monkeypatch.context() as going_on:
        compared = stop_at(going_on, -1)
        assert parity("--resume") == 0
    cases = len(golden_cases(bundle))
    assert compared == list(range(3, cases))
    assert f"3 of {cases} were compared before" in capsys.readouterr().out
    assert parity("--resume") == 0  # of a whole run nothing is left, and all of it still holds
    assert read(parity.report)["parity"]["segments"] == cases


def test_a_run_that_was_never_begun_is_begun(parity, capsys, monkeypatch):
    stop_at(monkeypatch, 1)
    assert parity("--resume") == 130
    assert "0 of" in capsys.readouterr().out
    assert read(parity.report)["parity"]["segments"] == 1


def test_every_form_says_what_stopped_the_run(parity, monkeypatch, tmp_path):
    stop_at(monkeypatch, 2)
    junit, page, summary = (tmp_path / name for name in ("junit.xml", "page.html", "summary.md"))
    assert parity("--junit", junit, "--html", page, "--markdown", summary) == 130
    failures = ElementTree.parse(junit).iter("failure")
    assert [failure.get("message") for failure in failures] == ["stopped: interrupted"]
    for form in (page, summary):
        text = form.read_text()
        assert "stopped early" in text
        assert "Not complete: interrupted" in text
        assert "2 of " in text


def test_nothing_is_written_where_nothing_was_measured(parity, tmp_path):
    parity.report.write_text("of an earlier run")
    assert parity("--board", "microbit") != 0
    assert parity.report.read_text() == "of an earlier run"


def test_a_report_is_kept_while_a_long_run_is_under_way(parity, monkeypatch):
    """A computer that goes down takes the work of some seconds with it."""
    monkeypatch.setattr(report_forms, "KEEP_EVERY_S", 0.0)
    reports = []

    def noted(path, content):
        reports.append(json.loads(content))
        return write_whole(path, content)

    monkeypatch.setattr(report_forms, "write_whole", noted)
    assert parity() == 0
    assert [report["parity"]["segments"] for report in reports[:3]] == [1, 2, 3]
    assert reports[0]["stopped"] == report_forms.UNDER_WAY
    assert reports[-1]["complete"]


def altered(**changes):
    def alter(report: dict[str, Any]) -> None:
        for key, value in changes.items():
            report[key] = value

    return alter


def of_other_inputs(report: dict[str, Any]) -> None:
    report["run"]["sha256"] = "0" * 64


def with_a_difference(report: dict[str, Any]) -> None:
    sides = {"board": "1", "reference": "2", "segment": "x"}
    report["parity"]["differences"] = [{"kind": "tensor", "layer": "c", "name": "t", **sides}]


REFUSED = {
    "model": (altered(model_id="0" * 16), "was stopped with model 0000000000000000, here:"),
    "kit": (altered(kit_version="0.0.1"), "was stopped with kit 0.0.1, here:"),
    "inputs": (of_other_inputs, "was stopped with inputs 0000000000000000, here:"),
    "command": (altered(command="profile"), "a report of profile, expected one of parity"),
    "difference": (with_a_difference, "the run was over, for it found a difference: layer c"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_report_of_another_run_is_not_gone_on_with(parity, monkeypatch, fails, capsys, what):
    with monkeypatch.context() as stopping:
        stop_at(stopping, 1)
        assert parity() == 130
    capsys.readouterr()
    alter, message = REFUSED[what]
    report = read(parity.report)
    alter(report)
    parity.report.write_text(json.dumps(report))
    before = parity.report.read_bytes()
    line = fails(15, *parity.words("--resume"))
    assert message in line
    assert "Leave --resume out to begin anew." in line
    assert parity.report.read_bytes() == before


@pytest.mark.parametrize("json_option", [(), ("--json", "-")])
def test_without_a_file_there_is_nothing_to_go_on_with(fails, json_option):
    assert "--resume needs --json FILE" in fails(2, "parity", "--resume", *json_option)


def test_figures_are_not_compared_with_those_of_a_stopped_run(parity, monkeypatch, fails, capsys):
    with monkeypatch.context() as stopping:
        stop_at(stopping, 1)
        assert parity() == 130
    capsys.readouterr()
    old = parity.report.rename(parity.report.with_name("old.json"))
    assert "of a run that was stopped (interrupted)" in fails(15, *parity.words("--compare", old))


@pytest.mark.emulator
def test_a_stopped_benchmark_measures_no_firmware_twice(bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    setups = [bench.Setup("mps2-an386", engine, DSP) for engine in ("stream", "layers")]
    monkeypatch.setattr(bench, "choose", lambda bundle, names: bench.Choice(tuple(setups), {}))
    measure, measured = profile.measure, []

    def measuring(station, *arguments):
        if station.plan.choice.engine == "layers" and not measured[1:]:
            measured.append("stopped")
            raise KeyboardInterrupt
        measured.append(station.plan.choice.engine)
        return measure(station, *arguments)

    monkeypatch.setattr(profile, "measure", measuring)
    command = ["bench", "--bundle", str(bundle.folder), "--out", "figures", "--json", "all.json"]
    assert run(command) == 130
    assert sorted(path.name for path in Path("figures").iterdir()) == ["results.unfinished.json"]
    partial = read(Path("all.json"))
    assert (partial["complete"], partial["stopped"]) == (False, "interrupted")
    assert [report.get("complete", True) for report in partial["reports"]] == [True, False]
    assert run([*command, "--resume"]) == 0
    assert "measured before, and the firmware is the same" in capsys.readouterr().out
    assert measured == ["stream", "stopped", "layers"]
    assert [row["engine"] for row in read(Path("figures/results.json"))["rows"]] == [
        "stream",
        "layers",
    ]
    assert not Path("figures/results.unfinished.json").exists()
    assert read(Path("all.json")).get("complete", True)


def test_a_benchmark_of_another_network_is_not_gone_on_with(bundle, tmp_path, fails):
    unfinished = {"kit_version": "0.1.0", "model_id": "0" * 16, "setups": []}
    (tmp_path / "results.unfinished.json").write_text(json.dumps(unfinished))
    line = fails(15, "bench", "--bundle", bundle.folder, "--out", tmp_path, "--resume")
    assert "was measured with model 0000000000000000" in line
