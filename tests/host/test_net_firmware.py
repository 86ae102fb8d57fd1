"""Firmware of a network without a codec: what it answers, and that its bits are right."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle, read_bundle
from dynadeep.codegen.generate import generate
from dynadeep.host_tools import pipeline, toolchain
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.errors import LinkError, RefusedError, WrongFirmwareError
from dynadeep.host_tools.link.protocol import TENSOR_REQUEST, Command, Status
from dynadeep.host_tools.measure import parity, profile
from dynadeep.host_tools.measure.application import Application
from dynadeep.host_tools.measure.network import NetApplication, NetBoard
from dynadeep.host_tools.measure.references import golden_cases, interpreter_note
from dynadeep.host_tools.pipeline import Station
from tests.net_bundles import NET_BUNDLES

NAMES = ("branches", "two_inputs")


@pytest.fixture(scope="module", params=NAMES)
def station(request, tmp_path_factory) -> Iterator[Station]:
    """Each network, built with sanitizers for this computer, under a name of its own."""
    bundle = read_bundle(NET_BUNDLES / request.param)
    folder = tmp_path_factory.mktemp(request.param) / "firmware"
    generate(bundle, load_board("native"), folder, name="motion")
    elf = toolchain.build(folder, sanitize=True).elf
    with pipeline.connect(bundle, "native", elf=elf) as opened:
        yield opened


@pytest.fixture
def bundle(station: Station) -> Bundle:
    return station.bundle


@pytest.fixture
def board(station: Station) -> NetBoard:
    return NetBoard(station.device, station.bundle.manifest)


def test_every_tensor_output_and_constant_is_the_references(station, bundle):
    cases = golden_cases(bundle)
    application: Application = application_of(station)
    result = parity.check(station.device, station.plan, cases, application)
    parity.require_exact(result)
    outputs = len(bundle.manifest.outputs)
    assert (result.noun, result.results) == ("outputs", outputs * len(cases))
    assert (result.segments, result.tensors) == (len(cases), len(station.plan.tensors))


def test_an_output_that_differs_is_named_by_its_first_value(station, bundle, board, monkeypatch):
    case, last = golden_cases(bundle)[-1], bundle.manifest.outputs[-1]
    output = board.output

    def wrong(number: int):
        values = output(number).copy()
        if number == len(bundle.manifest.outputs) - 1:
            values[1, 1] ^= 1
        return values

    monkeypatch.setattr(board, "output", wrong)
    (difference,) = NetApplication(board).compare(case, 0).differences
    assert (difference.kind, difference.name, difference.time, difference.channel) == (
        "output",
        last.name,
        1,
        1,
    )
    assert difference.segment == case.name


def test_it_says_what_it_is(station, bundle):
    about = station.device.about
    values = sum(spec.time * spec.channels for spec in bundle.manifest.inputs)
    assert (about.application, about.input_bytes, about.input_dtype) == ("network", values, np.int8)
    assert (about.inputs, about.outputs) == tuple(
        map(len, (bundle.manifest.inputs, bundle.manifest.outputs))
    )
    assert (about.sample_rate_hz, about.levels, about.lossless) == (100, 0, False)


def test_its_input_may_come_in_any_pieces(station, bundle, board):
    case, about = golden_cases(bundle)[-1], station.device.about
    for chunk in (1, 5, about.chunk_bytes):
        station.device._about = replace(about, chunk_bytes=chunk)
        board.run(case.input)
        for number, spec in enumerate(bundle.manifest.outputs):
            assert np.array_equal(board.output(number), case.tensor(spec.name)), chunk
    station.device._about = about


def test_outputs_longer_than_a_reply_come_in_pieces(station, bundle, board):
    case, about = golden_cases(bundle)[-1], station.device.about
    board.run(case.input)
    station.device._about = replace(about, reply_bytes_max=7)
    assert np.array_equal(board.output(0), case.tensor(bundle.manifest.outputs[0].name))
    station.device._about = about


def test_a_step_at_a_time_gives_the_same_and_the_longest_call(station, bundle, board):
    case = golden_cases(bundle)[-1]
    ticks = board.run(case.input, single=True)
    assert 0 < ticks.worst_ticks < ticks.ticks
    assert np.array_equal(board.output(0), case.tensor(bundle.manifest.outputs[0].name))


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ((9, 1, 0), Status.BAD_ARGUMENT),
        ((0, 1, 10_000), Status.BAD_LENGTH),
        ((0, 2, 0xFFFFFFFF), Status.BAD_LENGTH),
        ((0, 0xFFFF, 0), Status.BAD_LENGTH),
    ],
)
def test_a_piece_of_an_output_that_there_is_not_is_refused(bundle, board, wish, status):
    board.run(golden_cases(bundle)[0].input)
    with pytest.raises(RefusedError) as refused:
        board.device.ask(Command.OUTPUT, TENSOR_REQUEST.pack(*wish))
    assert refused.value.status == status


def test_there_is_no_output_before_a_run_is_complete(station, bundle, board):
    case = golden_cases(bundle)[0]
    station.device.tensor(case.input, 0, 1, unfused=False)  # stops in the midst of an inference
    with pytest.raises(RefusedError) as refused:
        board.output(0)
    assert refused.value.status == Status.BAD_ARGUMENT


@pytest.mark.parametrize("command", [Command.BOUND, Command.RESET, Command.ENCODE])
def test_the_codecs_commands_are_not_known(station, command):
    with pytest.raises(RefusedError) as refused:
        station.device.ask(command, bytes(4))
    assert refused.value.status == Status.UNKNOWN_COMMAND


def test_a_codec_is_not_found_on_it(station):
    with pytest.raises(WrongFirmwareError, match="runs a network alone, expected one with the"):
        CodecBoard(station.device)


@pytest.mark.parametrize("payload", [b"", bytes(11), (1).to_bytes(8, "little") + b"\2\0\0\0"])
def test_a_result_that_cannot_be_true_is_refused(station, bundle, board, monkeypatch, payload):
    monkeypatch.setattr(station.device, "run_in_pieces", lambda *arguments: payload)
    with pytest.raises(LinkError, match="RUN"):
        board.run(golden_cases(bundle)[0].input)


def test_a_codecs_firmware_is_not_taken_for_a_network(bundle, shipped_plan):
    class Codec:
        about = type("About", (), {"application": "codec"})
        link = type("Link", (), {"name": "here"})

    with pytest.raises(WrongFirmwareError, match="is a codec's"):
        NetBoard(Codec(), bundle.manifest)  # type: ignore[arg-type]


@pytest.mark.emulator
def test_the_commands_work_on_an_emulated_board(tmp_path: Path, capsys):
    folder, out = NET_BUNDLES / "branches", tmp_path / "result.json"
    board = ("--board", "microbit")
    sources = str(tmp_path / "firmware")
    assert run(["generate", "--bundle", str(folder), *board, "--out", sources]) == 0
    page = tmp_path / "report.html"
    common = ["--bundle", str(folder), "--sources", sources, "--json", str(out)]
    assert run(["parity", *common, "--html", str(page)]) == 0, capsys.readouterr().err
    assert "OpResolverType.BUILTIN_REF" in capsys.readouterr().out
    parity = json.loads(out.read_text())["parity"]
    assert (parity["results"], parity["noun"]) == (
        2 * len(golden_cases(read_bundle(folder))),
        "outputs",
    )
    assert "bit-exact" in page.read_text(encoding="utf-8")
    assert run(["profile", *common, "--html", str(page)]) == 0, capsys.readouterr().err
    assert "Memory map" in page.read_text(encoding="utf-8")
    report = json.loads(out.read_text())
    assert report["latency"]["segments"] == 3
    assert [layer["layer"] for layer in report["latency"]["layers"]] == [
        *("input", "left", "right", "both", "half")
    ]
    assert report["memory"]["flash_by_layer"]["half"] > 0


@pytest.mark.emulator
def test_the_longest_call_is_less_than_a_whole_inference():
    folder = NET_BUNDLES / "branches"
    bundle = read_bundle(folder)
    elf = pipeline.make_firmware(bundle, "mps2-an386").elf
    with pipeline.connect(bundle, "mps2-an386", elf=elf) as opened:
        application = application_of(opened)
        latency, memory = profile.measure(opened, application, 1)
        worst = profile.worst_call(opened, application)
    assert memory is not None
    assert memory.stack_peak_bytes <= opened.plan.stack_bytes
    assert worst is not None
    assert 0 < worst < latency.per_segment / 4


def test_a_stream_needs_a_codec_and_says_so(capsys):
    assert run(["stream", "--bundle", str(NET_BUNDLES / "branches"), "--board", "native"]) != 0
    assert "is a network without a codec" in capsys.readouterr().err


def test_who_compares_with_a_plain_interpreter_is_told_of_its_kernels(station):
    note = interpreter_note(station.plan)
    assert "experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF" in note
    named = note.split("(")[1].split(")")[0]
    assert named in {"left, right, half", "heard"}


def test_where_nothing_is_added_up_there_is_nothing_to_tell(station):
    network = replace(station.plan.network, layers=())
    assert interpreter_note(replace(station.plan, network=network)) == ""
