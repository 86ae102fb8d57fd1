"""dynadeep calibrate."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import BUILD, JsonOption, ViolationRateOption
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
    violation_rate: ViolationRateOption = None,
    json: JsonOption = None,
) -> None:
    """Fit a checkpoint's margins to the int8 predictions of its generated C.

    The last tenth of the training records, by which the heads' training stopped, shapes the
    margins; the hold-out, which nothing has seen, proves them. Both are told at the checkpoint's
    bound.
    """
    from dynadeep.codegen.numerics import MarginTable
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.study import calibrate as stage

    with heavy("train"):
        from dynadeep.train import checkpoint as checkpoints  # needs PyTorch
    say = partial(print_lines, json)
    work = BUILD / "calibrate" / checkpoint.stem
    path = stage.calibrate(checkpoint, out or checkpoint, work, say, data=data, rate=violation_rate)
    promise = checkpoints.load(path).promise
    assert promise is not None
    by_kind = {}
    for kind, margins in (("segment", promise.margins), ("record", promise.record_margins)):
        fitted = MarginTable.of(promise.bounds, margins.values()).real_at(promise.bound)
        by_kind[kind] = dict(zip(margins, map(float, fitted), strict=True))
        figures = ", ".join(f"CG {level} {margin:.4f}" for level, margin in by_kind[kind].items())
        say(f"margins of a {kind} at bound {promise.bound:g}: {figures}")
    say(f"fitted at {len(promise.bounds)} bounds, {promise.bounds[0]:g} to {promise.bounds[-1]:g}")
    say(f"checkpoint: {path}")
    write_json(
        json,
        {
            "checkpoint": str(path),
            "bound": promise.bound,
            "margins": by_kind,
            "bounds": list(promise.bounds),
        },
    )
