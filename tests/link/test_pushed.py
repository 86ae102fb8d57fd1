"""A device that sends by itself, emulated; and what of its stream survives a bad line."""

import random
import struct
import subprocess
import zlib
from collections.abc import Callable

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle, read_bundle
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.errors import BoardError, ModelError, ProjectError
from dynadeep.codegen.planner import PlanSettings, plan_for
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.errors import OtherBuildError
from dynadeep.host_tools.link.frames import CRC, END, HEADER, cobs_encode
from dynadeep.host_tools.link.protocol import Command
from dynadeep.host_tools.link.pushed import Announced, Crashed, Event, Pushed, PushedStream
from dynadeep.host_tools.place import Place
from dynadeep.host_tools.toolchain import Firmware
from tests.caching import SMALL_BUNDLE
from tests.link.autonomous import AUTONOMOUS, autonomous, by_request, samples_of, started
from tests.net_bundles import NET_BUNDLES


@pytest.mark.emulator
@pytest.mark.parametrize("board", ["native", "mps2-an386", "microbit"])
def test_the_packets_sent_unasked_are_those_that_a_host_would_ask_for(
    board: str, bundle: Bundle, firmware: Callable[..., Firmware]
) -> None:
    samples, length = samples_of(bundle, 3), bundle.manifest.segment_length
    with started(autonomous(bundle, board), board) as (device, unasked):
        assert device.about.application == "autonomous"
        assert device.about.model_id == bundle.manifest.model_id
        device.give_samples(samples[:-1])
        assert len([reply for reply in unasked if reply.command == Command.PACKET]) == 2
        device.give_samples(samples[-1:])
    packets = [reply for reply in unasked if reply.command == Command.PACKET]
    assert [packet.payload for packet in packets] == by_request(firmware, samples, length)
    assert [packet.sequence for packet in packets] == [1, 2, 3]  # behind the announcement's 0


def test_the_layers_engine_sends_by_itself_too(
    bundle: Bundle, firmware: Callable[..., Firmware]
) -> None:
    samples, length = samples_of(bundle, 2), bundle.manifest.segment_length
    layers = autonomous(bundle, "native", PlanSettings("layers", application="autonomous"))
    with started(layers, "native") as (device, unasked):
        device.give_samples(samples)
    packets = [reply.payload for reply in unasked if reply.command == Command.PACKET]
    assert packets == by_request(firmware, samples, length)


def test_a_device_announces_itself_when_it_starts(bundle: Bundle) -> None:
    elf = autonomous(bundle, "native").elf
    process = subprocess.run([elf], input=b"", capture_output=True, check=True)
    events: list[Event] = list(PushedStream().feed(process.stdout))
    (event,) = events
    assert isinstance(event, Announced)
    assert (event.about.board, event.about.model_id) == ("native", bundle.manifest.model_id)


def test_what_asks_a_board_refuses_one_that_only_sends(bundle: Bundle) -> None:
    elf = autonomous(bundle, "native").elf
    with (
        pytest.raises(OtherBuildError, match=r"application autonomous.*dynadeep gateway"),
        pipeline.connect(bundle, "native", elf=elf),
    ):
        pass


def test_a_project_that_only_sends_is_refused_before_it_is_built(bundle, tmp_path) -> None:
    board = load_board("native")
    write_project(project_files(plan_for(bundle, board, AUTONOMOUS), board), tmp_path / "project")
    with pytest.raises(ProjectError, match="application autonomous"):
        Place("native", sources=tmp_path / "project").named()


def test_a_board_without_a_source_says_what_to_add(bundle: Bundle) -> None:
    with pytest.raises(BoardError, match=r"nucleo-l4r5zi: .*names no source.*\[source\]"):
        plan_for(bundle, load_board("nucleo-l4r5zi"), AUTONOMOUS)


def test_a_network_alone_has_no_packets_to_send() -> None:
    network = read_bundle(NET_BUNDLES / "branches")
    with pytest.raises(ModelError, match="packets of a codec"):
        plan_for(network, load_board("native"), AUTONOMOUS)


def test_generate_takes_the_application_and_says_where_samples_come_from(tmp_path, capsys) -> None:
    for option in (["--autonomous"], ["--application", "autonomous"]):
        out = str(tmp_path / option[0])
        command = ["generate", "--bundle", str(SMALL_BUNDLE), "--board", "native", "--out", out]
        assert run([*command, *option]) == 0
        assert "sends by itself what comes from link" in capsys.readouterr().out
        assert (tmp_path / option[0] / "app" / "autonomous.c").is_file()
    assert run(["generate", "--model-only", "--autonomous"]) == 2
    assert "--autonomous" in capsys.readouterr().err


def frame(command: int, sequence: int, payload: bytes) -> bytes:
    body = HEADER.pack(sequence, command, 0) + payload
    return END + cobs_encode(body + CRC.pack(zlib.crc32(body))) + END


def test_a_stream_goes_on_after_noise_and_counts_what_it_lost() -> None:
    rng = random.Random(3)
    wires = [frame(Command.PACKET, number, bytes([number]) * 40) for number in range(200)]
    spoilt = {number: bytearray(wire) for number, wire in enumerate(wires)}
    lost = set(range(7, 200, 19))
    for number in lost:
        spoilt[number][rng.randrange(1, 40)] ^= 0x55
    noise = [bytes(rng.randrange(1, 256) for _ in range(300)) for _ in wires]
    data = b"".join(bytes(spoilt[number]) + noise[number] for number in range(200))
    stream = PushedStream()
    events = [event for at in range(0, len(data), 61) for event in stream.feed(data[at : at + 61])]
    assert events == [Pushed(bytes([n]) * 40) for n in range(200) if n not in lost]
    assert stream.line.lost == len(lost)
    assert stream.line.packets == 200 - len(lost)
    assert stream.line.damaged >= len(lost)


def test_the_numbers_of_frames_wrap_and_a_start_that_was_not_heard_counts_as_no_loss() -> None:
    stream = PushedStream()
    numbers = [65534, 65535, 0, 2, 0]  # a wrap, one lost, a start
    wires = b"".join(frame(Command.PACKET, number, b"x") for number in numbers)
    assert len(list(stream.feed(wires))) == len(numbers)
    assert stream.line.lost == 1


def test_frames_whose_crc_is_right_and_that_make_no_sense_are_counted() -> None:
    stream = PushedStream()
    hostile = [
        frame(Command.ANNOUNCE, 0, b""),
        frame(Command.ANNOUNCE, 0, b"\x05" * 60),
        frame(Command.FAULT, 0xFFFF, b"short"),
        frame(Command.MEMORY, 9, b"12345678"),
    ]
    fault = frame(Command.FAULT, 0xFFFF, struct.pack("<BB10I", 1, 3, *range(10)))
    (event,) = stream.feed(b"".join(hostile) + fault)
    assert isinstance(event, Crashed)
    assert (stream.line.damaged, stream.line.strange, stream.line.faults) == (3, 1, 2)
