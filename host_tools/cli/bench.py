"""dynadeep bench."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import BUILD


def bench(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of results.json and .md.")] = Path(
        "benchmarks"
    ),
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Without it the shipped checkpoint is exported.")
    ] = None,
) -> None:
    """Measure the emulated boards and rewrite the figures beside the peers'."""
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.host_tools.bench import BOARDS, run_bench, write_results
    from dynadeep.host_tools.cli.stages import heavy
    from dynadeep.host_tools.pipeline import export_checkpoint

    folder = bundle
    if folder is None:
        folder = BUILD / "bench" / "bundle"
        with heavy("export"):
            export_checkpoint(None, folder)
    model = read_bundle(folder)
    write_results(out, model, run_bench(model, BOARDS, typer.echo))
    typer.echo(f"written: {out}/results.json and results.md")
