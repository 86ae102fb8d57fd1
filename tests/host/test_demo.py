"""The demo, whole: what `make demo` runs."""

import json
from typing import Any

import pytest

from dynadeep.host_tools.cli import run
from tests.docs import report_page

KEYS = (
    "board",
    "model_id",
    "parity.bit_exact",
    "parity.segments",
    "parity.tensors",
    "latency.instructions_per_segment",
    "memory.flash_bytes",
    "memory.ram_bytes",
    "stream.mean_cg",
    "stream.byte_cg",
)


def value_at(report: dict[str, Any], key: str) -> object:
    for part in key.split("."):
        report = report[part]
    return report


@pytest.mark.emulator
@pytest.mark.heavy
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "options", [pytest.param((), marks=pytest.mark.nightly), ("--segments", "1")]
)
def test_the_demo_holds_and_reports_everything(tmp_path, capsys, options):
    status = run(["demo", "-q", "--out", str(tmp_path / "demo"), *options])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    assert captured.err == ""
    report = json.loads((tmp_path / "demo" / "report.json").read_text())
    for key in KEYS:
        assert value_at(report, key) is not None, key
    assert report_page.missing(report) == []
    assert report_page.undocumented(report) == []
    assert report["schema"] == 1
    assert report["held"] is True
    assert report["parity"]["bit_exact"] is True
    assert report["parity"]["tensors"] == 39
    memory = report["memory"]
    assert memory["ram_bytes"] == memory["static_ram_bytes"] + memory["stack_peak_bytes"]
    assert memory["stack_peak_bytes"] < memory["stack_reserved_bytes"]
    for words in ("bit-exact", "mean CG (published)", "byte CG", "instructions a segment"):
        assert words in captured.out


def test_a_board_that_the_demo_cannot_measure_is_refused_at_once(tmp_path, capsys):
    assert run(["demo", "--board", "native", "--out", str(tmp_path)]) == 6
    assert "needs an emulated microcontroller" in capsys.readouterr().err
