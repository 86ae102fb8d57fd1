"""dynadeep demo."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import (
    BUILD,
    STDOUT,
    BoundOption,
    CompareOption,
    JsonOption,
    JunitOption,
    MarkdownOption,
    TargetOption,
    ToleranceOption,
)
from dynadeep.host_tools.cli.refusals import refuse_same


def demo(
    *,
    board: TargetOption = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of all that is made.")] = BUILD
    / "demo",
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="NAME.safetensors; else the shipped one.")
    ] = None,
    bound: BoundOption = None,
    segments: Annotated[
        int, typer.Option(min=1, help="Streamed of each recording, at each bound.")
    ] = 5,
    junit: JunitOption = None,
    markdown: MarkdownOption = None,
    compare: CompareOption = None,
    tolerance: ToleranceOption = None,
    json: JsonOption = None,
) -> None:
    """Take the shipped checkpoint to checked, measured firmware and decoded ECG; print a summary.

    Ends with status 0 only if every bit was equal and every budget was kept.
    """
    from dynadeep.host_tools.boards import AUTO, find_attached
    from dynadeep.host_tools.cli.report_forms import report_forms
    from dynadeep.host_tools.cli.stages import heavy
    from dynadeep.host_tools.codec.report import print_report
    from dynadeep.host_tools.measure import summary
    from dynadeep.host_tools.page.compare import require_kept
    from dynadeep.host_tools.page.forms import REPORT_HTML, REPORT_JSON
    from dynadeep.host_tools.place import DEFAULT_BOARD
    from dynadeep.host_tools.study.demo import DemoConfig, Watch, require_held, run_demo

    report, html = out / REPORT_JSON, out / REPORT_HTML
    forms = report_forms(
        json=report,
        html=html,
        junit=junit,
        markdown=markdown,
        compare=compare,
        tolerance=tolerance,
    )
    refuse_same({"the report": report, "--json": json, "--junit": junit, "--markdown": markdown})
    forms = replace(forms, copy=json)
    target = find_attached().board if board == AUTO else board or DEFAULT_BOARD
    console = summary.make_console(stderr=json == STDOUT)
    with heavy("export"), forms.growing() as growing:
        watch = Watch(
            lambda line: summary.print_lines(console, [line]),
            growing.begin,
            growing.put,
            summary.columns_of(console),
        )
        done = run_demo(DemoConfig(out, target, checkpoint, bound, segments), watch)
    print_report(console, done.report)
    comparisons = forms.write([done.document])
    summary.print_lines(console, [f"All of it: {html}, {report}"])
    require_held(done.report)
    require_kept(comparisons)
