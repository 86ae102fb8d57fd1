"""Lost, doubled, flipped and late bytes, on the native board: detected, retried, nothing twice."""

from collections.abc import Callable
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.errors import (
    BoardCrashedError,
    HostError,
    LinkError,
    RefusedError,
    WrongFirmwareError,
)
from dynadeep.host_tools.link.device import Device, Patience
from dynadeep.host_tools.link.fault import Faults, FaultyPort, Kind
from dynadeep.host_tools.link.frames import Request
from dynadeep.host_tools.link.native import NativeLink
from dynadeep.host_tools.link.protocol import FLAG_FIRST, Command, Status
from dynadeep.host_tools.toolchain import Firmware

Segment = npt.NDArray[np.int16]
Spoil = Callable[..., None]
NEAR_END = 4005  # of an ENCODE request on the wire
RUN_REPLY_BYTES = 60


def sequence_of(packet: bytes) -> int:
    return int.from_bytes(packet[8:10], "little")


def three_sequences(device: Device, segment: Segment) -> list[int]:
    return [sequence_of(CodecBoard(device).encode(segment).packet) for _ in range(3)]


def hurried(device: Device) -> Device:
    """The same board, greeted again by a host that soon gives up."""
    hasty = Patience(tries=3, noisy_tries=3, slack_s=0.05, quiet_s=0.02, inference_s=0.05)
    again = Device(device.link, hasty)
    again.hello()
    return again


def test_an_undisturbed_link_needs_no_retry(native: Device, segment: Segment) -> None:
    native = Device(native.link, Patience(slack_s=10))
    assert three_sequences(native, segment) == [0, 1, 2]
    assert native.traffic.retries == 0


@pytest.mark.parametrize("position", [1, 2, 3, 5, 7, 300, 2000, NEAR_END])
@pytest.mark.parametrize("kind", ["drop", "double", "flip"])
def test_a_bad_byte_to_the_board_is_detected_and_retried(
    native: Device, segment: Segment, spoil: Spoil, kind: Kind, position: int
) -> None:
    faults = Faults(at={position: kind})
    spoil(native.link, to_board=faults)
    assert three_sequences(native, segment) == [0, 1, 2]
    assert faults.injected == 1
    assert native.traffic.retries >= 1


@pytest.mark.parametrize("position", [1, 2, 5, 20, RUN_REPLY_BYTES])
@pytest.mark.parametrize("kind", ["drop", "double", "flip"])
def test_a_bad_byte_to_the_host_is_retried_and_the_board_does_not_act_twice(
    native: Device, segment: Segment, spoil: Spoil, kind: Kind, position: int
) -> None:
    faults = Faults(at={position: kind})
    spoil(native.link, to_host=faults)
    assert three_sequences(native, segment) == [0, 1, 2]
    assert faults.injected == 1
    assert native.traffic.retries >= 1


@pytest.mark.parametrize("ending", ["to_board", "to_host"])
def test_a_lost_end_of_frame_is_made_good_by_the_next_try(
    native: Device, segment: Segment, spoil: Spoil, ending: str
) -> None:
    reply_bytes = 1 + 22 + len(CodecBoard(native).encode(segment).packet) + 8 + 1
    next_number = (native.exchange._sequence + 1) & 0xFFFF
    request = Request(next_number, Command.ENCODE, FLAG_FIRST, payload=segment.tobytes()).to_wire()
    position = len(request) - 1 if ending == "to_board" else reply_bytes
    spoil(native.link, **{ending: Faults(at={position: "drop"})})
    assert three_sequences(native, segment) == [1, 2, 3]
    assert native.traffic.retries >= 1


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(4))
def test_many_bad_bytes_both_ways_lose_nothing(
    native: Device, segment: Segment, spoil: Spoil, seed: int
) -> None:
    to_board = Faults(rate=1e-4, seed=seed)
    to_host = Faults(rate=3e-3, seed=seed)
    spoil(native.link, to_board, to_host)
    replies = [CodecBoard(native).encode(segment) for _ in range(12)]
    assert [sequence_of(reply.packet) for reply in replies] == list(range(12))
    assert len({reply.packet[13:-4] for reply in replies}) == 1
    assert to_board.injected + to_host.injected > 0


@pytest.mark.parametrize("rate", [1e-3, 5e-3])
def test_noise_among_the_replies_loses_nothing_and_has_nothing_done_twice(
    native: Device, segment: Segment, spoil: Spoil, rate: float
) -> None:
    noise = Faults(rate=rate, kinds=("noise",), seed=5)
    spoil(native.link, Faults(rate=rate / 100, kinds=("noise",), seed=6), noise)
    replies = [CodecBoard(native).encode(segment) for _ in range(12)]
    assert [sequence_of(reply.packet) for reply in replies] == list(range(12))
    assert noise.injected > 0


def test_a_delayed_reply_is_not_mistaken_for_the_next_one(
    native: Device, segment: Segment, spoil: Spoil
) -> None:
    spoil(native.link, to_host=Faults(at={30: "delay"}))
    assert three_sequences(native, segment) == [0, 1, 2]


@pytest.mark.parametrize("noise", [b"U-Boot 2026\r\n", b"\0\0\0", b"\x05abc\0", bytes(range(256))])
def test_noise_between_frames_does_no_harm(native: Device, segment: Segment, noise: bytes) -> None:
    native.link.port.write(noise)
    assert three_sequences(native, segment) == [0, 1, 2]
    native.link.port.write(noise)
    assert three_sequences(native, segment) == [3, 4, 5]


def test_a_stale_reply_is_dropped(native: Device, segment: Segment) -> None:
    # Asking twice behind the device's back leaves two answers that nobody waits for.
    wire = Request((native.exchange._sequence + 100) & 0xFFFF, Command.MEMORY).to_wire()
    native.link.port.write(wire + wire)
    assert three_sequences(native, segment) == [0, 1, 2]
    assert native.traffic.strange_frames == 2


def test_a_board_that_never_answers_is_a_clear_error_in_time(
    native: Device, segment: Segment, spoil: Spoil
) -> None:
    device = hurried(native)
    spoil(device.link, to_host=Faults(rate=1.0, kinds=("drop",)))
    with pytest.raises(
        LinkError, match=r"no answer to ENCODE in 3 tries, \d\.\d s in all\. It answered before"
    ):
        CodecBoard(device).encode(segment)


def test_a_board_that_only_sends_rubbish_is_told_apart_from_a_silent_one(
    native: Device, segment: Segment, spoil: Spoil
) -> None:
    device = hurried(native)
    spoil(device.link, to_host=Faults(rate=0.5, kinds=("flip",)))
    with pytest.raises(LinkError, match=r"damaged frames came\. Check baud rate"):
        CodecBoard(device).encode(segment)


def test_a_board_that_takes_no_bytes_does_not_block_the_host(
    native: Device, toy: ModuleType, segment: Segment
) -> None:
    stuck = segment.copy()
    stuck[0] = toy.HANG
    device = hurried(native)
    with pytest.raises(LinkError, match="no answer to ENCODE"):
        CodecBoard(device).encode(stuck)


def test_stale_firmware_is_refused_by_name(native_link: NativeLink, toy: ModuleType) -> None:
    with pytest.raises(
        WrongFirmwareError, match=f"model {toy.MODEL_ID}, expected 0123456789abcdef.*flash it again"
    ):
        Device(native_link).hello(model_id="0123456789abcdef")


def test_the_right_model_is_not_refused(native_link: NativeLink, toy: ModuleType) -> None:
    assert Device(native_link).hello(toy.MODEL_ID, "native").model_id == toy.MODEL_ID


def test_another_boards_firmware_is_refused_by_name(native_link: NativeLink) -> None:
    with pytest.raises(WrongFirmwareError, match="board native, expected netduinoplus2"):
        Device(native_link).hello(board="netduinoplus2")


def test_a_crash_is_reported_with_its_place(
    native: Device, toy: ModuleType, segment: Segment
) -> None:
    bad = segment.copy()
    bad[0] = toy.CRASH_BY_ASSERTION
    with pytest.raises(BoardCrashedError, match="assertion") as caught:
        native.trace(bad, unfused=False)
    assert caught.value.fault is not None


def test_a_process_that_died_is_said_to_have_died(
    native: Device, toy: ModuleType, segment: Segment
) -> None:
    assert isinstance(native.link, NativeLink)
    native.link.child.kill()
    native.link.child.wait()
    with pytest.raises(LinkError, match="the process ended with status -9: without a word"):
        CodecBoard(native).encode(segment)


def test_a_command_that_the_board_refuses_is_told_with_its_status(
    native: Device, segment: Segment
) -> None:
    with pytest.raises(RefusedError, match="TENSOR was refused with BAD_ARGUMENT") as caught:
        native.tensor(segment, 1, 10, unfused=False)
    assert caught.value.status == Status.BAD_ARGUMENT


@pytest.mark.parametrize("wrong", [np.zeros(1999, np.int16), np.zeros(2000, np.float32)])
def test_a_segment_of_the_wrong_kind_never_reaches_the_board(native: Device, wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(HostError, match=r"expected int16 of shape \(2000,\), found"):
        CodecBoard(native).encode(wrong)


def test_tensors_come_in_pieces_and_whole(native: Device, segment: Segment) -> None:
    about = native.about
    native._about = type(about)(**{**about.__dict__, "reply_bytes_max": 700})
    expected = (segment.astype(np.int8) + np.int8(1)).astype(np.int8)
    assert np.array_equal(native.tensor(segment, 1, 2000, unfused=True), expected)
    assert np.array_equal(native.tensor(segment, 2, 2000, unfused=False), ~expected)


def test_the_bound_can_be_changed_at_run_time(native: Device, segment: Segment) -> None:
    unit = 1 << 24
    levels = []
    for bound in (9 * unit, 5 * unit, 3 * unit):
        assert CodecBoard(native).bound(bound) == bound
        levels.append(CodecBoard(native).encode(segment).level)
    assert (levels, CodecBoard(native).bound()) == ([2, 1, 0], 3 * unit)


def test_level_none_carries_the_raw_samples(native: Device, segment: Segment) -> None:
    CodecBoard(native).bound(0)
    assert CodecBoard(native).encode(segment).packet[13:-4] == segment.astype("<i2").tobytes()


def test_a_new_stream_starts_its_sequence_at_zero(native: Device, segment: Segment) -> None:
    CodecBoard(native).encode(segment)
    CodecBoard(native).reset(5)
    packet = CodecBoard(native).encode(segment).packet
    assert (packet[6], sequence_of(packet)) == (5, 0)


def test_a_restart_behind_the_hosts_back_is_noticed(
    toy_firmware: Callable[[str], Firmware], native: Device, segment: Segment
) -> None:
    with NativeLink(toy_firmware("native").elf) as fresh:
        native.exchange.link = fresh
        with pytest.raises(BoardCrashedError, match="restarted by itself"):
            CodecBoard(native).encode(segment)


def test_the_faults_repeat_with_their_seed() -> None:
    data = bytes(range(256)) * 8
    first, second = (Faults(rate=0.05, seed=3).apply(data) for _ in range(2))
    assert first == second != data


def test_a_wrapped_port_without_faults_changes_nothing(native: Device) -> None:
    native.link.port = FaultyPort(native.link.port)
    assert native.hello().board == "native"
