"""Budgets are each board's own, near what it measures; peers stand beside their network alone."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from dynadeep.codegen.board import Budget, load_board
from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.kernels import kernels_of
from dynadeep.codegen.plan import make_plan
from dynadeep.host_tools.measure import known, report
from dynadeep.host_tools.page import make
from tests.docs import report_page
from tests.emulated import EMULATED, TOO_SMALL

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results.json"
SLACK = 1.15


@pytest.fixture(scope="module")
def measured():
    return json.loads(RESULTS.read_text())


@pytest.mark.parametrize("name", EMULATED)
def test_a_board_has_its_own_budget_and_what_it_measures_is_near_it(measured, name):
    """Or none, where the network that the kit ships does not fit, as the benchmark says."""
    board = load_board(name)
    if board.budget is None:
        assert f"{name} stream {kernels_of(board.core.cpu).name}" in measured["refused"]
        return
    (row,) = (
        row
        for row in measured["rows"]
        if (row["board"], row["engine"], row["build"]) == (name, "stream", "speed")
        and row["kernels"] == kernels_of(board.core.cpu).name
    )
    for key, limit in (
        ("instructions_with_samples", board.budget.instructions),
        ("ram_bytes", board.budget.ram_bytes),
        ("flash_bytes", board.budget.flash_bytes),
    ):
        assert row[key] <= limit <= SLACK * row[key], key
    assert board.budget.ram_bytes <= board.ram.bytes
    assert board.budget.flash_bytes <= board.flash.bytes


def test_the_published_network_is_known_with_its_peers(reconstruction_bundle):
    network = known.find(make_plan(reconstruction_bundle).network)
    assert network.name == "Dynamic-Deep, published levels"
    assert "onnx2c (float32)" in [peer.name for peer in network.peers]
    assert report_page.undocumented({"peers": asdict(make.peers_of(network))}) == []


def test_the_shipped_network_is_known_without_peers(shipped_plan):
    network = known.find(shipped_plan.network)
    assert network.name == "Dynamic-Deep, four levels"
    assert make.peers_of(network) is None


def test_a_network_of_other_shapes_has_no_peers_figures(shipped_plan):
    narrower = replace(shipped_plan.network, layers=shipped_plan.network.layers[:-1])
    assert known.find(narrower) is None
    assert make.peers_of(None) is None


def limits_of(budget: Budget | None, unit: str = "instructions"):
    measured = SimpleNamespace(ram_bytes=101, flash_bytes=100)
    cost = SimpleNamespace(unit=unit, per_segment=1000)
    parts = dict.fromkeys(("command", "board", "emulated", "plan"))
    filled = report.Report(**parts, latency=cost, memory=measured, budget=budget)
    return report.over_budget(filled), filled.budgets


def test_what_is_over_its_boards_budget_is_named():
    over, _ = limits_of(Budget(instructions=999, ram_bytes=100, flash_bytes=100))
    assert over == [
        "instructions a segment 1,000, at most 999",
        "RAM, static + stack peak 101 bytes, at most 100",
    ]


def test_cycles_are_not_held_against_a_budget_of_instructions():
    _, limits = limits_of(Budget(999, 200, 200), unit="cycles")
    assert [limit.name for limit in limits] == ["RAM, static + stack peak", "flash"]


def test_a_network_without_a_budget_is_held_to_none():
    assert limits_of(None) == ([], ())


@pytest.mark.nightly
@pytest.mark.emulator
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", EMULATED)
def test_the_demo_holds_on_every_board_that_the_network_fits(name, tmp_path, capsys):
    from dynadeep.host_tools.cli import run

    status = run(["demo", "--board", name, "--out", str(tmp_path), "--segments", "1"])
    if name == TOO_SMALL:
        assert status == BoardError.exit_status
        assert f"{TOO_SMALL}: the firmware needs about" in capsys.readouterr().err
    else:
        assert status == 0
