"""Flashing as far as it goes without a board: the real pyOCD and OpenOCD, and no probe.

OpenOCD runs with its own adapter for no hardware and its own target for tests, which have neither
memory nor flash: the commands for those are Tcl here, as strict as OpenOCD's.
"""

from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from dynadeep.codegen.board import Identity, Probe, load_board
from dynadeep.codegen.errors import BoardError, MissingDependencyError
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.errors import FlashError, WrongChipError
from dynadeep.host_tools.flash import openocd, pyocd
from dynadeep.host_tools.flash.chip import check_chip
from dynadeep.host_tools.flash.flash import flash, tool_of
from dynadeep.host_tools.toolchain import Firmware

STM32L4R5 = Identity(address=0xE0042000, mask=0xFFF, value=0x470)
Found = namedtuple("Found", "unique_id description")
NUCLEO, JLINK = Found("0672FF", "STLINK-V2-1"), Found("000683", "J-Link")

TARGET = """
jtag newtap chip cpu -irlen 4
target create chip.cpu testee -endian little -chain-position chip.cpu
proc note {text} { set file [open %(log)s a]; puts $file $text; close $file }
proc init {} { note init; targets }
proc reset {mode} { note "reset $mode" }
proc read_memory {address width count} {
    note "read [format 0x%%x $address]"
    if {$width != 32 || $count != 1} { error "unexpected width or count" }
    return [list 0x%(chip)x]
}
proc flash {action verb image} {
    if {"$action $verb" != "write_image erase"} { error "unexpected flash command" }
    if {![file isfile $image]} { error "couldn't open $image" }
    note "write $image"
    %(writing)s
}
proc verify_image {image} { note "verify $image" }
"""

Maker = Callable[..., Probe]


@pytest.fixture
def firmware(tmp_path: Path) -> Firmware:
    folder = tmp_path / "a $folder [of] {one's} own;"
    folder.mkdir()
    elf = folder / "firmware.elf"
    elf.write_bytes(b"\x7fELF")
    return Firmware(elf, None, elf.with_suffix(".map"), tmp_path / "build.log")


@pytest.fixture
def standing_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    """Make a probe whose part is OpenOCD's own for tests, with Tcl for its memory and flash."""
    monkeypatch.setenv("OPENOCD_SCRIPTS", str(tmp_path))

    def make(chip: int, writing: str = "") -> Probe:
        (tmp_path / "target").mkdir(exist_ok=True)
        text = TARGET % {"log": tmp_path / "done", "chip": chip, "writing": writing}
        (tmp_path / "target" / "standin.cfg").write_text(text, encoding="utf-8")
        return Probe(("interface/dummy.cfg", "target/standin.cfg"), STM32L4R5)

    return make


def test_the_right_chip_is_taken_whatever_its_revision() -> None:
    check_chip(STM32L4R5, 0x1001_6470)


def test_another_chip_is_named_by_its_register() -> None:
    line = r"0xe0042000 holds 0x450, expected 0x470\. Nothing was written\. Name the board"
    with pytest.raises(WrongChipError, match=line):
        check_chip(STM32L4R5, 0x1003_6450)


def test_pyocd_without_a_probe_says_so(firmware) -> None:
    board = load_board("nrf52840-dk")
    with pytest.raises(FlashError, match="no debug probe found, expected one on USB"):
        flash(board, firmware, "pyocd")


def test_pyocd_says_which_probe_it_did_not_find(firmware) -> None:
    with pytest.raises(FlashError, match="with the serial number 4711, found none"):
        flash(load_board("nrf52840-dk"), firmware, "pyocd", "4711")


@pytest.mark.parametrize("name", ["nrf52840-dk", "nucleo-h743zi", "pico2", "microbit"])
def test_pyocd_knows_the_parts_that_need_no_pack(name: str) -> None:
    from pyocd.target import TARGET as PARTS

    probe = load_board(name).probe
    assert probe is not None
    assert probe.pyocd in PARTS
    assert pyocd.GENERIC in PARTS


def test_every_option_that_pyocd_is_given_is_one_of_its() -> None:
    from pyocd.core.options import OPTIONS_INFO

    assert set(pyocd.OPTIONS) <= set(OPTIONS_INFO)


def test_a_probe_is_chosen_by_its_serial_number() -> None:
    assert pyocd.choose([NUCLEO, JLINK], "0672ff") is NUCLEO
    assert pyocd.choose([JLINK], None) is JLINK


def test_of_several_probes_none_is_taken_for_granted() -> None:
    with pytest.raises(FlashError, match=r"several .*0672FF \(STLINK-V2-1\), 000683 \(J-Link\)"):
        pyocd.choose([NUCLEO, JLINK], None)


def test_a_part_of_a_serial_number_is_not_taken_for_it() -> None:
    with pytest.raises(FlashError, match=r"number 06, found 0672FF \(STLINK-V2-1\)"):
        pyocd.choose([NUCLEO], "06")


def test_pyocd_that_is_not_installed_is_a_line(firmware, monkeypatch) -> None:
    monkeypatch.setattr(pyocd, "is_installed", lambda: False)
    with pytest.raises(MissingDependencyError, match=r"pip install 'dynadeep\[flash\]'"):
        flash(load_board("pico2"), firmware, "pyocd")


def test_openocd_without_a_probe_says_so(firmware) -> None:
    with pytest.raises(FlashError, match=r"openocd failed: no debug probe found .*Log: "):
        flash(load_board("microbit"), firmware, "openocd")
    assert "openocd -f interface/cmsis-dap.cfg" in firmware.log.read_text()


def test_openocd_is_asked_for_the_probe_of_a_serial_number(firmware) -> None:
    with pytest.raises(FlashError, match="no debug probe with the serial number 4711"):
        flash(load_board("microbit"), firmware, "openocd", "4711")


@pytest.mark.parametrize("name", ["nucleo-l4r5zi", "nucleo-g071rb", "nucleo-h743zi", "nrf52840-dk"])
def test_openocd_takes_the_configuration_of_a_board(name: str, firmware) -> None:
    with pytest.raises(FlashError, match="no debug probe found"):
        flash(load_board(name), firmware, "openocd")


def test_a_stand_in_for_the_flash_is_written_verified_and_started_by_openocd(
    firmware, standing_in, tmp_path
) -> None:
    openocd.flash(standing_in(0x1001_6470), firmware, None)
    image = firmware.elf.resolve()
    assert (tmp_path / "done").read_text().splitlines() == [
        "init",
        "read 0xe0042000",
        "reset init",
        f"write {image}",
        f"verify {image}",
        "reset run",
    ]


def test_a_stand_in_of_another_chip_is_not_written_by_openocd(
    firmware, standing_in, tmp_path
) -> None:
    with pytest.raises(WrongChipError, match="holds 0x450, expected 0x470"):
        openocd.flash(standing_in(0x1003_6450), firmware, None)
    assert (tmp_path / "done").read_text().splitlines() == ["init", "read 0xe0042000"]


def test_a_stand_in_whose_flash_cannot_be_written_is_told_by_openocd(
    firmware, standing_in, tmp_path
) -> None:
    with pytest.raises(FlashError, match=r"openocd failed: stuck at 0x08000000\. Is the board"):
        openocd.flash(standing_in(0x470, 'error "stuck at 0x08000000"'), firmware, None)
    assert "verify" not in (tmp_path / "done").read_text()


def test_a_board_that_nothing_flashes_is_refused_before_it_is_built() -> None:
    with pytest.raises(BoardError, match="no programmer is known for it"):
        tool_of(load_board("mps2-an386"), None, None)


def test_a_tool_that_a_board_does_not_know_is_refused() -> None:
    with pytest.raises(BoardError, match=r"netduinoplus2: is not flashed with pyocd, .*dfu-util"):
        tool_of(load_board("netduinoplus2"), "pyocd", None)


def test_a_serial_number_that_would_be_ignored_is_refused() -> None:
    with pytest.raises(BoardError, match="dfu-util, which takes no probe's serial number"):
        tool_of(load_board("netduinoplus2"), None, "4711")


def test_what_is_installed_is_taken_first(monkeypatch) -> None:
    board = load_board("nrf52840-dk")
    assert tool_of(board, None, None) == "pyocd"
    monkeypatch.setattr(pyocd, "is_installed", lambda: False)
    assert tool_of(board, None, None) == "openocd"
    monkeypatch.setattr(toolchain, "is_installed", lambda name: False)
    assert tool_of(board, None, None) == "pyocd"  # whose absence is then told


def test_what_is_about_flashing_is_refused_where_nothing_is_flashed(fails, tmp_path) -> None:
    line = fails(2, "build", tmp_path, "--probe", "4711")
    assert "--probe needs --flash too" in line
