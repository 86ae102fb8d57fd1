"""Ctrl-C, or the SIGTERM of a cancelled job: a line, status 130, and no process that goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.caching import ROOT, SMALL_BUNDLE
from tests.cloud.decoding import put_days

PROGRAM = Path(sys.executable).with_name("dynadeep")
PATIENCE_S = 300.0


def running() -> dict[int, tuple[int, int, str]]:
    """Return parent, session and name of every process that runs."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        state, parent, _, session = rest.split()[:4]
        if state != "Z":
            found[int(status.parent.name)] = (int(parent), int(session), name)
    return found


def started_by(parent: int) -> dict[int, tuple[int, str]]:
    """Return session and name of all that a process has started, and of all that these have."""
    processes, ours = running(), {parent}
    while more := {pid for pid, (of, _, _) in processes.items() if of in ours} - ours:
        ours |= more
    return {pid: processes[pid][1:] for pid in ours - {parent}}


def left_of(before: dict[int, tuple[int, str]], session: int) -> dict[int, str]:
    """Return what still runs of these processes, and of all that belongs to them."""
    sessions = {session, *(of for of, _ in before.values())}
    return {
        pid: name for pid, (_, of, name) in running().items() if pid in before or of in sessions
    }


def until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.005)
    return holds()


def interrupted(
    words: list[object], folder: Path, program: str, wanted: signal.Signals, count: int = 1
) -> list[str]:
    """Stop a command once it has started ``program``; return what it said on standard error."""
    with subprocess.Popen(
        [PROGRAM, *map(str, words)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as command:

        def is_there() -> bool:
            names = [name for _, name in started_by(command.pid).values()]
            return sum(name.startswith(program) for name in names) >= count

        assert until(lambda: command.poll() is not None or is_there())
        before = started_by(command.pid)
        if wanted == signal.SIGINT:
            os.killpg(command.pid, wanted)  # as a terminal does
        else:
            command.send_signal(wanted)
        _, said = command.communicate(timeout=PATIENCE_S)
    assert before, said
    assert command.returncode == 130, said
    assert until(lambda: not left_of(before, command.pid)), left_of(before, command.pid)
    assert "Traceback" not in said
    return said.splitlines()


@pytest.fixture
def silent_boards(tmp_path, monkeypatch):
    """Have QEMU start its machines halted, so that they are there until their command ends them."""
    shim = tmp_path / "bin" / "qemu-system-arm"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shutil.which(shim.name)} -S "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent), prepend=os.pathsep)


BOTH = pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM])
AT = ("--bundle", SMALL_BUNDLE, "--board", "mps2-an386")


@pytest.mark.emulator
@pytest.mark.usefixtures("silent_boards")
@BOTH
@pytest.mark.parametrize("name", ["hello", "profile"])
def test_a_command_with_a_board_ends_its_emulator(tmp_path, bundle, firmware, name, wanted):
    project = firmware("mps2-an386").elf.parents[1]
    words = [name, "--bundle", bundle.folder, "--sources", project]
    said = interrupted(words, tmp_path, "qemu-system-arm", wanted)
    assert said[-1] == "dynadeep: interrupted"


@pytest.mark.emulator
@pytest.mark.usefixtures("silent_boards")
@BOTH
def test_boards_that_are_measured_at_a_time_end_together(tmp_path, wanted):
    boards = ("--board", "mps2-an386", "--board", "microbit", "-j", "2")
    words = ["bench", "--bundle", SMALL_BUNDLE, *boards, "--out", "figures"]
    said = interrupted(words, tmp_path, "qemu-system-arm", wanted, count=2)
    assert said[-1] == "dynadeep: interrupted"


@BOTH
def test_a_build_ends_with_all_its_compilers(tmp_path, wanted):
    subprocess.run([PROGRAM, "generate", *AT, "--out", "project"], cwd=tmp_path, check=True)
    said = interrupted(["build", "project"], tmp_path, "cc1", wanted)
    assert said[-1] == "dynadeep: interrupted"
    subprocess.run([PROGRAM, "build", "project"], cwd=tmp_path, check=True)


@pytest.mark.heavy
@BOTH
def test_an_import_ends_its_process_and_leaves_no_bundle(tmp_path, wanted):
    network = ROOT / "tests" / "data" / "keras" / "causal.tflite"
    said = interrupted(["import", network, "--out", "bundle"], tmp_path, "python", wanted, count=2)
    assert said[-1] == "dynadeep: interrupted"
    assert not (tmp_path / "bundle" / "manifest.json").exists()


@pytest.mark.heavy
@BOTH
def test_the_workers_of_a_decoding_end_and_the_run_goes_on(tmp_path, wanted):
    put_days(tmp_path / "archive", days=3, segments=60)
    words = ["decode", "--archive", "archive", "--out", "out", "--bundles", SMALL_BUNDLE]
    said = interrupted([*words, "--workers", 2], tmp_path, "python", wanted, count=3)
    assert said == ["dynadeep: interrupted"]
    command = [PROGRAM, *words, "--workers", "1", "--json", "report.json"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert json.loads((tmp_path / "report.json").read_text())["days"] == 3
