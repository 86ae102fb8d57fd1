"""The monitor, driven by Textual's pilot, with real firmware behind it."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import read_bundle
from dynadeep.codegen.generate import generate
from dynadeep.host_tools import pipeline, toolchain
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.link.fault import Faults, FaultyPort
from dynadeep.host_tools.link.frames import Request
from dynadeep.host_tools.link.native import NativeLink
from dynadeep.host_tools.link.protocol import Command
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.monitor.app import Monitor, Pace
from dynadeep.host_tools.monitor.beat import Beat
from dynadeep.host_tools.monitor.codec_feed import CodecFeed
from dynadeep.host_tools.monitor.net_feed import NetFeed
from dynadeep.host_tools.pipeline import Station
from dynadeep.host_tools.recordings.record import Record, cut_record
from tests.link.autonomous import autonomous, by_request, samples_of
from tests.link.wired import WiredBoard
from tests.net_bundles import NET_BUNDLES

SIZE = (100, 36)
ENDLESS = Pace()


@pytest.fixture(scope="module")
def records(bundle) -> list[Record]:
    """The golden segments, as two recordings."""
    length = bundle.manifest.segment_length
    cases = golden_cases(bundle)
    signals = [np.concatenate([case.samples for case in cases[at : at + 3]]) for at in (0, 3)]
    return [cut_record(name, signal, length) for name, signal in zip("ab", signals, strict=True)]


@pytest.fixture(params=[pytest.param("mps2-an386", marks=pytest.mark.emulator)])
def station(request, bundle, firmware):
    with pipeline.connect(bundle, request.param, elf=firmware(request.param).elf) as opened:
        yield opened


@pytest.fixture
def native(bundle, firmware):
    with pipeline.connect(bundle, "native", elf=firmware("native").elf) as opened:
        yield opened


def on_a_terminal(monkeypatch) -> None:
    monkeypatch.setattr(sys, "__stderr__", SimpleNamespace(isatty=lambda: True))


def codec_monitor(station: Station, records: list[Record], pace: Pace = ENDLESS) -> Monitor:
    feed = CodecFeed(station.device, Decoder(station.bundle), records, 32.0)
    return Monitor(feed, "under test", pace)


def drive(app: Monitor, steps: Callable[[Pilot[None]], Awaitable[None]]) -> None:
    async def go() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await steps(pilot)

    asyncio.run(go())


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait for something; the test's own time limit ends what never comes."""
    while not holds():
        await pilot.pause(0.02)


def shown(app: Monitor, name: str) -> str:
    return str(app.query_one(f"#{name}", Static).render())


def test_a_codec_shows_trace_levels_gain_link_and_latency(station, records):
    app = codec_monitor(station, records)

    async def steps(pilot):
        await until(pilot, lambda: app.latencies.count >= 7)  # the recordings came round
        await pilot.press("p")
        count = app.latencies.count
        await pilot.pause(0.3)
        assert app.latencies.count <= count + 1  # what was under way
        assert app.sub_title == "paused"
        assert "segment" in app.query_one("#trace", Static).border_title
        assert any(0x2800 < ord(character) < 0x2900 for character in shown(app, "trace"))
        for level in ("none", *(level_spec.name for level_spec in station.bundle.manifest.levels)):
            assert level in shown(app, "bars")
        assert "byte CG" in shown(app, "facts")
        assert "instructions" in shown(app, "latency")
        assert "requests" in shown(app, "link")
        await pilot.press("p", "q")
        await until(pilot, lambda: not app.is_running)

    drive(app, steps)
    assert app.failure is None
    totals = app.feed.totals()
    assert totals["segments"] == app.latencies.count
    assert totals["byte_cg"] == totals["bytes_in"] / totals["bytes_out"]
    assert sum(totals["levels"].values()) == totals["segments"]


@pytest.mark.heavy
def test_the_bound_is_moved_by_keys_and_the_board_follows(native, records):
    app = codec_monitor(native, records)

    async def steps(pilot):
        await until(pilot, lambda: app.latencies.count >= 1)
        before = app.feed.bound
        await pilot.press("minus", "minus")
        await until(pilot, lambda: app.feed.bound < 0.7 * before)
        await pilot.press("plus")
        await until(pilot, lambda: app.feed.bound > 0.75 * before)
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)

    drive(app, steps)
    assert app.failure is None


@pytest.mark.heavy
def test_a_bad_line_is_seen_and_nothing_is_lost(native, records):
    native.device.link.port = FaultyPort(
        native.device.link.port, *(Faults(rate=1e-3, kinds=("flip",), seed=s) for s in (1, 2))
    )
    app = codec_monitor(native, records, Pace(inputs=30))

    async def steps(pilot):
        await until(pilot, lambda: not app.is_running)

    drive(app, steps)
    assert app.failure is None
    assert app.feed.totals()["segments"] == 30
    assert native.device.traffic.retries > 0


@pytest.mark.heavy
def test_a_board_that_goes_ends_the_screen_with_its_error(native, records):
    app = codec_monitor(native, records)

    async def steps(pilot):
        await until(pilot, lambda: app.latencies.count >= 2)
        native.device.link.child.kill()
        await until(pilot, lambda: not app.is_running)

    drive(app, steps)
    assert isinstance(app.failure, LinkError)
    assert app.feed.totals()["segments"] >= 2


@pytest.fixture(scope="module", params=["two_inputs"])
def network(request, tmp_path_factory):
    bundle = read_bundle(NET_BUNDLES / request.param)
    folder = tmp_path_factory.mktemp(request.param) / "firmware"
    generate(bundle, load_board("native"), folder)
    return bundle, toolchain.build(folder).elf


def test_a_network_shows_its_outputs_and_whether_they_are_right(network):
    bundle, elf = network
    cases = len(golden_cases(bundle))
    with pipeline.connect(bundle, "native", elf=elf) as opened:
        app = Monitor(NetFeed(opened.device, bundle), "under test", Pace(inputs=cases + 2))
        texts = []

        async def steps(pilot):
            await until(pilot, lambda: app.latencies.count >= 1)
            await pilot.press("plus")
            await until(pilot, lambda: "equal to it" in shown(app, "facts"))
            texts.append(shown(app, "bars"))
            await until(pilot, lambda: not app.is_running)

        drive(app, steps)
    outputs = len(bundle.manifest.outputs)
    assert app.feed.totals() == {
        "inputs": cases + 2,
        "outputs_compared": (cases + 2) * outputs,
        "differences": [],
    }
    assert "[0]" in texts[0]


def test_names_that_look_as_markup_are_shown_as_they_are(network):
    bundle, elf = network
    with pipeline.connect(bundle, "native", elf=elf) as opened:
        feed = NetFeed(opened.device, bundle)
        step = feed.step

        def renamed() -> Beat:
            beat = step()
            curves = tuple(replace(curve, label="raw[copy]") for curve in beat.curves)
            return replace(beat, title="rec[copy].csv [/]", curves=curves)

        feed.step = renamed
        app = Monitor(feed, "under test", Pace(inputs=2))

        async def steps(pilot):
            await until(pilot, lambda: app.latencies.count >= 1)
            trace = app.query_one("#trace", Static)
            await until(pilot, lambda: "waiting" not in trace.border_title)
            assert trace._border_title.plain == "rec[copy].csv [/]"
            assert trace._border_subtitle.plain.startswith("raw[copy]")
            await until(pilot, lambda: not app.is_running)

        drive(app, steps)
    assert app.failure is None


def test_an_output_that_differs_is_told(network, monkeypatch):
    bundle, elf = network
    with pipeline.connect(bundle, "native", elf=elf) as opened:
        feed = NetFeed(opened.device, bundle)
        board = feed._application.board
        output = board.output
        monkeypatch.setattr(board, "output", lambda number: output(number) ^ 1)
        facts = dict(feed.step().facts)
    outputs = len(bundle.manifest.outputs)
    assert facts["outputs equal to it"] == f"0 of {outputs}"
    assert facts["last that differed"].startswith(bundle.manifest.outputs[-1].name)


def test_without_textual_the_extra_is_named(fails, monkeypatch):
    for name in [
        module for module in sys.modules if module.startswith("dynadeep.host_tools.monitor.app")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "textual", None)
    monkeypatch.setitem(sys.modules, "textual.app", None)
    line = fails(3, "monitor")
    assert "pip install 'dynadeep[monitor]'" in line


def test_without_a_terminal_there_is_a_sentence(fails, bundle):
    line = fails(1, "monitor", "--bundle", bundle.folder)
    assert "expected a terminal to draw on" in line


@pytest.mark.parametrize("option", [("--ecg", "x.npy"), ("--bound", "1")])
def test_options_that_a_network_has_no_use_for_are_refused(fails, monkeypatch, network, option):
    bundle, elf = network
    on_a_terminal(monkeypatch)
    sources = ("--sources", elf.parents[1])
    assert option[0] in fails(2, "monitor", "--bundle", bundle.folder, *sources, *option)


def test_the_command_ends_with_what_all_came_to(network, monkeypatch, capsys):
    """Textual draws to nowhere here; all else is what a user runs."""
    bundle, elf = network
    on_a_terminal(monkeypatch)
    whole = Monitor.run
    monkeypatch.setattr(Monitor, "run", lambda app: whole(app, headless=True))
    words = ["--bundle", str(bundle.folder), "--sources", str(elf.parents[1]), "--inputs", "3"]
    assert run(["monitor", *words, "--json", "-"]) == 0
    captured = capsys.readouterr()
    content = json.loads(captured.out)
    assert (content["inputs"], content["stopped"]) == (3, None)
    assert content["link"]["requests"] > 3
    assert "differences" in captured.err


def sampled(samples: np.ndarray, chunk_bytes: int) -> Iterator[bytes]:
    """Yield the requests that give samples to a device whose source is the link."""
    content = samples.astype("<i2").tobytes()
    for number, at in enumerate(range(0, len(content), chunk_bytes)):
        part = content[at : at + chunk_bytes]
        yield Request(number % 256, Command.SAMPLES, payload=part).to_wire()


@pytest.fixture
def alone(bundle) -> Iterator[WiredBoard]:
    """A device that sends by itself, on a port; its samples come from elsewhere."""
    with (
        NativeLink(autonomous(bundle, "native").elf) as link,
        WiredBoard(link) as wired,
    ):
        yield wired


@pytest.mark.heavy
def test_a_device_that_sends_by_itself_is_shown_as_its_packets_come(
    alone, bundle, monkeypatch, capsys, firmware
):
    on_a_terminal(monkeypatch)
    samples, length = samples_of(bundle, 3), bundle.manifest.segment_length
    titles = []

    async def steps(pilot):
        app = pilot.app
        await until(pilot, lambda: "packets" in shown(app, "link"))
        assert app.query_one("#latency", Static).border_title == "Between two packets"
        for wire in sampled(samples[: 2 * length], 64):
            alone.link.send(wire)
        await until(pilot, lambda: app.latencies.count == 2)
        await pilot.press("plus")  # there is no bound: a notice, and nothing else
        await until(pilot, lambda: "byte CG" in shown(app, "facts"))
        titles.append(app.query_one("#trace", Static).border_title)
        assert any(0x2800 < ord(character) < 0x2900 for character in shown(app, "trace"))
        await pilot.press("p")  # what it sends meanwhile is heard all the same
        for wire in sampled(samples[2 * length :], 64):
            alone.link.send(wire)
        await until(pilot, lambda: not app.is_running)

    monkeypatch.setattr(Monitor, "run", lambda app: drive(app, steps))
    words = ["--bundle", str(bundle.folder), "--port", alone.port, "--inputs", "3"]
    assert run(["monitor", *words, "--json", "-"]) == 0
    content = json.loads(capsys.readouterr().out)
    packets = by_request(firmware, samples, length)
    assert "packet 1: sent as" in titles[0]
    assert (content["segments"], content["refused"], content["stopped"]) == (3, 0, None)
    assert content["bytes_out"] == sum(map(len, packets))
    assert (content["link"]["packets"], content["link"]["lost"]) == (3, 0)


@pytest.mark.parametrize("option", [("--ecg", "x.npy"), ("--bound", "1"), ("--real-time",)])
def test_options_that_a_device_of_its_own_samples_has_no_use_for_are_refused(
    fails, monkeypatch, alone, bundle, option
):
    on_a_terminal(monkeypatch)
    line = fails(2, "monitor", "--bundle", bundle.folder, "--port", alone.port, *option)
    assert option[0] in line
    assert "sends by itself" in line
