"""dynadeep train."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import BUILD, DeviceOption, DevicesOption, SkipBadOption


def train(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of the run.")] = BUILD / "train",
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of MIT-BIH; else $DYNADEEP_DATA.")
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch MIT-BIH into the data folder first.")
    ] = False,
    dataset: Annotated[
        str, typer.Option(help="mitdb or cinc2017; phase 1 of --task is always mitdb.")
    ] = "mitdb",
    split: Annotated[str, typer.Option(help="patient or published.")] = "patient",
    input_map: Annotated[str, typer.Option(help="affine or minmax.")] = "affine",
    architecture: Annotated[
        str, typer.Option(help="dynamic-deep, cae32 or cae64.")
    ] = "dynamic-deep",
    start: Annotated[Path | None, typer.Option("--start", help="Checkpoint to begin from.")] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 48,
    batch: Annotated[int, typer.Option(min=1)] = 32,
    peak_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 3e-3,
    seed: Annotated[int, typer.Option()] = 0,
    random_windows: Annotated[
        bool, typer.Option("--random-windows", help="Draw new windows in each epoch.")
    ] = False,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            help="Go on with CinC 2017: fine-tune for rhythm or rpeaks, with NAME=WEIGHT for "
            "several, then fit heads and margins. May be repeated.",
        ),
    ] = None,
    bound: Annotated[float, typer.Option(help="With --task: the task loss to promise.")] = 0.75,
    violation_rate: Annotated[
        float, typer.Option(help="With --task: share of records that may break the promise.")
    ] = 0.02,
    finetune_epochs: Annotated[
        int | None, typer.Option(min=1, help="With --task; else as the shipped one.")
    ] = None,
    skip_bad: SkipBadOption = False,
    device: DeviceOption = "cpu",
    devices: DevicesOption = 1,
    threads: Annotated[int, typer.Option(min=0, help="0 leaves it to PyTorch.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
) -> None:
    """Train a compressor on MIT-BIH; write its checkpoint, log and state to --out.

    With --task all three phases run, each once for what it depends on: an interrupted run goes on,
    and a changed setting runs only what hangs on it.
    """
    from dynadeep.host_tools.cli.stages import heavy

    with heavy("train"):
        from dynadeep.train import phases, pipeline  # needs PyTorch
        from dynadeep.train.data import mitdb
    folder = mitdb.download(data or BUILD / "data") if download else data
    config = phases.TrainConfig(
        output=out,
        data=folder,
        dataset="mitdb" if task else dataset,  # type: ignore[arg-type]
        split=split,  # type: ignore[arg-type]  # train refuses what it does not know
        input_map=input_map,  # type: ignore[arg-type]
        architecture=architecture,
        start=start,
        epochs=epochs,
        batch=batch,
        peak_rate=peak_rate,
        seed=seed,
        random_windows=random_windows,
        device=device,
        devices=devices,
        threads=threads,
        resume=resume,
    )
    if not task:
        typer.echo(f"checkpoint: {phases.train(config)}")
        return
    settings = pipeline.configure(
        config,
        dict(map(_weighted, task)),
        bound=bound,
        violation_rate=violation_rate,
        epochs=finetune_epochs,
        skip_bad=skip_bad,
    )
    for name, path in pipeline.run(settings).items():
        typer.echo(f"{name}: {path}")


def _weighted(text: str) -> tuple[str, float]:
    """Read NAME or NAME=WEIGHT."""
    name, _, weight = text.partition("=")
    try:
        return name, float(weight or 1)
    except ValueError as error:
        raise typer.BadParameter(f"--task {text}: the weight is no number.") from error
