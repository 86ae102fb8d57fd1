"""dynadeep decode."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import DEFAULT_BUNDLE, BundleOption


def decode(
    *,
    packets: Annotated[Path, typer.Argument(help="File of packets, as 'stream --packets' writes.")],
    out: Annotated[Path, typer.Option("--out", help="ECG in ADC units: .npy or .csv.")],
    bundle: BundleOption = DEFAULT_BUNDLE,
) -> None:
    """Decode packets to ECG with the bundle's trained decoder."""
    import numpy as np

    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.files import open_whole
    from dynadeep.host_tools.codec.decode import Decoder
    from dynadeep.host_tools.packet import split

    decoder = Decoder(read_bundle(bundle))
    found = split(packets.read_bytes())
    ecg = np.array([decoder.decode(data) for data in found])
    with open_whole(out) as file:
        if out.suffix == ".npy":
            np.save(file, ecg)
        else:
            np.savetxt(file, ecg.reshape(-1), fmt="%.3f")
    typer.echo(f"{out}: {len(found)} segments, {ecg.size} samples in ADC units")
