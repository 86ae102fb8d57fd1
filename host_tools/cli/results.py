"""dynadeep results."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import BUILD, JsonOption
from dynadeep.host_tools.cli.stages import heavy

TASKS = ("rhythm", "rpeaks", "both")
BASELINES = ("cae32", "cae64")


def results(
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of the databases; else $DYNADEEP_DATA.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", help="Folder of a 'train --task' run; else the shipped weights."),
    ] = None,
    baselines: Annotated[
        Path | None,
        typer.Option(
            "--baselines",
            help="Folder of the runs cae32 and cae64, from 'train --architecture'; else Table I is "
            "without them.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Tables and plots go here.")] = Path("results"),
    json: JsonOption = None,
) -> None:
    """Measure the published tables and plots on the test records, in float and as the board runs.

    The int8 half is the generated C itself, compiled for this computer. The shipped reconstruction
    checkpoints are measured on MIT-BIH too, where the data folder has it.
    """
    from dynadeep.host_tools.cli.output import copy_json, print_lines
    from dynadeep.host_tools.study import reconstruction
    from dynadeep.host_tools.study import results as stage

    with heavy("train"):
        from dynadeep.train import measure, tasks  # needs PyTorch
        from dynadeep.train.checkpoint import PRETRAINED_FOLDER
    nets = {name: tasks.weights_of(name) for name in tasks.TASKS}
    checkpoints = {
        name: run / name / "checkpoint.safetensors"
        if run
        else PRETRAINED_FOLDER / f"cinc2017-{name}.safetensors"
        for name in TASKS
    }
    config = stage.ResultsConfig(
        checkpoints=checkpoints,
        baselines={name.upper(): baselines / name / "checkpoint.safetensors" for name in BASELINES}
        if baselines
        else {},
        nets=nets,
        out=out,
        work=BUILD / "results",
        reconstructions=reconstruction.shipped(),
        data=data,
    )
    say = partial(print_lines, json)
    summary = stage.make_results(config, measure.load_nets(nets, checkpoints), say)
    say(f"summary: {summary}")
    copy_json(json, summary)
