"""The firmware on the emulated boards."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.errors import BoardCrashedError, LinkError
from dynadeep.host_tools.link.crash_site import locate
from dynadeep.host_tools.link.device import Device, Patience
from dynadeep.host_tools.link.fault import Faults, Kind
from dynadeep.host_tools.link.protocol import FaultKind
from dynadeep.host_tools.link.qemu import QemuLink
from dynadeep.host_tools.toolchain import Firmware

pytestmark = pytest.mark.emulator

BOARDS = (
    "lm3s6965evb",
    "microbit",
    "mps2-an385",
    "mps2-an386",
    "mps2-an500",
    "mps2-an505",
    "mps3-an547",
    "netduinoplus2",
)
Emulate = Callable[[str], Device]
Segment = npt.NDArray[np.int16]
FirmwareOf = Callable[[str], Firmware]


def is_running(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_ended(pid: int, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_running(pid)


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_board_runs_and_counts_the_same_instructions_each_time(
    emulate: Emulate, board: str, segment: Segment
) -> None:
    device = emulate(board)
    replies = [CodecBoard(device).encode(segment) for _ in range(3)]
    assert device.about.board == board
    assert device.counter.unit == "instructions"
    assert [reply.packet[8] for reply in replies] == [0, 1, 2]
    ticks = [reply.ticks for reply in replies]
    assert max(ticks) - min(ticks) <= 1  # where in a tick a run begins


def test_the_stack_is_known_and_far_from_full(
    emulate: Emulate, board: str, segment: Segment
) -> None:
    device = emulate(board)
    CodecBoard(device).encode(segment)
    stack = device.memory()
    ram = load_board(board).ram
    assert ram is not None
    assert stack.size_bytes == ram.stack_bytes
    assert 64 < stack.peak_bytes < 1024


@pytest.mark.parametrize("direction", ["to_board", "to_host"])
@pytest.mark.parametrize("kind", ["drop", "double", "flip"])
def test_a_bad_byte_is_retried_and_nothing_done_twice(
    emulate: Emulate,
    segment: Segment,
    spoil: Callable[..., None],
    direction: str,
    kind: Kind,
) -> None:
    device = emulate("mps2-an386")
    device = Device(device.link, Patience(slack_s=1.0, inference_s=0.5))
    device.hello()
    spoil(device.link, **{direction: Faults(at={33: kind})})
    packets = [CodecBoard(device).encode(segment).packet for _ in range(2)]
    assert [packet[8] for packet in packets] == [0, 1]
    assert device.traffic.retries >= 1


@pytest.fixture(
    params=[
        ("CRASH_BY_TRAP", FaultKind.HARD),
        ("CRASH_BY_ADDRESS", FaultKind.HARD),
        ("CRASH_BY_STACK", FaultKind.STACK),
        ("CRASH_BY_ASSERTION", FaultKind.ASSERTION),
    ],
    ids=lambda crash: crash[0],
)
def crash(request: pytest.FixtureRequest, toy: ModuleType) -> tuple[int, FaultKind]:
    order, kind = request.param
    return getattr(toy, order), kind


def test_a_crash_is_reported_and_the_board_starts_again(
    emulate: Emulate,
    toy: ModuleType,
    segment: Segment,
    board: str,
    crash: tuple[int, FaultKind],
) -> None:
    bad = segment.copy()
    bad[0], kind = crash
    if board in ("lm3s6965evb", "microbit") and bad[0] == toy.CRASH_BY_ADDRESS:
        pytest.skip("QEMU's model of this board lets accesses to nowhere pass")
    device = emulate(board)
    with pytest.raises(BoardCrashedError) as caught:
        device.trace(bad, unfused=False)
    assert caught.value.fault is not None
    assert caught.value.fault.kind == kind
    with pytest.raises(BoardCrashedError, match="restarted by itself"):
        CodecBoard(device).encode(segment)
    device.hello()
    assert CodecBoard(device).encode(segment).packet[8] == 0


def test_a_crash_names_its_line(
    emulate: Emulate, toy: ModuleType, toy_firmware: FirmwareOf, segment: Segment, board: str
) -> None:
    device = emulate(board)
    bad = segment.copy()
    bad[0] = toy.CRASH_BY_TRAP
    with pytest.raises(BoardCrashedError) as caught:
        CodecBoard(device).encode(bad)
    assert caught.value.fault is not None
    where = locate(toy_firmware(board).elf, caught.value.fault.pc)
    assert re.fullmatch(r"misbehave at model\.c:\d+", where)


def test_a_board_that_hangs_is_an_error_in_time_and_qemu_is_not_left_behind(
    toy_firmware: FirmwareOf, toy: ModuleType, segment: Segment, board: str
) -> None:
    bad = segment.copy()
    bad[0] = toy.HANG
    with QemuLink(toy_firmware(board).elf, board, ("-icount", "shift=0")) as link:
        device = Device(link, Patience(tries=2, inference_s=0.5))
        device.hello()
        with pytest.raises(LinkError, match="no answer to ENCODE in 2 tries"):
            CodecBoard(device).encode(bad)
    assert link.child.poll() is not None


def test_a_qemu_that_was_killed_is_said_to_have_ended(emulate: Emulate, segment: Segment) -> None:
    device = emulate("mps2-an386")
    assert isinstance(device.link, QemuLink)
    device.link.child.kill()
    device.link.child.wait()
    with pytest.raises(LinkError, match="QEMU ended with status -9"):
        CodecBoard(device).encode(segment)


HOST = """
import os, sys, time
from pathlib import Path
from dynadeep.host_tools.link.qemu import QemuLink
link = QemuLink(Path(sys.argv[1]), "mps2-an386")
print(link.child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("blow", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_qemu_never_outlives_the_host(toy_firmware: FirmwareOf, blow: signal.Signals) -> None:
    command = [sys.executable, "-c", HOST, str(toy_firmware("mps2-an386").elf)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as host:
        assert host.stdout is not None
        pid = int(host.stdout.readline())
        assert is_running(pid)
        os.kill(host.pid, blow)
        host.wait(10)
    assert wait_until_ended(pid)


def test_a_machine_that_qemu_does_not_have_is_a_clear_line(toy_firmware: FirmwareOf) -> None:
    with pytest.raises(LinkError, match=r"QEMU ended with status 1: .*machine"):
        QemuLink(toy_firmware("mps2-an386").elf, "no-such-machine")


def test_firmware_that_was_never_built_is_a_clear_line(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"no such firmware\. Build it first"):
        QemuLink(tmp_path / "firmware.elf", "mps2-an386")


def test_a_missing_qemu_is_a_line_that_names_the_package(toy_firmware: FirmwareOf) -> None:
    with pytest.raises(MissingDependencyError, match="apt-get install qemu-system-arm"):
        QemuLink(toy_firmware("mps2-an386").elf, "mps2-an386", program="qemu-system-none")


def test_bytes_pass_both_ways_at_full_speed_without_loss(
    emulate: Emulate, board: str, segment: Segment
) -> None:
    device = emulate(board)
    CodecBoard(device).bound(0)  # level none: 4 KB there, 4 KB back
    packets = [CodecBoard(device).encode(segment).packet for _ in range(5)]
    assert [packet[8] for packet in packets] == [0, 1, 2, 3, 4]
    assert all(packet[13:-4] == segment.astype("<i2").tobytes() for packet in packets)
    assert device.traffic.damaged_frames == 0
