import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dynadeep.codegen.errors import BusyError
from dynadeep.codegen.lock import locked

HOLD = """
import sys
from pathlib import Path
from dynadeep.codegen.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""

ADD = """
import sys
from pathlib import Path
from dynadeep.codegen.lock import locked
path = Path(sys.argv[1]) / "count"
for _ in range(20):
    with locked(path.parent):
        path.write_text(str(int(path.read_text()) + 1))
"""


def start(program: str, folder: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program, str(folder)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_who_holds_a_folder_is_named_to_whoever_does_not_wait(tmp_path: Path) -> None:
    with start(HOLD, tmp_path / "out") as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        line = rf"out: in use by process {holder.pid} \(-c {re.escape(str(tmp_path))}/out\) since 2"
        with pytest.raises(BusyError, match=line), locked(tmp_path / "out", wait=False):
            pass
        holder.communicate("\n")
    with locked(tmp_path / "out", wait=False):
        pass
    assert list(tmp_path.iterdir()) == []


def test_whoever_waits_says_for_whom_and_goes_on_after_it(tmp_path: Path) -> None:
    with start(HOLD, tmp_path / "out") as first:
        assert first.stdout is not None
        first.stdout.readline()
        with start(HOLD, tmp_path / "out") as second:
            assert second.stderr is not None
            assert f"out: in use by process {first.pid} " in second.stderr.readline()
            first.communicate("\n")
            assert second.communicate("\n")[0] == "held\n"
            assert second.returncode == 0


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    with start(HOLD, tmp_path / "out") as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.send_signal(signal.SIGKILL)
    assert (tmp_path / ".out.lock").exists()
    with locked(tmp_path / "out", wait=False):
        pass


def test_commands_at_the_same_time_take_turns(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "count").write_text("0")
    processes = [start(ADD, tmp_path / "out") for _ in range(4)]
    words = [process.communicate()[1] for process in processes]
    assert (tmp_path / "out" / "count").read_text() == "80", words


def test_a_command_may_hold_its_folder_twice(tmp_path: Path) -> None:
    with locked(tmp_path / "out"):
        with locked(tmp_path / "out"):
            pass
        assert (tmp_path / ".out.lock").exists()
    assert not (tmp_path / ".out.lock").exists()
