"""dynadeep demo."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import BUILD, BoundOption, TargetOption


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
) -> None:
    """Take the shipped checkpoint to checked, measured firmware and decoded ECG; print a summary.

    Ends with status 0 only if every bit was equal and every budget was kept.
    """
    from dynadeep.host_tools.boards import AUTO, find_attached
    from dynadeep.host_tools.cli.progress import counted
    from dynadeep.host_tools.cli.stages import heavy
    from dynadeep.host_tools.codec.report import print_report
    from dynadeep.host_tools.measure import summary
    from dynadeep.host_tools.place import DEFAULT_BOARD
    from dynadeep.host_tools.study.demo import REPORT, DemoConfig, require_held, run_demo

    target = find_attached().board if board == AUTO else board or DEFAULT_BOARD
    console = summary.make_console()
    with heavy("export"):
        report = run_demo(
            DemoConfig(out, target, checkpoint, bound, segments),
            lambda line: summary.print_lines(console, [line]),
            counted,
        )
    print_report(console, report)
    summary.print_lines(console, [f"All of it: {out / REPORT}"])
    require_held(report)
