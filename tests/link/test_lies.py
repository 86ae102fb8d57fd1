"""A board that lies behind a right CRC: each field is named with what it is and should be."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dynadeep.host_tools.errors import BoardCrashedError, LinkError, WrongFirmwareError
from dynadeep.host_tools.link import answers, protocol
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.link.exchange import Exchange
from dynadeep.host_tools.link.frames import Reply
from dynadeep.host_tools.link.protocol import Command, MalformedError, StackUse, TraceEntry

Segment = npt.NDArray[np.int16]

HELLO_LIES = [
    ({"segment_length": 0}, "segment length is 0, expected 1 to 32767"),
    ({"sample_rate_hz": 0}, "sample rate is 0"),
    ({"levels": 0}, "number of levels is 0, expected 1 to 15"),
    ({"levels": 200}, "number of levels is 200"),
    ({"tensors": 0}, "number of tensors is 0"),
    ({"constants": 0}, "number of constants is 0"),
    ({"counter_hz": 0}, "counter rate is 0, expected 1000 to"),
    ({"chunk_samples": 2001}, "samples of a request is 2001, expected 1 to 2000"),
    ({"request_bytes_max": 100}, "samples of a request is 2000, expected 1 to 46"),
    ({"request_bytes_max": 0}, "expected 1 to 0"),
    ({"reply_bytes_max": 0}, "largest reply is 0"),
    ({"chunk_samples": 100, "engine": "layers"}, "needs all 2000 of a segment at once"),
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
    [{"segment_length": 1000}, {"sample_rate_hz": 300}, {"levels": 3}, {"tensors": 9}],
)
def test_a_board_that_describes_another_model_under_the_right_name_is_refused(
    native: Device, change: dict[str, int]
) -> None:
    about = native.about
    manifest = SimpleNamespace(
        segment_length=about.segment_length,
        sample_rate_hz=about.sample_rate_hz,
        levels=range(about.levels),
    )
    native.check_model(manifest, about.tensors, about.constants)  # type: ignore[arg-type]
    native._about = replace(about, **change)
    with pytest.raises(WrongFirmwareError, match="the model's is"):
        native.check_model(manifest, about.tensors, about.constants)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"level": 3}, "RUN: the level is 3, expected 0 to 2"),
        ({"level": 255}, "RUN: the level is 255"),
        ({"predicted": (1, 2, 3)}, "number of predicted errors is 3, expected 2"),
        ({"packet": b""}, "no packet"),
        ({"clipped": 2001}, "number of clipped samples is 2001, expected 0 to 2000"),
        ({"ticks": 10, "worst_ticks": 11}, "the longest call took 11 ticks, all together 10"),
    ],
)
def test_an_outcome_that_cannot_be_true_is_refused(
    native: Device, segment: Segment, change: dict[str, Any], complaint: str
) -> None:
    reply = native.run(segment)
    answers.check_run(reply, native.about)
    with pytest.raises(MalformedError, match=complaint):
        answers.check_run(replace(reply, **change), native.about)


def test_level_none_of_a_board_that_has_none_is_refused(native: Device, segment: Segment) -> None:
    reply = replace(native.run(segment), level=0)
    with pytest.raises(MalformedError, match="the level is 0, expected 1 to 2"):
        answers.check_run(reply, replace(native.about, lossless=False))


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
        ask = native.exchange.ask

        def altered(*arguments: Any, **named: Any) -> Reply:
            reply = ask(*arguments, **named)
            return replace(reply, payload=change(reply.payload))

        monkeypatch.setattr(native.exchange, "ask", altered)

    return apply


@pytest.mark.parametrize(
    ("call", "payload", "complaint"),
    [
        (lambda device: device.constants(), bytes(400), "number of arrays is 100"),
        (lambda device: device.memory(), bytes(4) + b"\1" * 4, "high-water mark"),
        (lambda device: device.bound(5), bytes(4), "the bound in force is 0, expected 5"),
        (lambda device: device.bound(), b"\xff" * 4, "the bound is -1"),
        (lambda device: device.reset(), b"x", "RESET: bytes in a reply that has none is 1"),
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
    error = Exchange(native.link)._crashed(Reply(0xFFFF, Command.FAULT, 0, b"?"))
    assert isinstance(error, BoardCrashedError)
    assert "its report makes no sense" in str(error)
