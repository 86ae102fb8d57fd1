"""Every row of docs/failures.md, provoked by its real cause on a board behind a serial port.

The board stays where it is all the time: after each failure the next run works, nothing unplugged.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.generate import generate
from dynadeep.codegen.planner import PlanSettings
from dynadeep.host_tools import pipeline, toolchain
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.errors import BoardCrashedError, HostError, PortBusyError
from dynadeep.host_tools.link.crash_site import describe_site
from dynadeep.host_tools.link.device import Device, Patience
from dynadeep.host_tools.link.fault import Faults
from dynadeep.host_tools.link.native import NativeLink
from dynadeep.host_tools.link.qemu import QemuLink
from dynadeep.host_tools.link.serial import SerialLink
from dynadeep.host_tools.measure import parity
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.place import generated_with
from dynadeep.host_tools.toolchain import Firmware
from tests.altering import change_constant
from tests.docs.pages import code, page, table

from .wired import WiredBoard

pytestmark = pytest.mark.emulator

BOARD = "mps2-an386"
NOBODY = 65534
ROWS = table(page("docs/failures.md"), "symptom", "message", "status", "class", "what to do")
QUICK = Patience(slack_s=0.2, quiet_s=0.02, inference_s=5.0)
HASTY = Patience(tries=2, noisy_tries=3, slack_s=0.1, quiet_s=0.02, inference_s=0.2)
Segment = npt.NDArray[np.int16]
FirmwareOf = Callable[..., Firmware]


def wire(elf: Path, folder: Path) -> Iterator[WiredBoard]:
    emulator = load_board(BOARD).emulator
    assert emulator is not None
    monitor = folder / "qmp"
    arguments = [*emulator.arguments, "-qmp", f"unix:{monitor},server=on,wait=off"]
    with QemuLink(elf, emulator.machine, arguments) as link, WiredBoard(link, monitor) as wired:
        yield wired


@pytest.fixture(scope="module")
def toy_board(toy_firmware: FirmwareOf) -> Iterator[WiredBoard]:
    """The toy, which crashes to order."""
    with TemporaryDirectory() as folder:
        yield from wire(toy_firmware(BOARD).elf, Path(folder))


@pytest.fixture(scope="module")
def net_board(bundle: Bundle, firmware: FirmwareOf, net_elf: Path) -> Iterator[WiredBoard]:
    """The small network, one of whose weights is wrong."""
    with TemporaryDirectory() as folder:
        yield from wire(net_elf, Path(folder))


@pytest.fixture(scope="module")
def net_elf(firmware: FirmwareOf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    elf = tmp_path_factory.mktemp("wrong") / "firmware.elf"
    elf.write_bytes(firmware(BOARD).elf.read_bytes())
    change_constant(elf, "conv1_weights", lambda value: value ^ 1)
    return elf


def greet(port: str, patience: Patience = QUICK, **expected: str) -> None:
    with SerialLink(port) as link:
        Device(link, patience).hello(**expected)


def encode(port: str, first: int = 0, patience: Patience = QUICK) -> bytes:
    """Run a segment whose first sample orders the toy to do something."""
    segment = np.arange(2000, dtype=np.int16)
    segment[0] = first
    with SerialLink(port) as link:
        device = Device(link, patience)
        device.hello()
        return CodecBoard(device).encode(segment).packet


class Bench:
    """What provokes each row; every method is one symptom's real cause."""

    def __init__(self, request: pytest.FixtureRequest):
        self._request = request
        self._orders: ModuleType = request.getfixturevalue("toy")

    @property
    def toy(self) -> WiredBoard:
        wired: WiredBoard = self._request.getfixturevalue("toy_board")
        return wired

    @property
    def net(self) -> WiredBoard:
        wired: WiredBoard = self._request.getfixturevalue("net_board")
        return wired

    @property
    def bundle(self) -> Bundle:
        bundle: Bundle = self._request.getfixturevalue("bundle")
        return bundle

    @property
    def folder(self) -> Path:
        folder: Path = self._request.getfixturevalue("tmp_path")
        return folder

    def the_port_is_not_there(self) -> None:
        SerialLink("/dev/ttyNONE")

    def the_port_is_busy(self) -> None:
        with SerialLink(self.toy.port):
            SerialLink(self.toy.port)

    def the_port_may_not_be_opened(self) -> None:
        port = Path(self.toy.port)
        mode = port.stat().st_mode
        port.chmod(0)
        if os.geteuid() == 0:  # whom no mode keeps out
            os.seteuid(NOBODY)
        try:
            SerialLink(self.toy.port)
        finally:
            os.seteuid(os.getuid())
            port.chmod(mode)

    def nothing_answers(self) -> None:
        self.toy.disturb(to_board=Faults(rate=1.0, kinds=("drop",)))
        greet(self.toy.port, Patience(slack_s=0.02))

    def noise_or_something_else_speaks(self) -> None:
        self.toy.disturb(to_host=Faults(rate=0.5, kinds=("flip",)))
        greet(self.toy.port, HASTY)

    def the_line_echoes(self) -> None:
        self.toy.disturb(to_board=Faults(rate=1.0, kinds=("drop",)))
        self.toy.echo = True
        greet(self.toy.port, replace(HASTY, greetings=2))

    def another_board(self) -> None:
        greet(self.toy.port, board="netduinoplus2")

    def stale_firmware(self) -> None:
        greet(self.toy.port, model_id="0123456789abcdef")

    def another_engine_or_kernel_set_than_the_plans(self) -> None:
        project = self.folder / "project"
        generate(self.bundle, load_board(BOARD), project, PlanSettings(engine="layers"))
        settings = generated_with(project)  # its manifest is believed
        with pipeline.connect(self.bundle, port=self.net.port, settings=settings):
            pass

    def another_protocol_version(self) -> None:
        toy = self._orders
        elf = toy.build_toy("native", self.folder / "other", protocol=99).elf
        with NativeLink(elf) as link:
            Device(link, QUICK).hello()

    def flashing_failed(self) -> None:
        nothing = self.folder / "firmware"
        broken = Firmware(nothing, nothing, nothing, self.folder / "build.log")
        toolchain.flash(broken, "sh", ["-c", "echo no device found; exit 1"])

    def a_hard_fault(self) -> None:
        encode(self.toy.port, self._orders.CRASH_BY_TRAP)

    def the_stack_overflowed(self) -> None:
        encode(self.toy.port, self._orders.CRASH_BY_STACK)

    def it_restarted_in_the_middle_twice(self) -> None:
        encode(self.toy.port, self._orders.STARVE_WATCHDOG, replace(QUICK, inference_s=0.5))

    def no_answer_in_time_in_a_long_run(self) -> None:
        try:
            encode(self.toy.port, self._orders.HANG, HASTY)
        finally:
            self.toy.press_reset()

    def a_bit_differs(self) -> None:
        with pipeline.connect(self.bundle, port=self.net.port) as station:
            cases = golden_cases(self.bundle)[:1]
            application = application_of(station)
            result = parity.check(station.device, station.plan, cases, application)
        parity.require_exact(result)


def method_of(symptom: str) -> str:
    return re.sub(r"\W+", "_", symptom.replace("'", "")).strip("_")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: method_of(row["symptom"]))
def test_a_failure_is_told_as_the_page_says_and_the_next_run_works(
    request: pytest.FixtureRequest, row: dict[str, str]
) -> None:
    bench = Bench(request)
    with pytest.raises(HostError) as caught:
        getattr(bench, method_of(row["symptom"]))()
    (message,) = code(row["message"])
    assert message in str(caught.value)
    assert f"`{type(caught.value).__name__}`" == row["class"]
    assert str(caught.value.exit_status) == row["status"]
    bench.toy.echo = False
    bench.toy.disturb()
    assert encode(bench.toy.port)
    if row["symptom"] in ("a bit differs", "another engine or kernel set than the plan's"):
        greet(bench.net.port)


def test_the_command_that_has_a_port_is_named(toy_board: WiredBoard) -> None:
    hold = (
        "import sys; from dynadeep.host_tools.link.serial import SerialLink\n"
        "with SerialLink(sys.argv[1]): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, toy_board.port],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(PortBusyError, match=rf"in use by process {holder.pid} \("):
            SerialLink(toy_board.port)
        holder.stdin.close()
    greet(toy_board.port)


def test_a_crash_is_told_with_its_registers_function_line_and_caller(
    toy_board: WiredBoard, toy: ModuleType, toy_firmware: FirmwareOf
) -> None:
    with pytest.raises(BoardCrashedError) as caught:
        encode(toy_board.port, toy.CRASH_BY_ADDRESS)
    fault = caught.value.fault
    assert fault is not None
    site = describe_site(toy_firmware(BOARD).elf, fault)
    assert re.fullmatch(r"misbehave at model\.c:\d+(, called from \w+ at \w+\.c:\d+)?", site)
