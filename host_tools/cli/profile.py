"""dynadeep profile."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from dynadeep.host_tools.cli.groups import taking
from dynadeep.host_tools.cli.options import (
    DEFAULT_BUNDLE,
    BundleOption,
)
from dynadeep.host_tools.cli.report_forms import ReportForms, report_forms
from dynadeep.host_tools.cli.station import place_of

if TYPE_CHECKING:
    from dynadeep.host_tools.place import Place


@taking(place=place_of, forms=report_forms)
def profile(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    place: "Place",
    segments: Annotated[int, typer.Option(min=1, help="How many to run.")] = 3,
    forms: ReportForms,
) -> None:
    """Measure latency, in total and by layer, and memory: flash, static RAM, stack.

    In an emulator the counter counts instructions; on a board, cycles. Beside them stands an
    estimate of the core's cycles, docs/cycles.md. With --port, flash, static RAM and the estimate
    are there only if --sources is given too.
    """
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.progress import counted, step
    from dynadeep.host_tools.applications import application_of
    from dynadeep.host_tools.cli.output import console_beside
    from dynadeep.host_tools.cli.station import open_station
    from dynadeep.host_tools.measure import summary
    from dynadeep.host_tools.measure.profile import TRACES, measure, with_cycles
    from dynadeep.host_tools.measure.references import golden_cases
    from dynadeep.host_tools.measure.report import report_of
    from dynadeep.host_tools.page.compare import require_kept
    from dynadeep.host_tools.page.make import document_of
    from dynadeep.host_tools.page.summary import predicted_table

    model = read_bundle(bundle)
    most = len(golden_cases(model))
    if segments > most:
        raise typer.BadParameter(f"--segments {segments}: the bundle has {most} golden segments.")
    with open_station(model, place) as station, forms.growing() as growing:
        report = report_of(station, "profile")
        growing.begin(report)
        application = application_of(station)
        with counted("profile", application.ways * segments + TRACES) as advance:
            station.device.on_segment = advance
            latency, memory = measure(station, application, segments)
        growing.put(replace(report, latency=latency, memory=memory))
        with step("counting what is executed"):
            latency = with_cycles(latency, station, application_of)
        report = replace(report, latency=latency, memory=memory)
    console = console_beside(forms.json)
    summary.print_latency(console, latency)
    summary.print_cycles(console, latency)
    if memory is not None:
        summary.print_memory(console, memory)
    summary.print_table(console, summary.layers_table(latency, memory))
    if latency.cycles is not None:
        summary.print_table(console, summary.functions_table(latency.cycles))
    document = document_of(report)
    if document.predicted is not None:
        console.print(predicted_table(document, document.predicted))
    require_kept(forms.write([document]))
