"""dynadeep bench."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import (
    BUILD,
    CompareOption,
    HtmlOption,
    JsonOption,
    JunitOption,
    MarkdownOption,
    ToleranceOption,
)


def bench(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of results.json and .md.")] = Path(
        "benchmarks"
    ),
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Without it the shipped checkpoint is exported.")
    ] = None,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help="Write figures that are worse by 2 %, or over another network's.",
        ),
    ] = False,
    json: JsonOption = None,
    html: HtmlOption = None,
    junit: JunitOption = None,
    markdown: MarkdownOption = None,
    compare: CompareOption = None,
    tolerance: ToleranceOption = None,
) -> None:
    """Measure the emulated boards and rewrite the figures beside the peers'.

    Figures that are worse than the last ones by more than 2 % are refused, and nothing is written.
    """
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.host_tools.applications import application_of
    from dynadeep.host_tools.cli.output import forms_of, print_lines, write_forms
    from dynadeep.host_tools.cli.stages import heavy
    from dynadeep.host_tools.errors import HostError
    from dynadeep.host_tools.measure.bench import (
        RESULTS_JSON,
        losses,
        of_another_network,
        run_bench,
        setups,
        write_results,
    )
    from dynadeep.host_tools.page.compare import require_kept
    from dynadeep.host_tools.page.make import document_of
    from dynadeep.host_tools.study.export import export_checkpoint

    forms = forms_of(
        json=json,
        html=html,
        junit=junit,
        markdown=markdown,
        compare=compare,
        tolerance=tolerance,
    )
    folder = bundle
    if folder is None:
        folder = BUILD / "bench" / "bundle"
        with heavy("export"):
            export_checkpoint(None, folder)
    model = read_bundle(folder)
    other = of_another_network(model.manifest.model_id, out / RESULTS_JSON)
    if other and not accept:
        raise HostError(
            f"{out / RESULTS_JSON}: holds the figures of network {other}, this one is "
            f"{model.manifest.model_id}. Name another folder with --out, or give --accept to "
            "replace them."
        )
    results = run_bench(
        model, list(setups(model)), application_of, lambda line: print_lines(json, line)
    )
    comparisons = write_forms(json, forms, [document_of(one.report) for one in results])
    worse = losses(results, out / RESULTS_JSON)
    if worse and not accept:
        raise HostError("; ".join(worse) + ". Find the cause, or give --accept to take them.")
    write_results(out, model, results)
    print_lines(json, f"written: {out}/results.json and results.md")
    require_kept(comparisons)
