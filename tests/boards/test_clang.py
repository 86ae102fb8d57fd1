"""clang builds the firmware of every kind of core, and gives the same bits."""

import pytest
from elftools.elf.elffile import ELFFile

from dynadeep.codegen.board import load_board
from dynadeep.codegen.generate import generate
from dynadeep.host_tools import pipeline, toolchain
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.measure.parity import check
from dynadeep.host_tools.measure.references import golden_cases


@pytest.mark.parametrize("name", ["nucleo-g071rb", "lm3s6965evb", "pico2", "mps3-an547"])
def test_clang_builds_every_kernel_set(name, bundle, tmp_path):
    generate(bundle, load_board(name), tmp_path / "project")
    firmware = toolchain.build(tmp_path / "project", compiler="clang")
    assert firmware.elf.parent.name == "build-clang"
    assert firmware.bin is not None
    with firmware.elf.open("rb") as file:
        assert b"clang" in ELFFile(file).get_section_by_name(".comment").data()


@pytest.mark.emulator
def test_what_clang_builds_is_bit_exact(bundle, tmp_path):
    generate(bundle, load_board("mps2-an386"), tmp_path / "project")
    elf = toolchain.build(tmp_path / "project", compiler="clang").elf
    with pipeline.connect(bundle, "mps2-an386", elf=elf) as station:
        result = check(
            station.device, station.plan, golden_cases(bundle)[:2], application_of(station)
        )
    assert result.bit_exact
