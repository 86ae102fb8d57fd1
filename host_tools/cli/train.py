"""dynadeep train."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import BUILD


def train(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of the run.")] = BUILD / "train",
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of MIT-BIH; else $DYNADEEP_DATA.")
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch MIT-BIH into the data folder first.")
    ] = False,
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
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, help="0 leaves it to PyTorch.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
) -> None:
    """Train a compressor on MIT-BIH; write its checkpoint, log and state to --out."""
    from dynadeep.host_tools.cli.stages import heavy

    with heavy("train"):
        from dynadeep.train import phases  # needs PyTorch
        from dynadeep.train.data import mitdb
    folder = mitdb.download(data or BUILD / "data") if download else data
    config = phases.TrainConfig(
        output=out,
        data=folder,
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
        threads=threads,
        resume=resume,
    )
    typer.echo(f"checkpoint: {phases.train(config)}")
