"""The estimate of a whole firmware, and where it is shown."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.planner import PLANNERS_CHOICE, PlanSettings, plan_for
from dynadeep.codegen.prediction import predict_for
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.cycles.estimate import CyclesEstimate
from dynadeep.host_tools.errors import HostError
from dynadeep.host_tools.measure import profile
from dynadeep.host_tools.toolchain import Firmware
from tests.conftest import firmware_maker
from tests.emulated import EMULATED, TOO_SMALL

pytestmark = pytest.mark.emulator
BY_LAYER = {"cortex-m7": 0.08, "cortex-m33": 0.08, "cortex-m55": 0.1}
"""Where a layer's instructions are not held within 5 %: docs/cycles.md says how far off."""

SLOWLY = PlanSettings(deadline_s=8)
"""The smallest cores take longer than a segment's samples."""

SMALL_LAYER = 0.02
"""Of a run: a layer of less is held to its error relative to so much of the run."""

FirmwareMaker = Callable[..., Firmware]
BOARDS = ("mps2-an386", "mps2-an500", "mps3-an547", "microbit")


def estimate(
    bundle: Bundle, firmware: FirmwareMaker, board: str, settings: PlanSettings = PLANNERS_CHOICE
) -> CyclesEstimate:
    with pipeline.connect(bundle, board, elf=firmware(board).elf, settings=settings) as station:
        return profile.estimate_cycles(station, application_of)


def hold_to_prediction(
    bundle: Bundle, name: str, estimated: CyclesEstimate, settings: PlanSettings = PLANNERS_CHOICE
) -> None:
    """Hold a run to what was foretold of it: small layers relative to the whole run."""
    board = load_board(name)
    foretold = predict_for(plan_for(bundle, board, settings), board)
    assert foretold.instructions == pytest.approx(estimated.instructions, rel=0.05)
    assert foretold.cycles == pytest.approx(estimated.total, rel=0.1)
    for layer, count in estimated.instructions_by_layer.items():
        least = SMALL_LAYER * estimated.instructions
        by_layer = foretold.instructions_by_layer[layer]
        within = BY_LAYER.get(board.core.cpu, 0.05)
        assert by_layer == pytest.approx(count, abs=within * max(count, least)), layer
        cycles = foretold.cycles_by_layer[layer]
        spent = max(estimated.layers[layer], SMALL_LAYER * estimated.total)
        within = max(0.1, BY_LAYER.get(board.core.cpu, 0.0))
        assert cycles == pytest.approx(estimated.layers[layer], abs=within * spent), layer


@pytest.mark.parametrize("board", BOARDS)
def test_what_the_plugin_counts_is_what_the_board_counts(
    bundle: Bundle, firmware: FirmwareMaker, board: str
) -> None:
    # It refuses counts that the board does not confirm.
    estimated = estimate(bundle, firmware, board)
    assert estimated.total == pytest.approx(
        estimated.besides + sum(estimated.layers.values()), abs=len(BOARDS)
    )
    assert estimated.total == pytest.approx(
        sum(estimated.functions.values()), abs=len(estimated.functions)
    )
    assert 0 < sum(estimated.instructions_by_layer.values()) < estimated.instructions
    assert all(cycles > 0 for cycles in estimated.layers.values())
    assert estimated.estimate
    hold_to_prediction(bundle, board, estimated)


@pytest.mark.nightly
@pytest.mark.parametrize("board", EMULATED)
def test_the_shipped_and_the_published_network_take_what_was_foretold(
    shipped_bundle: Bundle, reconstruction_bundle: Bundle, board: str
) -> None:
    for network in (shipped_bundle, reconstruction_bundle):
        if board != TOO_SMALL or network is reconstruction_bundle:
            estimated = estimate(network, firmware_maker(network, SLOWLY), board, SLOWLY)
            hold_to_prediction(network, board, estimated, SLOWLY)


def test_a_run_that_the_board_does_not_confirm_is_refused() -> None:
    with pytest.raises(HostError, match="counted 1,000,000 instructions, the board's counter 990"):
        profile._check_counted(1_000_000, 990_000, 1.0)


def test_a_profile_shows_the_estimate_and_keeps_it(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    words = ["profile", "--bundle", str(bundle.folder), "--segments", "1", "--json", str(report)]
    assert run(words) == 0
    output = capsys.readouterr().out
    assert "by estimate" in output
    assert "Cortex-M4 Processor Technical Reference Manual" in output
    assert "found over predicted" in output
    written = json.loads(report.read_text())
    latency, predicted = written["latency"], written["predicted"]
    assert predicted["cycles"] == pytest.approx(latency["cycles_estimate"]["total"], rel=0.1)
    assert predicted["cycles_by_layer"].keys() == latency["cycles_estimate"]["layers"].keys()
    assert latency["cycles_estimate"]["core"] == "cortex-m4"
    assert latency["cycles_estimate"]["estimate"] is True
    assert latency["cycles_missing"] == ""


def test_what_cannot_be_estimated_is_said(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    words = ["profile", "--bundle", str(bundle.folder), "--board", "native", "--segments", "1"]
    assert run([*words, "--json", str(report)]) == 0
    assert "not estimated: native: cycles are estimated of" in " ".join(
        capsys.readouterr().out.split()
    )
    latency = json.loads(report.read_text())["latency"]
    assert latency["cycles_estimate"] is None
    assert "native" in latency["cycles_missing"]
