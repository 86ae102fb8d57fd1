"""dynadeep stream."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import (
    DEFAULT_BOARD,
    DEFAULT_BUNDLE,
    BoardOption,
    BundleOption,
    EcgOption,
    JsonOption,
    PortOption,
    SourcesOption,
)


def stream(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    board: BoardOption = DEFAULT_BOARD,
    port: PortOption = None,
    sources: SourcesOption = None,
    ecg: EcgOption = None,
    bound: Annotated[
        list[float] | None,
        typer.Option("--bound", help="Largest error allowed; may be repeated. Else the default."),
    ] = None,
    segments: Annotated[
        int, typer.Option(min=1, help="Of each recording of the shipped excerpt.")
    ] = 2,
    packets: Annotated[
        Path | None, typer.Option("--packets", help="Keep the packets of the last bound here.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Send recordings through a board, decode its packets, print distortion and both gains."""
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.files import write_whole
    from dynadeep.codegen.numerics import fixed_error
    from dynadeep.host_tools import report, summary
    from dynadeep.host_tools.cli.station import open_station, read_records
    from dynadeep.host_tools.codec.decode import Decoder
    from dynadeep.host_tools.codec.stream import stream_at_bounds

    model = read_bundle(bundle)
    wanted = bound or [model.manifest.default_bound]
    for value in wanted:
        fixed_error(value)  # refused before anything is built
    records = read_records(model.manifest, ecg, segments)
    decoder = Decoder(model)
    with open_station(model, board, port, sources) as station:
        streams = stream_at_bounds(station.device, decoder, records, wanted)
    results = [one.result for one in streams]
    summary.print_stream(summary.make_console(), results, model.manifest, len(records))
    if packets is not None:
        write_whole(packets, b"".join(sent.packet for sent in streams[-1].sent))
    if json is not None:
        report.write_report(json, {"bounds": [report.stream_json(one) for one in results]})
