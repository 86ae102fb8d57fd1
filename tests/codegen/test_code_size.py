"""What a firmware takes of the flash and of the RAM is foretold before any compiler runs."""

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dynadeep.codegen.applications import ram_bytes
from dynadeep.codegen.board import board_names, load_board
from dynadeep.codegen.bundle import Bundle, read_bundle
from dynadeep.codegen.code_size import BOARDS_OWN_BYTES, flash_bytes, linked_files
from dynadeep.codegen.emit import project_files
from dynadeep.codegen.errors import CodegenError
from dynadeep.codegen.plan import Plan, plan_model
from dynadeep.codegen.planner import PlanSettings, plan_for
from dynadeep.host_tools.measure.memory import read_image
from tests.caching import ROOT
from tests.net_bundles import NET_BUNDLES
from tests.prediction.counting import built, own_choice
from tests.prediction.spread import manifest_of

WITHIN = 0.02
PARTLY_LINKED = {"mean": 0.03, "reduce_max": 0.03}
"""Of the flash: toys that call the smallest part of their operator's C file (docs/cycles.md)."""
ARM_BOARDS = [name for name in board_names() if name != "native"]
NETWORKS = sorted(
    [
        *(ROOT / "tests/data/operators").glob("*.tflite"),
        *(ROOT / "tests/networks").glob("models/*.tflite"),
    ]
)


def rows(folder: str) -> list[dict[str, Any]]:
    """Return what was measured of the speed builds of a network."""
    data = json.loads((ROOT / "benchmarks" / folder / "results.json").read_text("utf-8"))
    return [row for row in data["rows"] if row["build"] == "speed"]


def hold(plan: Plan, board: str, flash: int, static_ram: int, flash_within: float = WITHIN) -> None:
    target = load_board(board)
    assert target.ram is not None
    assert flash_bytes(plan, target) == pytest.approx(flash, rel=flash_within)
    reserved = target.ram.stack_bytes
    assert ram_bytes(plan, target) - reserved == pytest.approx(static_ram, rel=WITHIN)


def test_the_benchmarked_firmware_of_all_boards_is_what_was_foretold(
    shipped_bundle: Bundle, reconstruction_bundle: Bundle
) -> None:
    for bundle, folder in ((shipped_bundle, ""), (reconstruction_bundle, "published")):
        for row in rows(folder):
            settings = PlanSettings(engine=row["engine"], kernels=row["kernels"])
            plan = plan_for(bundle, load_board(row["board"]), settings)
            hold(plan, row["board"], row["flash_bytes"], row["static_ram_bytes"])
            assert row["stack_bytes"] <= plan.stack_bytes


@pytest.mark.parametrize("name", ["microbit", "netduinoplus2"])
def test_a_small_codec_is_what_was_foretold(bundle: Bundle, firmware, name: str) -> None:
    image = read_image(firmware(name).elf)
    plan = plan_for(bundle, load_board(name))
    hold(plan, name, image.flash_bytes, image.static_ram_bytes)


@pytest.mark.parametrize("name", ARM_BOARDS)
@pytest.mark.nightly
def test_the_networks_of_all_operators_are_what_was_foretold(name: str) -> None:
    board = load_board(name)
    count = 0
    for path in NETWORKS:
        content = path.read_bytes()
        with contextlib.suppress(CodegenError):  # refused: test_operators says which, and why
            plan = plan_model(content, manifest_of(content), own_choice(board.core.cpu))
            assert board.flash is not None
            assert board.ram is not None
            if flash_bytes(plan, board) > board.flash.bytes:
                continue  # refused: test_planner
            if ram_bytes(plan, board) > board.ram.bytes:
                continue
            image = read_image(built(plan, board) / "build" / "firmware.elf")
            within = PARTLY_LINKED.get(path.stem, WITHIN)
            hold(plan, name, image.flash_bytes, image.static_ram_bytes, within)
            count += 1
    assert count > len(NETWORKS) // 2


@pytest.mark.parametrize("application", ["harness", "mlperf", "autonomous"])
def test_the_files_that_are_counted_are_those_of_the_project(
    bundle: Bundle, application: Any
) -> None:
    boards = [load_board(name) for name in ("microbit", "netduinoplus2")]
    bundles = [bundle] if application == "autonomous" else [bundle, *map(read_bundle, _nets())]
    for board in boards:
        for model in bundles:
            plan = plan_for(model, board, PlanSettings(application=application))
            written = {path for path in project_files(plan, board) if path.endswith(".c")}
            linked = linked_files(plan, board)
            counted = {name if "/" in name else f"runtime/{name}" for name in linked}
            assert counted == {path for path in written if path.startswith(("runtime/", "app/"))}


def _nets() -> list[Path]:
    return sorted(path for path in NET_BUNDLES.iterdir() if path.is_dir())


def test_a_board_of_the_users_own_is_like_others_of_its_core(bundle: Bundle) -> None:
    shipped = load_board("netduinoplus2")
    plan = plan_for(bundle, shipped)
    own = flash_bytes(plan, replace(shipped, name="mine"))
    assert own == pytest.approx(flash_bytes(plan, shipped), abs=2 * BOARDS_OWN_BYTES)
    assert flash_bytes(plan, None) < own  # the library without an application
