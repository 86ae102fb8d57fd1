"""Parity, and what comes before it, failing where it should."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.planner import plan_for
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.measure import parity
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.toolchain import Firmware
from tests.altering import change_constant

pytestmark = pytest.mark.heavy  # builds firmware and runs it many times

emulator = pytest.mark.emulator

FirmwareMaker = Callable[..., Firmware]


@pytest.fixture
def altered(
    bundle: Bundle, tmp_path: Path
) -> Callable[[str, str, str, Callable[[str], str]], Path]:
    """Generate a project and change one thing in one of its files, as a stray hand would."""

    def make(board: str, name: str, pattern: str, change: Callable[[str], str]) -> Path:
        folder = tmp_path / "sources"
        description = load_board(board)
        write_project(project_files(plan_for(bundle, description), description), folder)
        path = folder / name
        text = path.read_text()
        match = re.search(pattern, text, re.DOTALL)
        assert match, pattern
        start, end = match.span(1)
        path.write_text(text[:start] + change(text[start:end]) + text[end:])
        return folder

    return make


def fails_naming(bundle: Bundle, board: str, sources: Path, capsys) -> str:
    where = ["--bundle", str(bundle.folder), "--board", board, "--sources", str(sources)]
    assert run(["parity", "-q", *where]) == 10
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.fixture
def difference(
    bundle: Bundle, firmware: FirmwareMaker, tmp_path: Path
) -> Callable[[str, str, Callable[[int], int]], str]:
    """Change an array's first value in a board's firmware; return what parity finds first."""

    def find(board: str, array: str, change: Callable[[int], int]) -> str:
        elf = tmp_path / "firmware.elf"
        shutil.copy(firmware(board).elf, elf)
        change_constant(elf, array, change)
        with pipeline.connect(bundle, board, elf=elf) as opened:
            result = parity.check(
                opened.device, opened.plan, golden_cases(bundle)[:1], application_of(opened)
            )
        assert not result.bit_exact
        return str(result.differences[0])

    return find


@pytest.mark.parametrize("board", ["native", pytest.param("mps2-an386", marks=emulator)])
@pytest.mark.parametrize("layer", ["conv1", "conv5", "head64"])
def test_one_flipped_weight_bit_fails_and_names_the_layer(difference, board, layer):
    text = difference(board, f"{layer}_weights", lambda value: value ^ 1)
    assert f"layer {layer}, weights" in text


@pytest.mark.parametrize("board", ["native", pytest.param("mps2-an386", marks=emulator)])
@pytest.mark.parametrize("layer", ["conv9", "latent32"])
def test_one_multiplier_off_by_one_fails_and_names_the_layer(difference, board, layer):
    text = difference(board, f"{layer}_multiplier", lambda value: value + 1)
    assert f"layer {layer}, multiplier" in text


@pytest.mark.parametrize("kind", ["bias", "shift", "table"])
def test_every_kind_of_constant_is_named(difference, kind):
    assert f"layer conv3, {kind}" in difference("native", f"conv3_{kind}", lambda value: value + 1)


def test_wrong_code_with_right_constants_is_named_by_its_first_value(bundle, altered, capsys):
    """A kernel that takes another border changes no constant, only tensors."""
    sources = altered(
        "native",
        "model/model_net.c",
        r"dd_conv1d [^;]*?conv7[^;]*?\.in_zero_point = (-?\d+)",
        lambda text: str(int(text) + 1),
    )
    line = fails_naming(bundle, "native", sources, capsys)
    assert "layer conv7, conv7/conv, segment real00, channel" in line
    assert re.search(r"time \d+: board -?\d+, reference -?\d+", line)


@emulator
def test_a_crash_is_told_from_a_mismatch_and_names_the_line(bundle, altered, capsys):
    sources = altered(
        "mps2-an386",
        "runtime/dd_codec.c",
        r"(codec->state->clipped = \(uint16_t\))",
        lambda text: f"__builtin_trap();\n    {text}",
    )
    where = ["--bundle", str(bundle.folder), "--sources", str(sources)]
    assert run(["parity", "--board", "mps2-an386", *where]) == 11
    assert " at dd_codec.c:" in capsys.readouterr().err


def test_stale_firmware_is_refused_by_name(bundle, firmware, copied_bundle, rewrite_model, capsys):
    rewrite_model(copied_bundle, b"a model trained since")
    sources = firmware("native").elf.parents[1]
    where = ["--bundle", str(copied_bundle), "--board", "native", "--sources", str(sources)]
    assert run(["parity", *where]) == 9
    assert f"the firmware is of model {bundle.manifest.model_id}" in capsys.readouterr().err


def test_a_project_without_its_build_file_is_refused(bundle, firmware, tmp_path, capsys):
    sources = tmp_path / "sources"
    shutil.copytree(firmware("native").elf.parents[1], sources)
    (sources / "CMakeLists.txt").unlink()
    assert run(["build", str(sources)]) == 7
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_flashing_needs_a_programmer_that_is_known_and_installed(
    firmware, capsys, tmp_path, monkeypatch
):
    emulated = str(firmware("mps2-an386").elf.parents[1])
    assert run(["build", emulated, "--flash", "mps2-an386"]) == 6
    assert "mps2-an386: no programmer is known for it" in capsys.readouterr().err
    sources = str(firmware("netduinoplus2").elf.parents[1])
    tool = tmp_path / "dfu-util"
    tool.write_text("#!/bin/sh\necho No DFU capable USB device available; exit 74\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert run(["build", sources, "--flash", "netduinoplus2"]) == 20
    assert "No DFU capable USB device" in capsys.readouterr().err
