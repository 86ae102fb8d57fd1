"""Ctrl-C, or the SIGTERM of a cancelled job: a line, status 130, and no process that goes on.

What runs until it is stopped, as a gateway, says its counts instead, and its status is 0.
"""

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

from dynadeep.codegen.files import TEMPORARY
from tests.caching import ROOT, SMALL_BUNDLE
from tests.cloud.decoding import put_days
from tests.cloud.open_broker import open_broker
from tests.cloud.secured import free_port
from tests.cloud.wearing import Wire

PROGRAM = Path(sys.executable).with_name("dynadeep")
ON_THE_EXCERPT = (sys.executable, "-m", "tests.host.on_the_excerpt")
DATA = ROOT / "train" / "data"
SHIPPED = ROOT / "train" / "pretrained" / "cinc2017-rhythm.safetensors"
PATIENCE_S = 300.0


def running() -> dict[int, tuple[int, int, str]]:
    """Return parent, session and name of every process that runs."""
    processes = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        state, parent, _, session = rest.split()[:4]
        if state != "Z":
            processes[int(status.parent.name)] = (int(parent), int(session), name)
    return processes


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
    """Whether it held at any moment; it may be over again, as a compiler is."""
    deadline = time.monotonic() + PATIENCE_S
    while not (result := holds()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return result


def interrupted(
    words: list[object], folder: Path, program: str, signum: signal.Signals, count: int = 1
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
        if signum == signal.SIGINT:
            os.killpg(command.pid, signum)  # as a terminal does
        else:
            command.send_signal(signum)
        _, output = command.communicate(timeout=PATIENCE_S)
    assert before, output
    assert command.returncode == 130, output
    assert until(lambda: not left_of(before, command.pid)), left_of(before, command.pid)
    assert "Traceback" not in output
    return output.splitlines()


def interrupted_at(
    line: str, words: list[object], folder: Path, program: tuple[object, ...] = (PROGRAM,)
) -> tuple[int, list[str]]:
    """Press Ctrl-C once a command has said a line with these words; return status and all it said.

    Nothing that it started is left then, and no file that is half written.
    """
    with subprocess.Popen(
        [*map(str, program), *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as command:
        assert command.stdout is not None
        lines: list[str] = []
        while (not lines or line not in lines[-1]) and (new_line := command.stdout.readline()):
            lines.append(new_line)
        before = started_by(command.pid)
        os.killpg(command.pid, signal.SIGINT)
        lines += command.communicate(timeout=PATIENCE_S)[0].splitlines()
    whole = "\n".join(lines)
    assert line in whole
    assert "Traceback" not in whole
    assert until(lambda: not left_of(before, command.pid)), left_of(before, command.pid)
    assert not [path for path in folder.rglob("*") if TEMPORARY.fullmatch(path.name)]
    return command.returncode, lines


@pytest.fixture
def silent_boards(tmp_path, monkeypatch):
    """Have QEMU start its machines halted, so that they are there until their command ends them."""
    shim = tmp_path / "bin" / "qemu-system-arm"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shutil.which(shim.name)} -S "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent), prepend=os.pathsep)


BOTH = pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
AT = ("--bundle", SMALL_BUNDLE, "--board", "mps2-an386")


@pytest.mark.emulator
@pytest.mark.usefixtures("silent_boards")
@BOTH
@pytest.mark.parametrize("name", ["hello", "profile"])
def test_a_command_with_a_board_ends_its_emulator(tmp_path, bundle, firmware, name, signum):
    project = firmware("mps2-an386").elf.parents[1]
    words = [name, "--bundle", bundle.folder, "--sources", project]
    lines = interrupted(words, tmp_path, "qemu-system-arm", signum)
    assert lines[-1] == "dynadeep: interrupted"


@pytest.mark.emulator
@pytest.mark.usefixtures("silent_boards")
@BOTH
def test_boards_that_are_measured_at_a_time_end_together(tmp_path, signum):
    boards = ("--board", "mps2-an386", "--board", "microbit", "-j", "2")
    words = ["bench", "--bundle", SMALL_BUNDLE, *boards, "--out", "figures"]
    lines = interrupted(words, tmp_path, "qemu-system-arm", signum, count=2)
    assert lines[-1] == "dynadeep: interrupted"


@BOTH
def test_a_build_ends_with_all_its_compilers(tmp_path, signum):
    subprocess.run([PROGRAM, "generate", *AT, "--out", "project"], cwd=tmp_path, check=True)
    lines = interrupted(["build", "project"], tmp_path, "cc1", signum)
    assert lines[-1] == "dynadeep: interrupted"
    subprocess.run([PROGRAM, "build", "project"], cwd=tmp_path, check=True)


@pytest.mark.heavy
@BOTH
def test_an_import_ends_its_process_and_leaves_no_bundle(tmp_path, signum):
    network = ROOT / "tests" / "data" / "keras" / "causal.tflite"
    lines = interrupted(["import", network, "--out", "bundle"], tmp_path, "python", signum, count=2)
    assert lines[-1] == "dynadeep: interrupted"
    assert not (tmp_path / "bundle" / "manifest.json").exists()


@pytest.mark.heavy
@BOTH
def test_the_workers_of_a_decoding_end_and_the_run_goes_on(tmp_path, signum):
    put_days(tmp_path / "archive", days=3, segments=60)
    words = ["decode", "--archive", "archive", "--out", "out", "--bundles", SMALL_BUNDLE]
    lines = interrupted([*words, "--workers", 2], tmp_path, "python", signum, count=3)
    assert lines == ["dynadeep: interrupted"]
    command = [PROGRAM, *words, "--workers", "1", "--json", "report.json"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert json.loads((tmp_path / "report.json").read_text())["days"] == 3


COMPRESSOR = ("--architecture", "cae32", "--epochs", 99, "--batch", 8, "--threads", 1)
LONG = {
    "export": ("exporting to ONNX", ["-v", "--out", "out"], (PROGRAM,), []),
    "train": (
        "epoch 1",
        ["-v", "--dataset", "mitdb", "--data", DATA / "mitdb_sample", "--out", "out", *COMPRESSOR],
        (PROGRAM,),
        ["metrics.jsonl", "state.safetensors"],  # what --resume goes on with
    ),
    "calibrate": (
        "read      CinC 2017",
        [SHIPPED, "--data", DATA / "cinc2017_sample", "--out", "out/fitted.safetensors"],
        ON_THE_EXCERPT,
        [],
    ),
    "results": (
        "read      CinC 2017",
        ["--data", DATA / "cinc2017_sample", "--out", "out"],
        ON_THE_EXCERPT,
        [],
    ),
    "demo": ("export    checkpoint to ONNX", ["--out", "out"], (PROGRAM,), []),
}
"""What a command says before it is stopped, its words, and what is in ``out`` afterwards."""

ALIKE = ("calibrate", "results")
"""They end as ``train`` does, which takes no less long."""


@pytest.mark.heavy
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.nightly] * (name in ALIKE)) for name in LONG],
)
def test_ctrl_c_ends_what_trains_or_exports_and_leaves_no_half_of_it(tmp_path, name):
    line, words, program, left = LONG[name]
    status, lines = interrupted_at(line, [name, *words], tmp_path, program)
    assert (status, lines[-1]) == (130, "dynadeep: interrupted")
    assert sorted(path.name for path in tmp_path.glob("out/[!.]*")) == left


@pytest.mark.heavy
def test_ctrl_c_ends_a_fleet_and_its_archive_can_be_read(tmp_path):
    data = ("--data", DATA / "cinc2017_sample", "--distinct", 20, "--devices", 50, "--days", 30)
    words = ["fleet", "-v", *data, "--bundle", SMALL_BUNDLE, "--archive", "archive"]
    status, lines = interrupted_at("filling the archive", words, tmp_path)
    assert (status, lines[-1]) == (130, "dynadeep: interrupted")
    if (tmp_path / "archive").exists():
        subprocess.run([PROGRAM, "archive", "archive"], cwd=tmp_path, check=True)


def test_ctrl_c_ends_a_gateway_in_order_and_it_says_its_counts(tmp_path):
    wire = Wire()
    ends = ("--port", wire.url, "--broker", f"mqtt://127.0.0.1:{free_port()}")
    words = ["gateway", "--device", "bed-7", *ends, "--spool", "spool"]
    status, lines = interrupted_at("reading", words, tmp_path)
    wire.close()
    assert status == 0
    assert lines[-1].startswith("bed-7: 0 packets, 0 published, 0 in the spool, ")


@pytest.mark.heavy
def test_ctrl_c_ends_a_collector_in_order_and_it_says_its_counts(tmp_path):
    with open_broker(tmp_path / "broker") as port:
        words = ["collect", "--broker", f"mqtt://127.0.0.1:{port}", "--bundles", SMALL_BUNDLE]
        status, lines = interrupted_at("collecting", [*words, "--archive", "archive"], tmp_path)
    assert (status, lines[-1]) == (0, "nothing came")
