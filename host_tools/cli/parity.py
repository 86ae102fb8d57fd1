"""dynadeep parity."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dynadeep.host_tools.cli.options import (
    DEFAULT_BUNDLE,
    BaselineOption,
    BaudOption,
    BoardOption,
    BundleOption,
    ChannelOption,
    CompareOption,
    DeadlineOption,
    EcgOption,
    EngineOption,
    GainOption,
    HtmlOption,
    JsonOption,
    JunitOption,
    KernelsOption,
    MarkdownOption,
    PortOption,
    RateOption,
    ResampleOption,
    SourcesOption,
    ToleranceOption,
    UnitOption,
)

if TYPE_CHECKING:
    from dynadeep.codegen.bundle import Bundle
    from dynadeep.host_tools.measure.references import Case
    from dynadeep.host_tools.recordings.convert import Stated


def parity(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    board: BoardOption = None,
    port: PortOption = None,
    baud: BaudOption = None,
    sources: SourcesOption = None,
    engine: EngineOption = None,
    kernels: KernelsOption = None,
    deadline: DeadlineOption = None,
    ecg: EcgOption = None,
    gain: GainOption = None,
    baseline: BaselineOption = None,
    unit: UnitOption = None,
    rate: RateOption = None,
    channel: ChannelOption = None,
    resample: ResampleOption = False,
    json: JsonOption = None,
    html: HtmlOption = None,
    junit: JunitOption = None,
    markdown: MarkdownOption = None,
    compare: CompareOption = None,
    tolerance: ToleranceOption = None,
) -> None:
    """Compare every tensor, packet and constant of a board with the reference, bit by bit.

    Without --ecg the segments are the bundle's golden vectors; with it, TFLite computes the
    reference for your own recordings.
    """
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.planner import Wanted
    from dynadeep.host_tools.applications import application_of
    from dynadeep.host_tools.cli.output import (
        console_beside,
        forms_of,
        print_lines,
        write_forms,
    )
    from dynadeep.host_tools.cli.progress import counted
    from dynadeep.host_tools.cli.station import open_station, place_of, stated_of
    from dynadeep.host_tools.measure import summary
    from dynadeep.host_tools.measure.parity import check, require_exact
    from dynadeep.host_tools.measure.references import interpreter_note
    from dynadeep.host_tools.measure.report import report_of
    from dynadeep.host_tools.page.compare import require_kept
    from dynadeep.host_tools.page.make import document_of

    forms = forms_of(
        json=json,
        html=html,
        junit=junit,
        markdown=markdown,
        compare=compare,
        tolerance=tolerance,
    )
    choices = {"--engine": engine, "--kernels": kernels, "--deadline": deadline}
    place = place_of(board, port, baud, sources, choices)
    stated = stated_of(
        ecg,
        gain=gain,
        baseline=baseline,
        unit=unit,
        rate_hz=rate,
        channel=channel,
        resample=resample,
    )
    model = read_bundle(bundle)
    cases, segments = _cases(model, ecg, stated)
    wanted = Wanted(engine, kernels, deadline)
    with (
        open_station(model, place, wanted) as station,
        counted("parity", segments) as advance,
    ):
        application = application_of(station)
        station.device.exchange.on_wait = advance.say
        result = check(station.device, station.plan, cases, application, lambda done: advance())
        report = report_of(station, "parity", parity=result)
    summary.print_parity(console_beside(json), result)
    print_lines(json, *station.device.traffic.remarks())
    if model.manifest.codec is None:
        print_lines(json, *filter(None, [interpreter_note(station.plan)]))
    comparisons = write_forms(json, forms, [document_of(report)])
    require_exact(result)
    require_kept(comparisons)


def _cases(
    bundle: "Bundle", ecg: list[Path] | None, stated: "Stated"
) -> "tuple[Iterable[Case], int]":
    """Return the segments to compare, and how many they are."""
    from dynadeep.host_tools.cli.stages import heavy
    from dynadeep.host_tools.cli.station import read_recordings
    from dynadeep.host_tools.measure.references import golden_cases, reference_cases

    if not ecg:
        golden = golden_cases(bundle)
        return golden, len(golden)
    with heavy("export"):
        records = read_recordings(bundle.manifest, ecg, stated)
        return reference_cases(bundle, records), sum(len(one.segments) for one in records)
