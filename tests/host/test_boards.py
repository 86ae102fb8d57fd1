"""Boards as a user meets them: the list, a folder of their own, whichever one is attached."""

import json
import os
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from dynadeep.codegen.board import board_names, load_board
from dynadeep.codegen.errors import BoardError, OutputError
from dynadeep.codegen.generate import generate
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.boards import find_attached, known_boards, new_board
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.link.native import NativeLink
from dynadeep.host_tools.link.ports import describe
from dynadeep.host_tools.measure import summary


def attached(device: str, vid: int | None = 0x0483, pid: int | None = 0x374B) -> SimpleNamespace:
    """A serial port as pyserial lists it."""
    return SimpleNamespace(device=device, vid=vid, pid=pid, description="", serial_number="")


@pytest.fixture
def port(firmware) -> Iterator[str]:
    """A serial port with a board behind it: the small model's firmware, on this computer."""
    link = NativeLink(firmware("native").elf)
    path = os.ttyname(link._ends[1])
    link.port.close()  # another program is to open it
    yield path
    link.close()


@pytest.fixture
def silent() -> Iterator[str]:
    """A serial port with nothing behind it."""
    ends = os.openpty()
    yield os.ttyname(ends[1])
    for end in ends:
        os.close(end)


def test_the_list_says_of_every_board_what_it_is_and_whether_it_was_run(capsys):
    assert run(["boards", "--json", "-"]) == 0
    rows = {board["name"]: board for board in json.loads(capsys.readouterr().out)["boards"]}
    assert list(rows) == board_names()
    assert rows["mps2-an386"]["run"] == "run here, emulated"
    assert rows["native"]["run"] == "run here"
    assert rows["pico2"]["run"] == "built, not run here"
    assert rows["pico2"]["flashed"] == "pyocd, openocd"
    assert rows["pico2"]["core"] == {
        "cpu": "cortex-m33",
        "flags": ["-mcpu=cortex-m33", "-mthumb", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"],
        "clock_hz": 150_000_000,
    }
    assert rows["netduinoplus2"]["reached"] == "qemu-system-arm or serial port, 115,200 baud"


def test_the_table_fits_a_terminal_and_names_every_board(capsys):
    assert run(["boards"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 110
    assert {line.split()[0] for line in lines if line.strip()} >= set(board_names())


def test_a_board_is_listed_at_the_ports_that_show_its_usb_ids():
    ports = describe([attached("/dev/ttyACM0"), attached("/dev/ttyUSB0", 0x0403, 0x6001)])
    rows = {entry.board.name: entry.ports for entry in known_boards(ports=ports)}
    assert rows["nucleo-l4r5zi"] == ("/dev/ttyACM0",)
    assert rows["microbit"] == ()


def test_a_folder_of_ones_own_is_listed_beside_the_kits(tmp_path, capsys):
    new_board(tmp_path / "bench-board", "mps2-an386")
    assert run(["boards", str(tmp_path / "bench-board"), "--json", "-"]) == 0
    *_, own = json.loads(capsys.readouterr().out)["boards"]
    assert own["name"] == "bench-board"
    assert own["run"] == "your own"  # the kit's tests never ran it, whatever it is a copy of


@pytest.mark.parametrize("like", [name for name in board_names() if name != "native"])
def test_a_new_board_is_what_it_was_made_like(like, tmp_path):
    board, original = new_board(tmp_path / "my-board", like), load_board(like)
    assert (board.name, board.budget) == ("my-board", None)
    for part in ("core", "flash", "ram", "uart", "counter", "emulator", "probe", "usb"):
        assert getattr(board, part) == getattr(original, part), part
    assert {path.name for path in (tmp_path / "my-board").iterdir()} == {"board.toml", "board.c"}


def test_a_new_board_replaces_nothing(fails, tmp_path):
    folder = tmp_path / "my-board"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    line = fails(6, "board", "new", folder, "--like", "mps2-an386")
    assert "is there already, and is not replaced" in line
    assert (folder / "notes.txt").read_text() == "mine"
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_a_new_board_is_refused_a_name_that_none_may_have(tmp_path):
    with pytest.raises(BoardError, match="a-z, 0-9, _ and -"):
        new_board(tmp_path / "My Board", "mps2-an386")
    assert not (tmp_path / "My Board").exists()


def test_a_new_board_begins_as_one_that_there_is(fails, tmp_path):
    line = fails(6, "board", "new", tmp_path / "mine", "--like", "toaster")
    assert "toaster: no such board" in line


def test_firmware_of_ones_own_board_is_built_and_calls_itself_so(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["board", "new", "my-board", "--like", "native"]) == 0
    options = ["--bundle", str(bundle.folder), "--out", "project"]
    assert run(["generate", "--board", "my-board", *options]) == 0
    assert run(["hello", "--sources", "project", "--json", "about.json"]) == 0
    assert json.loads(Path("about.json").read_text())["board"] == "my-board"


def test_a_project_keeps_its_boards_description(bundle, tmp_path, fails):
    new_board(tmp_path / "my-board", "netduinoplus2")
    generate(bundle, load_board(str(tmp_path / "my-board")), tmp_path / "project")
    assert load_board(str(tmp_path / "project" / "board")).name == "my-board"
    line = fails(6, "hello", "--sources", tmp_path / "project", "--board", "microbit")
    assert "was generated for my-board, --board names microbit" in line


def test_a_file_of_a_folder_that_would_be_overwritten_is_refused(bundle, tmp_path):
    board = new_board(tmp_path / "my-board", "mps2-an386")
    (tmp_path / "my-board" / "linker.ld").write_text("MEMORY {}")
    with pytest.raises(BoardError, match=r"holds linker\.ld, which is made from board\.toml"):
        generate(bundle, board, tmp_path / "project")


def test_a_second_c_file_of_ones_own_board_is_compiled_too(bundle, tmp_path):
    board = new_board(tmp_path / "my-board", "native")
    (tmp_path / "my-board" / "more.c").write_text("#error more\n")
    generate(bundle, board, tmp_path / "project")
    with pytest.raises(toolchain.BuildError, match=r"more\.c"):
        toolchain.build(tmp_path / "project")


def test_auto_finds_the_board_that_answers(port, silent):
    answering = find_attached(describe([attached(silent), attached(port)]))
    assert (answering.port, answering.board) == (port, "native")


def test_auto_takes_no_port_that_is_not_usb(port):
    with pytest.raises(LinkError, match="auto: no USB serial port"):
        find_attached(describe([attached(port, None, None)]))


def test_auto_says_what_each_port_said_where_no_board_answers(silent):
    with pytest.raises(LinkError, match=f"no board answers at 1 USB .*{silent}.*Flash it first"):
        find_attached(describe([attached(silent)]))


def test_auto_chooses_none_of_two_boards(port, firmware):
    with NativeLink(firmware("native").elf) as second:
        path = os.ttyname(second._ends[1])
        second.port.close()
        with pytest.raises(LinkError, match=f"native at {port}, native at {path} answer, expected"):
            find_attached(describe([attached(port), attached(path)]))


def test_a_command_is_run_on_the_board_that_auto_finds(port, bundle, capsys, monkeypatch):
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [attached(port)])
    assert run(["hello", "--board", "auto", "--bundle", str(bundle.folder)]) == 0
    assert "native" in capsys.readouterr().out


def test_a_board_that_is_found_needs_no_bundle_to_say_who_it_is(
    port, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [attached(port)])
    assert run(["hello", "--board", "auto"]) == 0
    assert "native" in capsys.readouterr().out


def test_the_list_fits_a_terminal_of_80_columns_with_every_word_whole():
    console = Console(file=StringIO(), width=80)
    console.print(summary.boards_table(known_boards((), [])))
    text = console.file.getvalue()
    assert "…" not in text
    for name in board_names():
        (line,) = [candidate for candidate in text.splitlines() if candidate.startswith(f"{name} ")]
        assert re.search(r"(run here(, emulated)?|built, not run here)$", line.rstrip())


def test_firmware_is_generated_for_the_board_that_auto_finds(port, bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [attached(port)])
    options = ["--bundle", str(bundle.folder), "--out", str(tmp_path / "out")]
    assert run(["generate", "--board", "auto", *options]) == 0
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["board"] == "native"


def test_a_folder_is_never_written_over_by_two_commands(tmp_path):
    new_board(tmp_path / "mine", "native")
    with pytest.raises(OutputError):
        new_board(tmp_path / "mine", "native")


@pytest.mark.parametrize("tool", ["pyocd", "openocd"])
def test_flashing_asks_for_the_probe_of_the_serial_number_that_is_named(tool, firmware, fails):
    """As far as it goes without one: the programmer that was chosen looks for it."""
    project = firmware("nucleo-l4r5zi").elf.parents[1]
    flash = ("--flash", "nucleo-l4r5zi", "--with", tool, "--probe", "NOT-THERE-4711")
    line = fails(20, "build", project, *flash)
    assert "no debug probe with the serial number NOT-THERE-4711" in line
