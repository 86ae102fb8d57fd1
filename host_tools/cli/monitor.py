"""dynadeep monitor."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from dynadeep.host_tools.cli.groups import taking
from dynadeep.host_tools.cli.options import (
    DEFAULT_BUNDLE,
    BoundOption,
    BundleOption,
    JsonOption,
)
from dynadeep.host_tools.cli.refusals import refuse_with
from dynadeep.host_tools.cli.station import Recordings, place_of, recordings_of

if TYPE_CHECKING:
    from dynadeep.codegen.bundle import Bundle
    from dynadeep.host_tools.link.device import Device
    from dynadeep.host_tools.monitor.beat import Feed
    from dynadeep.host_tools.pipeline import Station
    from dynadeep.host_tools.place import Place
    from dynadeep.host_tools.recordings.record import Record

SEGMENTS = 10
"""Of each recording of the shipped excerpt."""


@taking(place=place_of, recordings=recordings_of)
def monitor(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    place: "Place",
    recordings: Recordings,
    bound: BoundOption = None,
    real_time: Annotated[
        bool,
        typer.Option("--real-time", help="Give inputs at the rate at which their samples come."),
    ] = False,
    inputs: Annotated[
        int | None, typer.Option("--inputs", min=1, help="End after so many; else by the key q.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Watch a board at work: trace, levels, byte CG, link errors, latency.

    A codec gets your recordings, else the shipped excerpt, over and over, and its packets are
    decoded. Any other network gets the bundle's golden inputs, its outputs held to the reference.
    What a board at --port sends by itself is decoded as it comes.
    """
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.numerics import fixed_error
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.cli.stages import heavy
    from dynadeep.host_tools.errors import HostError

    with heavy("monitor"):
        from dynadeep.host_tools.monitor.app import Monitor, Pace
    if not _is_terminal():
        raise HostError(
            "monitor: expected a terminal to draw on, and standard error is none. Run it in one, "
            "or use 'stream' or 'parity'."
        )
    model = read_bundle(bundle)
    if model.manifest.codec is None:
        why = "this network has no codec: it gets its golden inputs"
        refuse_with("the bundle", {"--ecg": recordings.paths or None, "--bound": bound}, why)
    elif bound is not None:
        fixed_error(bound)  # refused before anything is built
    with _open_feed(model, place, recordings, bound, real_time=real_time) as (feed, title):
        app = Monitor(feed, title, Pace(real_time, inputs))
        app.run()
    totals, link, failure = feed.totals(), feed.traffic(), app.failure
    content = {**totals, "link": link, "stopped": None if failure is None else str(failure)}
    write_json(json, content)
    for name, value in {**totals, **link}.items():
        print_lines(json, f"{name:<18} {value}")
    if failure is not None:
        raise failure


def _is_terminal() -> bool:
    """Whether the screen can be drawn: Textual draws on standard error."""
    return sys.__stderr__ is not None and sys.__stderr__.isatty()


@contextmanager
def _open_feed(
    model: "Bundle",
    place: "Place",
    recordings: Recordings,
    bound: float | None,
    *,
    real_time: bool,
) -> "Iterator[tuple[Feed, str]]":
    """Yield what the screen shows, and its title."""
    from dynadeep.host_tools.cli.station import open_station, records_of

    place = place.named(model.manifest.model_id)
    with _autonomous_device(model, place) as device:
        if device is not None:
            options = {
                "--ecg": recordings.paths or None,
                "--bound": bound,
                "--real-time": real_time,
            }
            why = "the firmware there sends by itself, of its own samples"
            refuse_with("--port", options, why)
            yield _listen_feed(device, model)
            return
    codec = model.manifest.codec
    records = [] if codec is None else records_of(model.manifest, recordings, SEGMENTS)
    with open_station(model, place) as station:
        chosen = bound if bound is not None or codec is None else codec.default_bound
        feed = _feed_of(station, model, records, chosen or 0.0)
        if real_time and not feed.input_s:
            why = "this network's bundle states no rate"
            refuse_with("the bundle", {"--real-time": real_time}, why)
        kind = "QEMU" if station.emulated else station.device.link.name
        yield feed, f"model {model.manifest.model_id} on {station.board.name} ({kind})"


@contextmanager
def _autonomous_device(model: "Bundle", place: "Place") -> "Iterator[Device | None]":
    """Yield the greeted board at a port if it sends by itself, else None."""
    from dynadeep.codegen.board import load_board
    from dynadeep.host_tools.place import open_device

    if place.port is None:
        yield None
        return
    with ExitStack() as stack:
        device = stack.enter_context(open_device(place, None))
        board = None if place.board is None else load_board(place.board).name
        if device.hello(model.manifest.model_id, board).application == "autonomous":
            yield device
            return
    yield None


def _listen_feed(device: "Device", model: "Bundle") -> "tuple[Feed, str]":
    from dynadeep.host_tools.codec.decode import Decoder
    from dynadeep.host_tools.monitor.listen_feed import ListenFeed

    about = device.about
    title = f"model {about.model_id} on {about.board} ({device.link.name}), by itself"
    return ListenFeed(device.link, Decoder(model)), title


def _feed_of(station: "Station", model: "Bundle", records: "list[Record]", bound: float) -> "Feed":
    """Return what gives the board its inputs."""
    from dynadeep.host_tools.codec.decode import Decoder
    from dynadeep.host_tools.monitor.codec_feed import CodecFeed
    from dynadeep.host_tools.monitor.net_feed import NetFeed

    if model.manifest.codec is None:
        return NetFeed(station.device, model)
    return CodecFeed(station.device, Decoder(model), records, bound)
