"""dynadeep parity."""

from dataclasses import replace
from typing import TYPE_CHECKING

from dynadeep.host_tools.cli.groups import taking
from dynadeep.host_tools.cli.options import (
    DEFAULT_BUNDLE,
    BundleOption,
    DeadlineOption,
    EngineOption,
    KernelsOption,
    ResumeOption,
)
from dynadeep.host_tools.cli.report_forms import ReportForms, report_forms
from dynadeep.host_tools.cli.station import Recordings, place_of, recordings_of

if TYPE_CHECKING:
    from dynadeep.codegen.bundle import Bundle
    from dynadeep.host_tools.measure.references import Cases
    from dynadeep.host_tools.place import Place


@taking(place=place_of, recordings=recordings_of, forms=report_forms)
def parity(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    place: "Place",
    engine: EngineOption = None,
    kernels: KernelsOption = None,
    deadline: DeadlineOption = None,
    recordings: Recordings,
    resume: ResumeOption = False,
    forms: ReportForms,
) -> None:
    """Compare every tensor, packet and constant of a board with the reference, bit by bit.

    Without --ecg the segments are the bundle's golden vectors; with it, TFLite computes the
    reference for your own recordings.
    """
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.planner import PlanSettings
    from dynadeep.codegen.progress import counted
    from dynadeep.host_tools.applications import application_of
    from dynadeep.host_tools.cli.output import console_beside, print_lines
    from dynadeep.host_tools.cli.station import open_station, refuse_choices
    from dynadeep.host_tools.measure import summary
    from dynadeep.host_tools.measure.parity import ParityResult, check, require_exact
    from dynadeep.host_tools.measure.references import interpreter_note
    from dynadeep.host_tools.measure.report import report_of, run_of
    from dynadeep.host_tools.page.compare import require_kept
    from dynadeep.host_tools.page.make import document_of
    from dynadeep.host_tools.page.resume import parity_before, read_stopped

    choices = {"--engine": engine, "--kernels": kernels, "--deadline": deadline}
    refuse_choices(place, choices)
    old = read_stopped(forms.file_to_resume) if resume else None
    model = read_bundle(bundle)
    cases = _cases(model, recordings)
    with (
        open_station(model, place, PlanSettings(engine, kernels, deadline)) as station,
        forms.growing() as growing,
    ):
        report = report_of(station, "parity", run=run_of(station.elf, cases))
        before = (
            None if old is None else parity_before(old, document_of(report), forms.file_to_resume)
        )
        growing.begin(replace(report, parity=before))
        if resume:
            compared = 0 if before is None else before.segments
            print_lines(forms.json, f"{compared} of {cases.count} were compared before")
        with counted("parity", cases.count, before.segments if before else 0) as advance:
            station.device.exchange.on_wait = advance.say

            def on_case(so_far: ParityResult) -> None:
                growing.put(replace(report, parity=so_far))
                advance()

            application = application_of(station)
            result = check(
                station.device,
                station.plan,
                cases.after(0 if before is None else before.segments),
                application,
                on_case,
                before=before,
            )
    summary.print_parity(console_beside(forms.json), result)
    print_lines(forms.json, *station.device.traffic.remarks())
    if model.manifest.codec is None:
        print_lines(forms.json, *filter(None, [interpreter_note(station.plan)]))
    comparisons = forms.write([document_of(replace(report, parity=result))])
    require_exact(result)
    require_kept(comparisons)


def _cases(bundle: "Bundle", recordings: Recordings) -> "Cases":
    """Return what to compare."""
    from dynadeep.host_tools.cli.stages import heavy
    from dynadeep.host_tools.cli.station import read_recordings
    from dynadeep.host_tools.measure.references import golden_set, recorded_set

    if not recordings:
        return golden_set(bundle)
    with heavy("export"):
        return recorded_set(bundle, read_recordings(bundle.manifest, recordings))
