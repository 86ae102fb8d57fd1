"""dynadeep calibrate."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.codegen.numerics import MarginTable
from dynadeep.host_tools.cli.options import BUILD
from dynadeep.host_tools.cli.stages import heavy


def calibrate(
    *,
    checkpoint: Annotated[Path, typer.Argument(help="NAME.safetensors, NAME.json beside it.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write it; else over the given one.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of CinC 2017; else $DYNADEEP_DATA.")
    ] = None,
) -> None:
    """Fit a checkpoint's margins to the int8 predictions of its generated C.

    The first half of the hold-out, by which the heads' training stopped, shapes the margins; the
    second half, which nothing has seen, proves them. Both are told at the checkpoint's bound.
    """
    from dynadeep.host_tools.study import calibrate as stage

    with heavy("train"):
        from dynadeep.train import checkpoint as checkpoints  # needs PyTorch
    work = BUILD / "calibrate" / checkpoint.stem
    path = stage.calibrate(checkpoint, out or checkpoint, work, typer.echo, data=data)
    promise = checkpoints.load(path).promise
    assert promise is not None
    for what, margins in (("segment", promise.margins), ("record", promise.record_margins)):
        found = MarginTable.of(promise.bounds, margins.values()).real_at(promise.bound)
        told = ", ".join(
            f"CG {level} {margin:.4f}" for level, margin in zip(margins, found, strict=True)
        )
        typer.echo(f"margins of a {what} at bound {promise.bound:g}: {told}")
    typer.echo(
        f"fitted at {len(promise.bounds)} bounds, {promise.bounds[0]:g} to {promise.bounds[-1]:g}"
    )
    typer.echo(f"checkpoint: {path}")
