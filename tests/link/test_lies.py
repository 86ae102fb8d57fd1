"""A board that lies behind a right CRC: each field is named with what it is and should be."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dynadeep.host_tools.codec import wire
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.errors import BoardCrashedError, LinkError, WrongFirmwareError
from dynadeep.host_tools.link import answers, protocol
from dynadeep.host_tools.link.answers import Model
from dynadeep.host_tools.link.attempts import crashed
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.link.frames import Reply
from dynadeep.host_tools.link.protocol import Command, MalformedError, StackUse, TraceEntry

Segment = npt.NDArray[np.int16]

HELLO_LIES = [
    ({"input_bytes": 0}, "bytes of an input is 0, expected 2 to 65534"),
    ({"input_bytes": 4001}, "an input of 4001 bytes, 4000 a request, expected values of 2 bytes"),
    ({"sample_rate_hz": 0}, "sample rate is 0"),
    ({"inputs": 0}, "number of inputs is 0"),
    ({"outputs": 0}, "number of outputs is 0"),
    ({"levels": 0}, "number of levels is 0, expected 1 to 15"),
    ({"levels": 200}, "number of levels is 200"),
    ({"tensors": 0}, "number of tensors is 0"),
    ({"constants": 70_000}, "number of constants is 70000, expected 0 to 65535"),
    ({"counter_hz": 0}, "counter rate is 0, expected 1000 to"),
    ({"chunk_bytes": 4002}, "input bytes of a request is 4002, expected 2 to 4000"),
    ({"request_bytes_max": 100}, "input bytes of a request is 4000, expected 2 to 92"),
    ({"request_bytes_max": 0}, "expected 2 to 0"),
    ({"reply_bytes_max": 0}, "largest reply is 0"),
    ({"chunk_bytes": 200, "engine": "layers"}, "needs all 4000 of a segment at once"),
    ({"board": ""}, "the board is '', expected a name"),
    ({"board": "a\nb"}, r"the board is 'a\\nb'"),
    ({"kit_version": "\ufffd"}, "the kit version is"),
]


@pytest.mark.parametrize(("change", "complaint"), HELLO_LIES)
def test_an_introduction_that_cannot_be_true_is_refused(
    native: Device, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], complaint: str
) -> None:
    lie = replace(native.about, **change)
    monkeypatch.setattr(protocol, "parse_hello", lambda payload: lie)
    with pytest.raises(WrongFirmwareError, match=f"HELLO.*{complaint}.*Build and flash"):
        native.hello()


@pytest.mark.parametrize(
    "change",
    [{"input_bytes": 2000}, {"sample_rate_hz": 300}, {"levels": 3}, {"tensors": 9}],
)
def test_a_board_that_describes_another_model_under_the_right_name_is_refused(
    native: Device, change: dict[str, int]
) -> None:
    about = native.about
    model = Model(**{field.name: getattr(about, field.name) for field in fields(Model)})
    native.check_model(model)
    native._about = replace(about, **change)
    with pytest.raises(WrongFirmwareError, match="the model's is"):
        native.check_model(model)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"level": 3}, "ENCODE: the level is 3, expected 0 to 2"),
        ({"level": 255}, "ENCODE: the level is 255"),
        ({"predicted": (1, 2, 3)}, "number of predicted errors is 3, expected 2"),
        ({"packet": b""}, "no packet"),
        ({"clipped": 2001}, "number of clipped samples is 2001, expected 0 to 2000"),
        ({"ticks": 10, "worst_ticks": 11}, "the longest call took 11 ticks, all together 10"),
    ],
)
def test_an_outcome_that_cannot_be_true_is_refused(
    native: Device, segment: Segment, change: dict[str, Any], complaint: str
) -> None:
    reply = CodecBoard(native).encode(segment)
    wire.check_encoded(reply, native.about)
    with pytest.raises(MalformedError, match=complaint):
        wire.check_encoded(replace(reply, **change), native.about)


def test_level_none_of_a_board_that_has_none_is_refused(native: Device, segment: Segment) -> None:
    reply = replace(CodecBoard(native).encode(segment), level=0)
    with pytest.raises(MalformedError, match="the level is 0, expected 1 to 2"):
        wire.check_encoded(reply, replace(native.about, lossless=False))


@pytest.mark.parametrize("numbers", [(0, 1, 200), (1, 1), (2, 1)])
def test_a_trace_of_tensors_that_there_are_not_is_refused(
    native: Device, numbers: tuple[int, ...]
) -> None:
    with pytest.raises(MalformedError, match="TRACE: the tensor is"):
        answers.check_trace([TraceEntry(number, 0, 0) for number in numbers], native.about)


def test_more_stack_used_than_there_is_is_refused() -> None:
    with pytest.raises(MalformedError, match="high-water mark is 101, expected 0 to 100"):
        answers.check_memory(StackUse(size_bytes=100, peak_bytes=101))


@pytest.fixture
def lie(native: Device, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., bytes]], None]:
    """Have every answer's payload go through a function first."""

    def apply(change: Callable[[bytes], bytes]) -> None:
        ask = native.exchange.ask_for_parts

        def altered(*arguments: Any, **named: Any) -> tuple[Reply, list[bytes | None]]:
            reply, _ = ask(*arguments, **named)
            payload = change(reply.payload)
            return replace(reply, payload=payload), [payload]

        monkeypatch.setattr(native.exchange, "ask_for_parts", altered)

    return apply


@pytest.mark.parametrize(
    ("call", "payload", "complaint"),
    [
        (lambda device: device.constants(), bytes(400), "number of arrays is 100"),
        (lambda device: device.memory(), bytes(4) + b"\1" * 4, "high-water mark"),
        (
            lambda device: CodecBoard(device).bound(5),
            bytes(4),
            "the bound in force is 0, expected 5",
        ),
        (lambda device: CodecBoard(device).bound(), b"\xff" * 4, "the bound is -1"),
        (
            lambda device: CodecBoard(device).reset(),
            b"x",
            "RESET: bytes in a reply that has none is 1",
        ),
    ],
)
def test_an_answer_that_cannot_be_true_ends_in_one_line(
    native: Device,
    lie: Callable[..., None],
    call: Callable[[Device], object],
    payload: bytes,
    complaint: str,
) -> None:
    lie(lambda _: payload)
    with pytest.raises(LinkError, match=f"{complaint}.*though its CRC is right"):
        call(native)


@pytest.mark.parametrize("payload", [b"", b"x" * 5000])
def test_a_tensor_of_another_size_than_asked_for_ends_at_once(
    native: Device, segment: Segment, lie: Callable[..., None], payload: bytes
) -> None:
    lie(lambda _: payload)
    with pytest.raises(LinkError, match=r"TENSOR gave \d+ values, 2000 were asked for"):
        native.tensor(segment, 1, 2000, unfused=True)


def test_a_crash_report_that_makes_no_sense_is_still_told_as_a_crash(native: Device) -> None:
    error = crashed(native.link, Reply(0xFFFF, Command.FAULT, 0, b"?"))
    assert isinstance(error, BoardCrashedError)
    assert "its report makes no sense" in str(error)


def test_a_network_without_constants_is_not_asked_for_them(
    native: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "_about", replace(native.about, constants=0))
    before = native.traffic.requests
    assert native.constants() == ()
    assert native.traffic.requests == before
