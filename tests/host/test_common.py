"""What every command takes: help, log, verbosity, JSON; and progress that is in nobody's way."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from rich.console import Console

from dynadeep.codegen.progress import counted, show_on, step
from dynadeep.host_tools.cli import COMMANDS, GROUPS, make_app, name_of, progress, run
from dynadeep.host_tools.cli.common import display
from dynadeep.host_tools.link import ports

NAMES = [name_of(command) for command in COMMANDS]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_command_says_what_it_takes(capsys, name, option):
    assert run([name, option]) == 0
    text = capsys.readouterr().out
    for word in ("--verbose", "--quiet", "--log-file", "--traceback"):
        assert word in text


def test_the_version_is_told(capsys):
    assert run(["--version"]) == 0
    assert re.fullmatch(r"dynadeep \d+\.\d+\.\d+\n", capsys.readouterr().out)


def commands_of(group, words=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_of(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


PARSED = dict(commands_of(typer.main.get_command(make_app())))


@pytest.mark.parametrize("name", PARSED)
def test_every_command_gives_its_result_as_json_too(name):
    """Each prints a table, or a line of figures, that a script may want."""
    options = {text for parameter in PARSED[name].params for text in parameter.opts}
    assert {"--json", "--verbose", "-v", "--quiet", "--log-file", "--traceback"} <= options


def test_no_command_of_the_parser_is_left_out():
    assert {name.split()[0] for name in PARSED} == {*NAMES, *GROUPS}


@pytest.mark.parametrize("before", [True, False])
def test_a_log_keeps_what_was_done_and_what_failed(tmp_path, before):
    log = tmp_path / "log"
    log.write_text("kept\n")
    common = ["--log-file", str(log)]
    command = ["parity", "--bundle", str(tmp_path / "none")]
    assert run([*common, *command] if before else [*command, *common]) == 6
    text = log.read_text()
    assert text.startswith("kept\n")
    assert "no such file" in text
    assert "Traceback" in text


def test_a_log_that_cannot_be_written_is_refused_before_anything_is_done(fails, tmp_path):
    line = fails(1, "boards", "--log-file", tmp_path / "nowhere" / "log")
    assert "nowhere/log: No such file" in line


def test_a_full_disk_under_the_log_is_one_line(fails):
    assert "/dev/full: No space left on device" in fails(1, "boards", "--log-file", "/dev/full")


def test_without_a_command_there_is_the_help_and_nothing_else(capsys):
    assert run([]) == 2
    captured = capsys.readouterr()
    assert "Usage: dynadeep" in captured.out
    assert captured.err == ""


@pytest.mark.parametrize("arguments", [["-v", "build"], ["build", "-v"]])
def test_verbose_says_what_is_done_on_standard_error(capsys, tmp_path, arguments):
    (tmp_path / "CMakeLists.txt").write_text("nonsense(")
    run([*arguments, str(tmp_path)])
    captured = capsys.readouterr()
    assert "building the firmware" in captured.err
    assert captured.out == ""


def test_nothing_of_one_command_is_logged_by_the_next(tmp_path):
    run(["boards", "--log-file", str(tmp_path / "log")])
    before = (tmp_path / "log").read_text()
    run(["parity", "--bundle", str(tmp_path / "none")])
    assert (tmp_path / "log").read_text() == before


@pytest.mark.parametrize("command", ["boards", "ports"])
def test_json_on_standard_output_stands_there_alone(capsys, command):
    assert run([command, "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert command in json.loads(captured.out)
    assert captured.err != ""


def test_json_in_a_file_leaves_the_table_where_it_is(capsys, tmp_path):
    assert run(["boards", "--json", str(tmp_path / "boards.json")]) == 0
    names = [
        board["name"] for board in json.loads((tmp_path / "boards.json").read_text())["boards"]
    ]
    assert all(name in capsys.readouterr().out or name in names for name in names)
    assert "microbit" in names


@pytest.mark.parametrize("place", ["file/report.json", "folder"])
def test_a_place_that_no_result_can_be_written_to_is_found_before_the_work(fails, tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    line = fails(2, "parity", "--bundle", tmp_path / "none", "--json", tmp_path / place)
    assert f"{place} cannot be written" in line


def test_the_shell_completes_commands_and_boards():
    def complete(words: str) -> str:
        environment = {
            **os.environ,
            "_DYNADEEP_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        program = Path(sys.executable).with_name("dynadeep")
        done = subprocess.run(
            [program], capture_output=True, text=True, env=environment, check=False
        )
        return done.stdout

    assert "parity" in complete("dynadeep par")
    assert "microbit" in complete("dynadeep hello --board micro")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_a_command_ends_it_as_an_interrupt(signum):
    """A cancelled CI job sends SIGTERM: what Ctrl-C would keep is kept then, too."""
    program = Path(sys.executable).with_name("dynadeep")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        port = f"socket://127.0.0.1:{silent.getsockname()[1]}"
        with subprocess.Popen(
            [program, "hello", "--port", port], stderr=subprocess.PIPE, text=True
        ) as running:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)  # it waits for an answer now
                running.send_signal(signum)
                _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert errors.splitlines()[-1] == "dynadeep: interrupted"


@pytest.fixture
def terminal(monkeypatch):
    def make(*, is_terminal: bool) -> StringIO:
        text = StringIO()
        monkeypatch.setenv("TERM", "xterm")
        console = Console(file=text, force_terminal=is_terminal, width=80)
        monkeypatch.setattr(display, "console", console)
        monkeypatch.setattr(display, "quiet", False)
        show_on(progress.Bars())
        return text

    return make


def test_a_terminal_shows_a_bar(terminal):
    text = terminal(is_terminal=True)
    with counted("parity", 2) as advance:
        advance()
    assert "parity" in text.getvalue()
    assert "1/2" in text.getvalue()


def test_elsewhere_a_line_comes_now_and_then(terminal):
    text, now = terminal(is_terminal=False), 0.0
    advance = progress._lines("parity", 100, lambda: now)
    for now in range(1, 41):  # noqa: B007 (the clock)
        advance()
    assert text.getvalue() == "parity: 15 of 100\nparity: 30 of 100\n"
    now = 60
    advance.say("waiting for TRACE")
    assert text.getvalue().splitlines()[-1] == "parity: 40 of 100, waiting for TRACE"


def test_a_quiet_command_shows_no_progress(terminal, monkeypatch):
    text = terminal(is_terminal=True)
    monkeypatch.setattr(display, "quiet", True)
    with counted("parity", 2) as advance, step("building"):
        advance()
    assert text.getvalue() == ""


def test_what_is_done_within_something_else_has_a_line_of_its_own(terminal):
    text = terminal(is_terminal=True)
    with step("exporting"), counted("golden vectors", 7) as advance:
        advance()
        with step("measuring"):
            pass
    with step("building"):
        pass
    for words in ("exporting", "golden vectors", "1/7", "measuring", "building"):
        assert words in text.getvalue()


def test_a_result_that_goes_to_a_file_goes_there_while_a_bar_is_shown(terminal, capsys):
    text = terminal(is_terminal=True)
    with counted("bench", 2):
        print("mps2-an386  20.4 M")
    assert capsys.readouterr().out == "mps2-an386  20.4 M\n"
    assert "20.4 M" not in text.getvalue()


def port_of(device: str, vid: int | None = None, pid: int | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        device=device, vid=vid, pid=pid, description="n/a", serial_number="0042" if vid else None
    )


def test_ports_name_the_boards_that_they_could_be():
    described = ports.describe(
        [
            port_of("/dev/ttyS0"),
            port_of("/dev/ttyACM0", 0x0D28, 0x0204),
            port_of("/dev/ttyUSB0", 0x0403, 0x6001),
            port_of("/dev/ttyUSB1", 0x1234, 0x5678),
        ]
    )
    assert [port.device for port in described][-1] == "/dev/ttyS0"  # no USB device: last
    by_name = {port.device: port for port in described}
    assert by_name["/dev/ttyACM0"].boards == ("microbit",)
    assert by_name["/dev/ttyACM0"].usb == "0d28:0204"
    assert (by_name["/dev/ttyUSB0"].boards, by_name["/dev/ttyUSB0"].adapter) == ((), "FTDI")
    assert by_name["/dev/ttyUSB1"].adapter == ""
    assert by_name["/dev/ttyS0"].usb == ""


def test_no_port_at_all_is_said(capsys, monkeypatch):
    monkeypatch.setattr(ports.serial_ports, "comports", list)
    assert run(["ports"]) == 0
    assert "no serial port. Is the board plugged in" in capsys.readouterr().out


def test_a_port_table_says_what_could_be_there(capsys, monkeypatch):
    monkeypatch.setattr(
        ports.serial_ports, "comports", lambda: [port_of("/dev/ttyUSB0", 0x10C4, 0xEA60)]
    )
    assert run(["ports"]) == 0
    assert "any board, behind an adapter of Silicon Labs" in capsys.readouterr().out
