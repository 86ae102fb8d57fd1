"""dynadeep import."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dynadeep.host_tools.cli.options import DEFAULT_BUNDLE, JsonOption, check_finite
from dynadeep.host_tools.cli.refusals import refuse_with
from dynadeep.host_tools.cli.stages import heavy

if TYPE_CHECKING:
    from dynadeep.export.importing import ImportReport


def parse_shape(text: str) -> tuple[int, ...]:
    """Return the sizes of ``1,1,64``.

    Raises:
        typer.BadParameter: it is no list of sizes from 1 on that begins with a batch of 1.
    """
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    if len(sizes) < 2 or sizes[0] != 1 or min(sizes) < 1:
        raise typer.BadParameter(f"--shape {text}: give the input's sizes, as in 1,3,256.")
    return sizes


def import_(
    *,
    file: Annotated[Path | None, typer.Argument(help="A .tflite or .onnx file.")] = None,
    torch: Annotated[
        str | None,
        typer.Option(
            "--torch",
            metavar="MODULE:FUNCTION",
            help="Instead of a file: your own function that returns a torch.nn.Module. It is run.",
        ),
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option("--shape", help="With --torch: an input's sizes, as 1,3,256; one for each."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The bundle's folder.")] = DEFAULT_BUNDLE,
    calibration: Annotated[
        Path | None,
        typer.Option(
            "--calibration",
            help="Inputs that a float network is quantised by: a .npy of real values [N, ...] as "
            "the network takes them, a .npz by name for several inputs.",
        ),
    ] = None,
    clip: Annotated[
        float | None,
        typer.Option(
            "--clip",
            min=0.0,
            max=0.1,
            callback=check_finite,
            help="With --calibration: the share of each inner tensor's values that may lie beyond "
            "its int8 range, 0.001 or so where rare ones are far out. Else none.",
        ),
    ] = None,
    golden: Annotated[
        Path | None,
        typer.Option(
            "--golden",
            help="Inputs for the golden vectors, real values or int8 codes in a file of the same "
            "form. Without it some are made up.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            min=1,
            max=1000,
            help="Golden inputs besides the made-up extremes: of the calibration, else random.",
        ),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option("--rate", min=1, max=(1 << 32) - 1, help="Time steps a second, in Hz."),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Turn a network of yours into a bundle: int8 TFLite, golden vectors, manifest."""
    from dataclasses import asdict

    from dynadeep.codegen.progress import step
    from dynadeep.host_tools.cli.output import print_lines, write_json

    if (file is None) == (torch is None):
        raise typer.BadParameter("name a .tflite or .onnx file, or --torch MODULE:FUNCTION.")
    if file is not None:
        refuse_with("a file", {"--shape": shape}, "it says its inputs' shapes itself")
    elif not shape:
        raise typer.BadParameter("--torch needs --shape, an input's sizes, as in 1,3,256.")
    if golden is not None:
        refuse_with("--golden", {"--count": count}, "it has the inputs")
    with heavy("export"):
        from dynadeep.export import importing
        from dynadeep.export.isolated import isolated

        options = importing.ImportOptions(
            calibration, golden, count or importing.ImportOptions.count, rate, clip or 0.0
        )
        with step(f"importing {file or torch}"):
            if file is not None:
                report = isolated(importing.import_network, file, out, options)
            else:
                shapes = [parse_shape(text) for text in shape or ()]
                report = isolated(importing.import_torch, torch or "", shapes, out, options)
    print_lines(json, *_lines(report))
    write_json(json, asdict(report) | {"folder": str(report.folder)})


def _lines(report: "ImportReport") -> list[str]:
    """Say what an import made."""
    operators = ", ".join(f"{count} {name}" for name, count in report.operators.items())
    ends = [
        f'{kind} "{tensor.name}": int8 [{tensor.time}, {tensor.channels}], '
        f"scale {tensor.scale:g}, zero point {tensor.zero_point}"
        for kind, tensors in (("input", report.inputs), ("output", report.outputs))
        for tensor in tensors
    ]
    differences = [
        f'  {difference.operator}, tensor "{difference.tensor}": {difference.values} of '
        f"{difference.of} values, by at most {difference.largest}"
        for difference in report.differences
    ]
    return [
        f"bundle {report.folder}: model {report.model_id}",
        *ends,
        *report.notes,
        f"operators: {operators}",
        f"golden vectors: {report.cases} inputs x {report.tensors} tensors, by TFLite's reference "
        "kernels",
        f"TFLite-Micro: {report.micro}",
        *differences,
    ]
