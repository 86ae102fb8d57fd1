"""dynadeep hello."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dynadeep.host_tools.cli.groups import taking
from dynadeep.host_tools.cli.options import (
    DEFAULT_BUNDLE,
    JsonOption,
)
from dynadeep.host_tools.cli.station import place_of

if TYPE_CHECKING:
    from dynadeep.host_tools.link.device import Device
    from dynadeep.host_tools.place import Place


@taking(place=place_of)
def hello(
    *,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            help="Refuse a board that runs another model. Where neither --port nor --sources is "
            f"given, the bundle to make firmware from: else {DEFAULT_BUNDLE}.",
        ),
    ] = None,
    place: "Place",
    json: JsonOption = None,
) -> None:
    """Greet a board, or the emulator, and print what it says of itself."""
    from dynadeep.host_tools.cli.output import print_lines, write_json

    with _greeted_device(bundle, place) as device:
        about = vars(device.about) | {"counter_unit": device.counter.unit}
    for name, value in about.items():
        print_lines(json, f"{name:<18} {value}")
    write_json(json, about)


@contextmanager
def _greeted_device(bundle: Path | None, place: "Place") -> "Iterator[Device]":
    """Yield a board that was greeted; its model is held against the bundle only if one is named."""
    from dynadeep.codegen.board import load_board
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.host_tools.boards import AUTO
    from dynadeep.host_tools.cli.station import build_firmware
    from dynadeep.host_tools.place import open_device

    if bundle is None and (place.port, place.sources) == (None, None) and place.board != AUTO:
        bundle = DEFAULT_BUNDLE
    model = None if bundle is None else read_bundle(bundle)
    model_id = None if model is None else model.manifest.model_id
    named = place.named(model_id)
    with open_device(named, build_firmware(model, named)) as device:
        device.hello(model_id, None if named.board is None else load_board(named.board).name)
        yield device
