"""dynadeep evaluate."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from dynadeep.host_tools.cli.options import JsonOption
from dynadeep.host_tools.cli.stages import heavy


def evaluate(
    *,
    checkpoint: Annotated[Path, typer.Argument(help="NAME.safetensors, NAME.json beside it.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of MIT-BIH; else $DYNADEEP_DATA.")
    ] = None,
    split: Annotated[
        Literal["patient", "published"] | None,
        typer.Option(help="Of MIT-BIH; else the one it was trained on."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...")] = "cpu",
    json: JsonOption = None,
) -> None:
    """Score a checkpoint on a split's test windows: PRD, PRDN, and how the heads foresee them."""
    from dataclasses import asdict

    from dynadeep.host_tools.cli.output import print_lines, write_json

    with heavy("train"):
        from dynadeep.train import evaluate as stage  # needs PyTorch
    result = stage.evaluate(
        stage.EvaluateConfig(
            checkpoint=checkpoint,
            data=data,
            split=split,
            device=device,
        )
    )
    caution = (
        "" if result.unseen else "; trained on another split, so it may have seen some of them"
    )
    print_lines(json, f"{result.windows} test windows of the {result.split} split{caution}")
    for level, scores in result.scores.items():
        figures = "  ".join(f"{name} {value:.4g}" for name, value in scores.items())
        print_lines(json, f"CG {level}: {figures}")
    write_json(json, asdict(result))
