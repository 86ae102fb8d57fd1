"""dynadeep generate."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.codegen.applications import Wish
from dynadeep.host_tools.cli.options import (
    BUILD,
    DEFAULT_BUNDLE,
    BundleOption,
    DeadlineOption,
    EngineOption,
    JsonOption,
    KernelsOption,
    TargetOption,
)
from dynadeep.host_tools.cli.refusals import refuse_with

DEFAULT_OUT = BUILD / "sources"


def generate(
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", help=f"Folder of the C project; else {DEFAULT_OUT}."),
    ] = None,
    bundle: BundleOption = DEFAULT_BUNDLE,
    board: TargetOption = None,
    model_only: Annotated[
        bool,
        typer.Option("--model-only", help="Only model and runtime, for a project of your own."),
    ] = False,
    engine: EngineOption = None,
    kernels: KernelsOption = None,
    deadline: DeadlineOption = None,
    application: Annotated[
        Wish,
        typer.Option(
            "--application",
            help="What the firmware does: harness answers this kit's commands, mlperf those of the "
            "MLPerf Tiny runner; autonomous sends packets by itself, of samples from the source "
            "that board.toml names.",
        ),
    ] = "harness",
    autonomous: Annotated[
        bool, typer.Option("--autonomous", help="The same as --application autonomous.")
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            help="What the model's symbols and files begin with: one for each network of a "
            "firmware. Else model.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that were edited since.")
    ] = False,
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Print what the firmware needs; write nothing.")
    ] = False,
    json: JsonOption = None,
) -> None:
    """Generate the C project of a bundle for a board, and print what it will need."""
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.describe import describe_model, describe_plan
    from dynadeep.codegen.generate import generate as emit
    from dynadeep.codegen.net_context import DEFAULT_NAME, check_name
    from dynadeep.codegen.planner import PlanSettings, explain, plan_for
    from dynadeep.codegen.progress import step
    from dynadeep.host_tools.cli.output import console_beside, print_lines, write_json
    from dynadeep.host_tools.measure.summary import columns_of
    from dynadeep.host_tools.place import target_board

    if model_only:
        choices = {"--board": board, "--kernels": kernels, "--deadline": deadline}
        refuse_with("--model-only", choices, "what it writes is for any core")
        harness = None if application == "harness" else application
        options = {"--application": harness, "--autonomous": autonomous}
        refuse_with("--model-only", options, "it holds no application")
    if autonomous and application not in {"harness", "autonomous"}:
        refuse_with("--autonomous", {"--application": application}, "firmware is one of them")
    if plan_only:
        refuse_with("--plan", {"--out": out, "--force": force or None}, "it writes nothing")
    prefix = check_name(name or DEFAULT_NAME)
    model = read_bundle(bundle)
    target = None if model_only else target_board(board)
    settings = PlanSettings(engine, kernels, deadline, "autonomous" if autonomous else application)
    with step("planning"):
        plan = plan_for(model, target, settings)
    print_lines(json, describe_plan(plan, target, columns_of(console_beside(json))))
    if target is not None:
        print_lines(json, *explain(plan, target))
    if not plan_only:
        folder = out or DEFAULT_OUT
        with step("generating"):
            emit(model, target, folder, settings, name=prefix, force=force)
        what = "model and runtime" if target is None else f"project for {target.name}"
        print_lines(json, f"\n{folder}: C {what}, model {model.manifest.model_id}")
    write_json(json, describe_model(plan))
