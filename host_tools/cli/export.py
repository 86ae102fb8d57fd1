"""dynadeep export."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import DEFAULT_BUNDLE, JsonOption
from dynadeep.host_tools.cli.stages import heavy


def export(
    *,
    checkpoint: Annotated[
        Path | None, typer.Argument(help="NAME.safetensors; without it the shipped one.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The bundle's folder.")] = DEFAULT_BUNDLE,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="Folder of MIT-BIH; else the shipped excerpt of it."),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Turn a checkpoint into a bundle: ONNX, int8 TFLite, golden vectors, manifest."""
    from dataclasses import asdict

    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.study.export import export_checkpoint

    with heavy("export"):
        report = export_checkpoint(checkpoint, out, calibration)
    operators = ", ".join(f"{count} {name}" for name, count in report.operators.items())
    print_lines(json, f"bundle {report.folder}: model {report.model_id}")
    print_lines(
        json, f"ONNX against PyTorch: at most {report.onnx_difference:.2g} of an output's range"
    )
    print_lines(json, f"int8 TFLite: {operators}")
    print_lines(
        json,
        f"reference against witness: {report.tensors_checked} tensors of "
        f"{report.segments_checked} segments equal",
    )
    for loss in report.losses:
        print_lines(
            json, f"{loss.name}: PRD {loss.prd_float:.2f} % in float, {loss.prd_int8:.2f} % in int8"
        )
    write_json(json, asdict(report) | {"folder": str(report.folder)})
