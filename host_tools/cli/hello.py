"""dynadeep hello."""

import typer

from dynadeep.host_tools.cli.options import (
    DEFAULT_BOARD,
    DEFAULT_BUNDLE,
    BoardOption,
    BundleOption,
    PortOption,
    SourcesOption,
)


def hello(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    board: BoardOption = DEFAULT_BOARD,
    port: PortOption = None,
    sources: SourcesOption = None,
) -> None:
    """Greet a board, or the emulator, and print what it says of itself."""
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.host_tools.cli.station import open_station

    with open_station(read_bundle(bundle), board, port, sources) as station:
        for name, value in vars(station.device.about).items():
            typer.echo(f"{name:<18} {value}")
