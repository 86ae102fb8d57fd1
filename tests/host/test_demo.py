"""The demo, whole: what `make demo` runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dynadeep.host_tools.cli import run
from dynadeep.host_tools.study import demo
from tests.docs import report_page

KEYS = (
    "board",
    "model_id",
    "parity.bit_exact",
    "parity.segments",
    "parity.tensors",
    "latency.unit",
    "latency.per_segment",
    "memory.flash_bytes",
    "memory.ram_bytes",
    "stream.at.mean_cg",
    "stream.at.byte_cg",
)


def value_at(report: dict[str, Any], key: str) -> object:
    for part in key.split("."):
        report = report[part]
    return report


@pytest.mark.emulator
@pytest.mark.heavy
def test_the_demo_holds_and_reports_everything(bundle, monkeypatch, tmp_path, capsys):
    """All behind the export, on the small network; the next test exports the shipped one."""
    monkeypatch.setattr(demo, "_export", lambda config, say: bundle)
    report = reported(tmp_path / "demo", capsys, "--segments", "1", without=["peers"])
    assert report["parity"]["tensors"] == 27


@pytest.mark.emulator
@pytest.mark.heavy
@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_the_whole_demo_of_the_shipped_network_holds_and_reports_everything(tmp_path, capsys):
    report = reported(tmp_path / "demo", capsys, without=["peers"])  # they ran the published one
    assert report["parity"]["tensors"] == 39


def reported(out: Path, capsys, *options: str, without: Sequence[str] = ()) -> dict[str, Any]:
    """Run the demo and hold what it says and writes; return its report, all but ``without``."""
    copy = out.with_name("copy.json")
    status = run(["demo", "-q", "--out", str(out), "--json", str(copy), *options])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    assert captured.err == ""
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    assert copy.read_bytes() == (out / "report.json").read_bytes()
    for key in KEYS:
        assert value_at(report, key) is not None, key
    assert report_page.missing(report) == list(without)
    assert report_page.undocumented(report) == []
    assert report["schema"] == 2
    assert len(report["stream"]["examples"]) >= 1
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "everything held" in page
    assert len(page) < 2_000_000
    assert report["held"] is True
    assert report["parity"]["bit_exact"] is True
    memory = report["memory"]
    assert memory["ram_bytes"] == memory["static_ram_bytes"] + memory["stack_peak_bytes"]
    assert memory["stack_peak_bytes"] < memory["stack_reserved_bytes"]
    for words in ("bit-exact", "mean CG (published)", "byte CG", "instructions a segment"):
        assert words in captured.out
    return report


def test_a_board_that_the_demo_cannot_measure_is_refused_at_once(tmp_path, capsys):
    assert run(["demo", "--board", "native", "--out", str(tmp_path)]) == 6
    assert "needs an emulated microcontroller" in capsys.readouterr().err
