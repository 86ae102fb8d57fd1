"""dynadeep fleet."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import (
    DEFAULT_BUNDLE,
    BoundOption,
    BundleOption,
    JsonOption,
    check_positive,
)


def fleet(
    *,
    data: Annotated[Path, typer.Option("--data", help="A folder of recordings to play.")],
    archive: Annotated[Path, typer.Option("--archive", help="The archive to make; a new folder.")],
    devices: Annotated[int, typer.Option("--devices", min=1, max=100_000)] = 10,
    days: Annotated[float, typer.Option("--days", callback=check_positive)] = 1.0,
    bundle: BundleOption = DEFAULT_BUNDLE,
    bound: BoundOption = None,
    loss: Annotated[
        float, typer.Option("--loss", help="Share of packets lost.", min=0.0, max=0.5)
    ] = 0.01,
    repeat: Annotated[
        float,
        typer.Option("--repeat", help="Share behind which packets come again.", min=0.0, max=0.5),
    ] = 0.01,
    restart: Annotated[
        float,
        typer.Option("--restart", help="Share behind which a device restarts.", min=0.0, max=0.5),
    ] = 0.0005,
    distinct: Annotated[
        int,
        typer.Option("--distinct", min=1, help="Segments that are encoded; devices share them."),
    ] = 500,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is drawn.")] = 0,
    json: JsonOption = None,
) -> None:
    """Make an archive of simulated devices, which play real recordings through the generated C.

    Packets are lost and repeated, and devices restart, at the given rates: the load of tests and
    benchmarks. It tells what is true of them, and what the collector made of it.
    """
    import random
    from dataclasses import asdict

    from dynadeep.codegen.progress import step
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.cloud.extra import require

    require("pyarrow")
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.host_tools import pipeline
    from dynadeep.host_tools.cloud.encoded import BOARD, encode, read_signals
    from dynadeep.host_tools.cloud.fleet import Rates, Truth, deliveries, fill

    if archive.exists() and (not archive.is_dir() or any(archive.iterdir())):
        raise typer.BadParameter(f"--archive {archive} is there already: name a new folder.")
    model = read_bundle(bundle)
    manifest = model.manifest
    refused: list[str] = []
    with step("reading the recordings"):
        signals = read_signals(
            data, manifest, distinct, random.Random(seed), lambda error: refused.append(str(error))
        )
    with step("encoding"):
        firmware = pipeline.make_firmware(model, BOARD)
        records = encode(
            model, firmware.elf, signals, manifest.default_bound if bound is None else bound
        )
    names = [f"device-{number:05d}" for number in range(devices)]
    truth, rates = Truth(), Rates(loss, repeat, restart)
    with step("filling the archive"):
        delivered = deliveries(
            names, records, manifest, days=days, rates=rates, seed=seed, truth=truth
        )
        counts = fill(archive, manifest, delivered)
    if refused:
        print_lines(json, f"{len(refused)} recordings left out, the first: {refused[0]}")
    print_lines(json, f"true: {_line(asdict(truth))}", f"archived: {_line(counts)}")
    write_json(json, {"truth": asdict(truth), "archived": counts, "left_out": len(refused)})


def _line(counts: Mapping[str, object]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in counts.items())
