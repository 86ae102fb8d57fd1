"""dynadeep generate."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import (
    BUILD,
    DEFAULT_BOARD,
    DEFAULT_BUNDLE,
    BoardOption,
    BundleOption,
    DeadlineOption,
    EngineOption,
    KernelsOption,
)


def generate(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of the C project.")] = BUILD
    / "sources",
    bundle: BundleOption = DEFAULT_BUNDLE,
    board: BoardOption = DEFAULT_BOARD,
    model_only: Annotated[
        bool,
        typer.Option("--model-only", help="Only model and runtime, for a project of your own."),
    ] = False,
    engine: EngineOption = None,
    kernels: KernelsOption = None,
    deadline: DeadlineOption = None,
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Print what the firmware needs; write nothing.")
    ] = False,
) -> None:
    """Generate the C project of a bundle for a board, and print what it will need."""
    from dynadeep.codegen.board import load_board
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.describe import describe_plan
    from dynadeep.codegen.generate import generate as emit
    from dynadeep.codegen.planner import Wanted, explain, plan_for

    model = read_bundle(bundle)
    target = None if model_only else load_board(board)
    wanted = Wanted(engine, kernels, deadline)
    plan = plan_for(model, target, wanted)
    typer.echo(describe_plan(plan, target))
    if target is not None:
        typer.echo("\n".join(explain(plan, target)))
    if not plan_only:
        emit(model, target, out, wanted)
        what = "model and runtime" if target is None else f"project for {board}"
        typer.echo(f"\n{out}: C {what}, model {model.manifest.model_id}")
