"""A link that loses nothing: every exchange ends right, and none is done twice."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from dynadeep.codegen.board import load_board
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.errors import BoardRestartedError
from dynadeep.host_tools.link.device import Device, Patience
from dynadeep.host_tools.link.fault import Faults, FaultyPort, Kind
from dynadeep.host_tools.link.frames import Request
from dynadeep.host_tools.link.native import NativeLink
from dynadeep.host_tools.link.protocol import FLAG_FIRST, Command
from dynadeep.host_tools.link.qemu import QemuLink
from dynadeep.host_tools.link.serial import SerialLink
from dynadeep.host_tools.link.sizes import GOOD_RUN, LEAST_BYTES, FrameSize
from dynadeep.host_tools.toolchain import Firmware

from .wired import WiredBoard

Segment = npt.NDArray[np.int16]
FirmwareOf = Callable[[str], Firmware]
KINDS: tuple[Kind, ...] = ("drop", "double", "flip", "delay")
# An answer is there in a few milliseconds; a host that is busy with other work gets it later.
SWIFT = Patience(tries=40, noisy_tries=200, slack_s=0.04, quiet_s=0.005, inference_s=0.02)
ONE = 1 << 24


def exchanges(device: Device, count: int) -> None:
    """Make ``count`` exchanges of all kinds, each of them held against what it must be.

    The bound changes a state, and the packets count what was encoded: what is done twice shows.
    """
    codec, chance = CodecBoard(device), np.random.default_rng(7)
    codec.reset(3)
    finished = encoded = 0
    while finished < count:
        segment = chance.integers(-1000, 1000, 2000).astype(np.int16)
        level = finished // 5 % 3
        assert codec.bound((3, 5, 9)[level] * ONE) == (3, 5, 9)[level] * ONE
        packet = codec.encode(segment).packet
        assert (packet[6], int.from_bytes(packet[8:10], "little")) == (3, encoded % 65536)
        codes = ~(segment.astype(np.int8) + np.int8(1)).astype(np.int8)
        sent = (
            segment.astype("<i2").tobytes()
            if level == 0
            else codes.tobytes()[: (62, 31)[level - 1]]
        )
        assert packet[13:-4] == sent
        assert np.array_equal(device.tensor(segment, 2, 2000, unfused=False), codes)
        assert [entry.tensor for entry in device.trace(segment, unfused=False)] == [0, 2, 3]
        assert len(device.constants()) == 2
        encoded += 1
        finished += 5


@pytest.fixture
def swift(native_link: NativeLink) -> Device:
    device = Device(native_link, SWIFT)
    device.hello()
    return device


def disturb(device: Device, rate: float, kinds: tuple[Kind, ...], seed: int = 1) -> list[Faults]:
    faults = [Faults(rate=rate, kinds=kinds, seed=seed + offset) for offset in range(2)]
    device.link.port = FaultyPort(device.link.port, *faults)
    return faults


@pytest.mark.parametrize("kind", KINDS)
def test_exchanges_end_right_with_one_bad_byte_in_a_thousand(swift: Device, kind: Kind) -> None:
    wires = disturb(swift, 1e-3, (kind,))
    exchanges(swift, 20)
    assert all(wire.injected > 5 for wire in wires)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_exchanges_end_right_and_none_is_done_twice(swift: Device, kind: Kind) -> None:
    wires = disturb(swift, 1e-3, (kind,))
    exchanges(swift, 10_000)
    assert all(wire.injected > 1000 for wire in wires)


def test_a_good_line_carries_whole_requests(native_link: NativeLink, segment: Segment) -> None:
    device = Device(native_link, Patience(slack_s=10))
    device.hello()
    before = device.traffic.requests
    CodecBoard(device).encode(segment)
    assert not device.exchange.size.disturbed
    assert (device.traffic.requests - before, device.traffic.retries) == (1, 0)


def test_a_line_that_is_good_again_carries_whole_requests_again(
    swift: Device, segment: Segment
) -> None:
    swift.link.port = FaultyPort(swift.link.port, Faults(at={2000: "drop"}))
    CodecBoard(swift).encode(segment)
    assert swift.exchange.size.disturbed
    for _ in range(60):
        swift.memory()
    assert not swift.exchange.size.disturbed


def test_frames_shrink_to_what_comes_through_and_no_further() -> None:
    size = FrameSize()
    for _ in range(10):
        size.failed()
    assert size.limit == LEAST_BYTES
    for _ in range(GOOD_RUN):
        size.passed()
    assert size.limit == 2 * LEAST_BYTES


def test_a_request_in_frames_is_what_it_is_whole(native: Device, segment: Segment) -> None:
    whole = CodecBoard(native).encode(segment)
    native.exchange.size.limit = 100
    assert CodecBoard(native).encode(segment).packet[13:-4] == whole.packet[13:-4]
    assert native.traffic.retries == 0


def test_a_host_that_gives_up_in_the_middle_of_a_request_leaves_nothing_of_it(
    native: Device, segment: Segment
) -> None:
    begun = Request(7, Command.ENCODE, FLAG_FIRST | 0x80, segment.tobytes()[:600])
    native.link.port.write(begun.to_wire())
    assert CodecBoard(native).encode(segment).packet[8] == 0
    again = Device(native.link, native.exchange.patience)
    native.link.port.write(begun.to_wire())
    again.hello()
    assert CodecBoard(again).encode(segment).packet[8] == 1


@pytest.fixture
def wired(toy_firmware: FirmwareOf) -> Iterator[WiredBoard]:
    emulator = load_board("mps2-an386").emulator
    assert emulator is not None
    with TemporaryDirectory() as folder:
        monitor = Path(folder) / "qmp"
        arguments = [*emulator.arguments, "-qmp", f"unix:{monitor},server=on,wait=off"]
        elf = toy_firmware("mps2-an386").elf
        with QemuLink(elf, emulator.machine, arguments) as link, WiredBoard(link, monitor) as board:
            yield board


@pytest.mark.emulator
def test_a_reset_in_the_middle_is_resumed_where_it_was(wired: WiredBoard, segment: Segment) -> None:
    with SerialLink(wired.port) as link:
        device = Device(link, Patience(slack_s=0.5, inference_s=1.0))
        device.restarts_allowed = 1
        device.hello()
        codec = CodecBoard(device)
        codec.bound(3 * ONE)
        codec.reset(5)
        packets = []
        for number in range(6):
            if number in (2, 4):
                wired.press_reset()
            packets.append(codec.encode(segment).packet)
            assert len(device.trace(segment, unfused=True)) == 4
    assert [(packet[6], packet[8]) for packet in packets] == [(5, number) for number in range(6)]
    assert len({packet[13:-4] for packet in packets}) == 1  # of the same level each time
    assert device.traffic.restarts == 2


@pytest.mark.emulator
def test_a_board_that_restarts_each_time_is_a_failure(
    wired: WiredBoard, toy: ModuleType, segment: Segment
) -> None:
    bad = segment.copy()
    bad[0] = toy.STARVE_WATCHDOG
    with SerialLink(wired.port) as link:
        device = Device(link, Patience(slack_s=0.5, inference_s=0.5))
        device.restarts_allowed = 1
        device.hello()
        with pytest.raises(BoardRestartedError, match="restarted by itself"):
            CodecBoard(device).encode(bad)
        assert CodecBoard(device).encode(segment).packet


def test_a_wait_says_what_for(native: Device, segment: Segment) -> None:
    texts: list[str] = []
    native.exchange.on_wait = lambda waiting: texts.append(str(waiting))
    native.link.port = FaultyPort(native.link.port, Faults(at={2000: "drop"}))
    CodecBoard(native).encode(segment)
    assert texts[0] == "waiting for ENCODE, due at once"
    assert texts[1] == "waiting for ENCODE, due at once, try 2"
