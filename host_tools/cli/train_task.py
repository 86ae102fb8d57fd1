"""dynadeep train-task."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import (
    BUILD,
    DeviceOption,
    DevicesOption,
    JsonOption,
    SkipBadOption,
)
from dynadeep.host_tools.cli.refusals import refuse_with
from dynadeep.host_tools.cli.stages import heavy


def train_task(
    *,
    task: Annotated[str, typer.Argument(help="rhythm or rpeaks.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the run; else build/tasks/<task>.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of the databases; else $DYNADEEP_DATA.")
    ] = None,
    width: Annotated[int | None, typer.Option(help="Filters of the first layers.")] = None,
    decimation: Annotated[
        int | None, typer.Option(help="Average so many samples of the input: 1, 2 or 4.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    device: DeviceOption = "cpu",
    devices: DevicesOption = 1,
    skip_bad: SkipBadOption = False,
    json: JsonOption = None,
) -> None:
    """Train a downstream task's network; an interrupted run in --out goes on.

    Without options it trains as the shipped network was trained.
    """
    from dynadeep.host_tools.cli.output import print_lines, write_json

    if task == "rpeaks":
        why = "MIT-BIH, which it is trained on, has no bad records to leave out"
        refuse_with("rpeaks", {"--skip-bad": skip_bad}, why)
    with heavy("train"):
        from dynadeep.train.tasks import training  # needs PyTorch
    path = training.train_task(
        training.TaskTraining(
            task=task,
            output=out or BUILD / "tasks" / task,
            data=data,
            width=width,
            decimation=decimation,
            epochs=epochs,
            device=device,
            devices=devices,
            skip_bad=skip_bad,
        )
    )
    print_lines(json, f"network: {path}")
    write_json(json, {"task": task, "network": str(path)})
