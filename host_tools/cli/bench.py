"""dynadeep bench."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.groups import taking
from dynadeep.host_tools.cli.options import (
    BUILD,
    ResumeOption,
)
from dynadeep.host_tools.cli.report_forms import ReportForms, report_forms


@taking(forms=report_forms)
def bench(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of results.json and .md.")] = Path(
        "benchmarks"
    ),
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Without it the shipped checkpoint is exported.")
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, help="Boards that are measured at a time.")
    ] = 1,
    board: Annotated[
        list[str] | None,
        typer.Option(
            "--board",
            help="An emulated board, by name or folder, one option each. Else all of the kit's.",
        ),
    ] = None,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help="Write figures that are worse by 2 %, of another network, or of fewer boards.",
        ),
    ] = False,
    resume: ResumeOption = False,
    forms: ReportForms,
) -> None:
    """Measure the emulated boards and rewrite the figures beside the peers'.

    Figures that are worse than the last ones by more than 2 % are refused, and nothing is written.
    What was measured lies in --out until all of it is: --resume goes on with it.
    """
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.progress import counted
    from dynadeep.host_tools.applications import application_of
    from dynadeep.host_tools.cli.output import print_lines
    from dynadeep.host_tools.cli.stages import heavy
    from dynadeep.host_tools.errors import HostError
    from dynadeep.host_tools.measure.bench import Watch, choose, run_bench
    from dynadeep.host_tools.measure.bench_results import (
        RESULTS_JSON,
        left_out,
        losses,
        of_another_network,
        write_results,
    )
    from dynadeep.host_tools.measure.unfinished import (
        UNFINISHED_JSON,
        Measured,
        read_unfinished,
        write_unfinished,
    )
    from dynadeep.host_tools.page.compare import require_kept
    from dynadeep.host_tools.page.make import document_of
    from dynadeep.host_tools.study.export import export_checkpoint

    folder = bundle
    if folder is None:
        folder = BUILD / "bench" / "bundle"
        with heavy("export"):
            export_checkpoint(None, folder)
    model = read_bundle(folder)
    other_network = of_another_network(model.manifest.model_id, out / RESULTS_JSON)
    if other_network and not accept:
        raise HostError(
            f"{out / RESULTS_JSON}: holds the figures of network {other_network}, this one is "
            f"{model.manifest.model_id}. Name another folder with --out, or give --accept to "
            "replace them."
        )
    missing = left_out(board, out / RESULTS_JSON) if board and not accept else []
    if missing:
        raise HostError(
            f"{out / RESULTS_JSON}: holds the figures of {', '.join(missing)} too, which --board "
            "leaves out. Name another folder with --out, or give --accept to replace them."
        )
    before = read_unfinished(out, model.manifest.model_id) if resume else ()
    if resume:
        print_lines(forms.json, f"{len(before)} setups were measured before")
    choice = choose(model, board or ())
    for name, why in choice.refused.items():
        print_lines(forms.json, f"{name}: not measured. {why}")
    measured: list[Measured] = []
    with forms.growing() as growing, counted("bench", len(choice.setups)) as advance:

        def done(measurement: Measured) -> None:
            measured.append(measurement)
            write_unfinished(out, model.manifest.model_id, measured)
            advance()

        watch = Watch(partial(print_lines, forms.json), growing.begin, growing.put, done)
        results = run_bench(model, choice.setups, application_of, watch, before=before, jobs=jobs)
    comparisons = forms.write([document_of(result.report) for result in results])
    worse = losses(results, out / RESULTS_JSON)
    if worse and not accept:
        raise HostError("; ".join(worse) + ". Find the cause, or give --accept to take them.")
    write_results(out, model, results, choice.refused)
    (out / UNFINISHED_JSON).unlink(missing_ok=True)
    print_lines(forms.json, f"written: {out}/results.json and results.md")
    require_kept(comparisons)
