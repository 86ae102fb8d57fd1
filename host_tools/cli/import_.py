"""dynadeep import."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dynadeep.host_tools.cli.options import DEFAULT_BUNDLE, JsonOption
from dynadeep.host_tools.cli.stages import heavy

if TYPE_CHECKING:
    from dynadeep.export.importing import ImportReport


def import_(
    *,
    file: Annotated[Path, typer.Argument(help="An int8 .tflite.")],
    out: Annotated[Path, typer.Option("--out", help="The bundle's folder.")] = DEFAULT_BUNDLE,
    golden: Annotated[
        Path | None,
        typer.Option(
            "--golden",
            help="Inputs for the golden vectors: a .npy [N, time, channels] of real values or int8 "
            "codes, a .npz by name for several inputs. Without it some are made up.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option("--count", min=1, max=1000, help="Random golden inputs, of those made up."),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option("--rate", min=1, max=(1 << 32) - 1, help="Time steps a second, in Hz."),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Turn a network of yours into a bundle: int8 TFLite, golden vectors, manifest."""
    from dataclasses import asdict

    from dynadeep.host_tools.cli.options import refuse_with
    from dynadeep.host_tools.cli.output import print_lines, write_json

    if golden is not None:
        refuse_with("--golden", {"--count": count}, "it has the inputs")
    with heavy("export"):
        from dynadeep.export.importing import Wanted, import_tflite

        report = import_tflite(file, out, Wanted(golden, count or Wanted.count, rate))
    print_lines(json, *_lines(report))
    write_json(json, asdict(report) | {"folder": str(report.folder)})


def _lines(report: "ImportReport") -> list[str]:
    """Say what an import made."""
    operators = ", ".join(f"{count} {name}" for name, count in report.operators.items())
    ends = [
        f'{kind} "{one.name}": int8 [{one.time}, {one.channels}], scale {one.scale:g}, zero point '
        f"{one.zero_point}"
        for kind, tensors in (("input", report.inputs), ("output", report.outputs))
        for one in tensors
    ]
    differences = [
        f'  {one.operator}, tensor "{one.tensor}": {one.values} of {one.of} values, by at most '
        f"{one.largest}"
        for one in report.differences
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
