"""dynadeep stream."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dynadeep.host_tools.cli.groups import taking
from dynadeep.host_tools.cli.options import (
    DEFAULT_BUNDLE,
    STDOUT,
    BundleOption,
    JsonOption,
    check_each_finite,
    check_writable,
)
from dynadeep.host_tools.cli.refusals import refuse_same, refuse_with
from dynadeep.host_tools.cli.station import Recordings, place_of, recordings_of

if TYPE_CHECKING:
    from dynadeep.host_tools.place import Place

SEGMENTS = 2
"""Streamed of each recording of the shipped excerpt, unless the user says otherwise."""


@taking(place=place_of, recordings=recordings_of)
def stream(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    place: "Place",
    recordings: Recordings,
    bound: Annotated[
        list[float] | None,
        typer.Option(
            "--bound",
            min=0.0,
            callback=check_each_finite,
            help="Largest error allowed; may be repeated. Else the default.",
        ),
    ] = None,
    segments: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Of each recording of the shipped excerpt; else {SEGMENTS}. Not with --ecg.",
        ),
    ] = None,
    packets: Annotated[
        Path | None,
        typer.Option(
            "--packets", callback=check_writable, help="Keep the packets of the last bound here."
        ),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Send recordings through a board, decode its packets, print distortion and both gains.

    Without --ecg they are those of the shipped excerpt of MIT-BIH that the network never saw.
    """
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.numerics import fixed_error
    from dynadeep.codegen.progress import counted
    from dynadeep.host_tools.cli.output import console_beside, print_lines, write_json
    from dynadeep.host_tools.cli.station import open_station, records_of
    from dynadeep.host_tools.codec.decode import Decoder
    from dynadeep.host_tools.codec.keep import keep_streams, report_of
    from dynadeep.host_tools.codec.report import print_stream
    from dynadeep.host_tools.codec.stream import stream_at_bounds
    from dynadeep.host_tools.study.truth import make_judge

    refuse_same({"--packets": packets, "--json": json})
    if recordings:
        refuse_with("--ecg", {"--segments": segments}, "your recordings are streamed whole")
    model = read_bundle(bundle)
    bounds = bound or [model.manifest.default_bound]
    for value in bounds:
        fixed_error(value)  # refused before anything is built
    records = records_of(model.manifest, recordings, segments or SEGMENTS)
    decoder = Decoder(model)
    total = len(bounds) * sum(len(record.segments) for record in records)
    report_file = None if json == STDOUT else json
    with keep_streams(packets, report_file, records, len(bounds), model.manifest) as streams:
        try:
            with open_station(model, place) as station, counted("stream", total) as advance:
                station.device.on_segment = advance
                judge = make_judge(model.manifest)
                stream_at_bounds(
                    station.device, decoder, records, bounds, judge=judge, streams=streams
                )
        finally:
            if streams:
                results = [streamed.result for streamed in streams]
                print_stream(console_beside(json), results, model.manifest, len(records))
                done = sum(result.segments for result in results)
                if done < total:
                    print_lines(json, f"stopped after {done} of {total} segments")
                if json == STDOUT:
                    write_json(json, report_of(streams, sys.exception()))
