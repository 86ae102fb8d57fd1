"""dynadeep mlperf."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dynadeep.host_tools.cli.groups import taking
from dynadeep.host_tools.cli.options import (
    DEFAULT_BUNDLE,
    BundleOption,
    JsonOption,
)
from dynadeep.host_tools.cli.station import place_of

if TYPE_CHECKING:
    from dynadeep.host_tools.mlperf.check import Checked
    from dynadeep.host_tools.place import Place


@taking(place=place_of)
def mlperf(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    place: "Place",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Also write to this folder what the MLPerf Tiny runner reads."),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Check and time a device that speaks the MLPerf Tiny protocol, over the golden vectors.

    Its firmware is that of 'generate --application mlperf'. Every result is compared with the
    reference's; --out has an unmodified runner do the same.
    """
    from dynadeep.codegen.board import load_board
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.planner import PlanSettings, plan_for
    from dynadeep.codegen.progress import counted
    from dynadeep.host_tools.boards import AUTO
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.cli.station import build_firmware
    from dynadeep.host_tools.measure.parity import require_exact
    from dynadeep.host_tools.measure.references import golden_cases
    from dynadeep.host_tools.mlperf.check import check
    from dynadeep.host_tools.mlperf.dut import Dut, board_of
    from dynadeep.host_tools.mlperf.runner_files import write_runner_files
    from dynadeep.host_tools.pipeline import inference_s
    from dynadeep.host_tools.place import open_link_at

    if place.board == AUTO:
        raise typer.BadParameter(f"a device of MLPerf Tiny cannot be found by {AUTO}: give --port.")
    model = read_bundle(bundle)
    settings = PlanSettings(application="mlperf")
    place = place.named(model.manifest.model_id, "mlperf")
    elf = build_firmware(model, place, settings)
    cases = golden_cases(model)
    with open_link_at(place, elf) as link, counted("mlperf", len(cases)) as advance:
        dut = Dut(link)
        dut.greet()
        target = load_board(place.board) if place.board else board_of(dut)
        takes_s = inference_s(plan_for(model, target, settings), target, here=place.port is None)
        result = check(dut, model.manifest, cases, takes_s, advance)
    print_lines(json, *_lines(result))
    if out is not None:
        written = write_runner_files(out, model.manifest, target, cases, result.inference_us)
        print_lines(json, f"{out}: {len(written)} files for the MLPerf Tiny runner")
    write_json(
        json,
        {
            "name": result.name,
            "model_id": model.manifest.model_id,
            "bit_exact": result.parity.bit_exact,
            "inputs": result.parity.segments,
            "outputs": result.parity.results,
            "inference_us": result.inference_us,
        },
    )
    require_exact(result.parity)


def _lines(result: "Checked") -> list[str]:
    parity = result.parity
    state = "bit-exact" if parity.bit_exact else "NOT bit-exact"
    return [
        f"{result.name}: {state}: {parity.results} outputs of {parity.segments} inputs",
        f"{result.inference_us / 1e3:,.3f} ms an inference, "
        f"{1e6 / max(result.inference_us, 1):,.2f} a second, by the device's own clock",
    ]
