"""dynadeep profile."""

from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import (
    DEFAULT_BUNDLE,
    BaudOption,
    BoardOption,
    BundleOption,
    JsonOption,
    PortOption,
    SourcesOption,
)


def profile(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    board: BoardOption = None,
    port: PortOption = None,
    baud: BaudOption = None,
    sources: SourcesOption = None,
    segments: Annotated[int, typer.Option(min=1, help="How many to run.")] = 3,
    json: JsonOption = None,
) -> None:
    """Measure latency, in total and by layer, and memory: flash, static RAM, stack.

    In an emulator the counter counts instructions; on a board, cycles. With --port, flash and
    static RAM are known only if --sources is given too.
    """
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.host_tools import report, summary
    from dynadeep.host_tools.cli.station import open_station, place_of
    from dynadeep.host_tools.profile import measure

    place = place_of(board, port, baud, sources)
    console = summary.make_console()
    with open_station(read_bundle(bundle), place) as station:
        latency, memory = measure(station, segments)
    summary.print_latency(console, latency)
    content = {"latency": report.latency_json(latency)}
    if memory is not None:
        summary.print_memory(console, memory)
        content["memory"] = report.memory_json(memory)
    console.print(summary.layers_table(latency, memory))
    if json is not None:
        report.write_report(json, content)
