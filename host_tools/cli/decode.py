"""dynadeep decode."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import (
    DEFAULT_BUNDLE,
    BundleOption,
    JsonOption,
    check_writable,
    refuse_same,
)


def decode(
    *,
    packets: Annotated[Path, typer.Argument(help="File of packets, as 'stream --packets' writes.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            callback=check_writable,
            help="ECG in ADC units, NaN where it was lost: .npy, .npz, .csv or .txt.",
        ),
    ],
    bundle: BundleOption = DEFAULT_BUNDLE,
    json: JsonOption = None,
) -> None:
    """Decode packets to ECG with the bundle's trained decoder.

    What is damaged or missing is left out, marked, and told; the exit status is 12 then.
    """
    from dynadeep.codegen.bundle import read_bundle
    from dynadeep.codegen.typed import Reader
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.codec import lossless
    from dynadeep.host_tools.codec.decode import Decoder
    from dynadeep.host_tools.codec.ecg_file import require_format, write_ecg
    from dynadeep.host_tools.codec.reception import BYTES_MAX, receive, require_whole
    from dynadeep.host_tools.errors import EcgError

    refuse_same({"PACKETS": packets, "--out": out, "--json": json})
    require_format(out)
    model = read_bundle(bundle)
    reader = Reader(str(packets), EcgError, "Name a file of packets, as 'stream' writes.")
    reception = receive(str(packets), reader.content(packets, BYTES_MAX), Decoder(model))
    write_ecg(out, reception)
    counts, manifest = reception.counts, model.manifest
    write_json(json, counts.as_json())
    print_lines(
        json,
        f"{out}: {counts.decoded} segments decoded, {counts.lost} lost; {reception.ecg.size} "
        f"samples in ADC units ({manifest.adc_gain:g} per mV, {manifest.adc_baseline} at 0 mV)",
        *filter(None, [lossless.why_slow()]),
    )
    require_whole(str(packets), reception)
