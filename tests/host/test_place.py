"""Which board it is: the firmware and its project say so, and a wrong name is told as that."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.errors import BoardError, ProjectError
from dynadeep.codegen.generate import generate
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.errors import WrongFirmwareError
from dynadeep.host_tools.link.native import NativeLink
from dynadeep.host_tools.place import Place


@pytest.fixture
def port(firmware) -> Iterator[str]:
    """A serial port with a board behind it: the small model's firmware, on this computer."""
    link = NativeLink(firmware("native").elf)
    path = os.ttyname(link._ends[1])
    link.port.close()  # another program is to open it
    yield path
    link.close()


@pytest.fixture(scope="module")
def for_netduino(bundle, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sources") / "netduino"
    generate(bundle, load_board("netduinoplus2"), folder)
    return folder


@pytest.fixture(scope="module")
def model_only(bundle, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sources") / "model"
    generate(bundle, None, folder)
    return folder


def test_a_board_at_a_port_is_greeted_without_its_name_or_a_bundle(port, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where no bundle is
    assert run(["hello", "--port", port]) == 0


def test_a_board_at_a_port_is_compared_without_its_name(port, bundle, capsys):
    assert run(["parity", "--port", port, "--bundle", str(bundle.folder)]) == 0
    assert "bit-exact" in capsys.readouterr().out


def test_a_wrong_name_is_told_as_that_and_not_as_stale_firmware(fails, port):
    line = fails(29, "hello", "--port", port, "--board", "microbit")
    assert "the firmware is of board native, expected microbit. Leave --board out" in line
    assert "stale" not in line


def test_a_board_of_another_model_is_refused_where_a_bundle_is_named(
    fails, port, copied_bundle, rewrite_model
):
    rewrite_model(copied_bundle, b"a model trained since")
    line = fails(9, "hello", "--port", port, "--bundle", copied_bundle)
    assert "Name the bundle that it was generated from" in line


def test_a_project_says_which_board_it_is_for(for_netduino):
    board = Place(sources=for_netduino).named().board
    assert board is not None
    assert load_board(board).name == "netduinoplus2"


def test_a_project_of_another_board_is_refused_before_it_is_built(fails, for_netduino):
    line = fails(6, "hello", "--sources", for_netduino, "--board", "mps2-an386")
    assert "was generated for netduinoplus2, --board names mps2-an386" in line
    assert not (for_netduino / "build").exists()


def test_a_project_of_another_model_is_refused_before_it_is_built(for_netduino):
    with pytest.raises(WrongFirmwareError, match="the bundle of 0123456789abcdef"):
        Place(sources=for_netduino).named("0123456789abcdef")


def test_a_project_without_a_board_cannot_be_run(model_only):
    with pytest.raises(ProjectError, match="no firmware for a board"):
        Place(sources=model_only).named()


def test_nothing_is_flashed_onto_a_board_that_it_was_not_made_for(
    fails, for_netduino, tmp_path, monkeypatch
):
    tool = tmp_path / "openocd"
    tool.write_text(f"#!/bin/sh\ntouch {tmp_path}/flashed\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    line = fails(6, "build", for_netduino, "--flash", "microbit")
    assert "was generated for netduinoplus2, --flash names microbit" in line
    assert not (tmp_path / "flashed").exists()


def test_a_model_without_a_board_is_not_flashed(fails, model_only):
    assert "no firmware for a board" in fails(6, "build", model_only, "--flash", "microbit")


def test_a_model_without_a_board_is_no_firmware_to_build(fails, model_only):
    assert "no firmware for a board" in fails(6, "build", model_only)


def test_without_a_port_or_a_project_the_board_is_the_default_one():
    assert Place().named().board == "mps2-an386"


def test_a_board_at_a_port_is_not_taken_for_the_default_one():
    assert Place(port="/dev/ttyUSB0").named().board is None


def test_a_board_that_there_is_not_is_refused_before_its_port_is_opened():
    with pytest.raises(BoardError, match="toaster: no such board"):
        Place(board="toaster", port="/dev/ttyUSB0").named()


def test_firmware_of_a_board_that_the_kit_does_not_know_is_refused(bundle, port, monkeypatch):
    from dynadeep.codegen import board

    names = [name for name in board.board_names() if name != "native"]
    monkeypatch.setattr(board, "board_names", lambda: names)
    with (
        pytest.raises(WrongFirmwareError, match="a board that this kit does not know: native"),
        pipeline.connect(bundle, port=port),
    ):
        pass
