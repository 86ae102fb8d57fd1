"""dynadeep collect."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.broker import (
    BrokerOption,
    CaFileOption,
    CertOption,
    KeyOption,
    PasswordFileOption,
    UsernameOption,
    broker_of,
)
from dynadeep.host_tools.cli.options import JsonOption, check_positive


def collect(
    *,
    broker: BrokerOption,
    archive: Annotated[Path, typer.Option("--archive", help="The archive's folder.")],
    bundles: Annotated[
        Path, typer.Option("--bundles", help="A folder of bundles: of the models that are known.")
    ],
    cafile: CaFileOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    username: UsernameOption = None,
    password_file: PasswordFileOption = None,
    client_id: Annotated[
        str, typer.Option("--client-id", help="Under which the broker keeps what is published.")
    ] = "dynadeep-collect",
    every: Annotated[
        float,
        typer.Option(
            "--every", callback=check_positive, help="Seconds between two writes of Parquet."
        ),
    ] = 60.0,
    json: JsonOption = None,
) -> None:
    """Collect the packets of all devices from an MQTT broker into an archive, until stopped.

    Ctrl-C or SIGTERM ends it in order: all that came is in Parquet then. What is acknowledged is on
    the disk before that, so that a kill or a power cut loses nothing.
    """
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.cloud.extra import require

    require("pyarrow", "paho")
    from dynadeep.host_tools.cloud.bundles import find_bundles
    from dynadeep.host_tools.cloud.collect import Subscriber
    from dynadeep.host_tools.cloud.collector import Collector
    from dynadeep.host_tools.cloud.stopping import stopped_by_signals

    where = broker_of(
        broker,
        cafile=cafile,
        cert=cert,
        key=key,
        username=username,
        password_file=password_file,
    )
    models = {number: bundle.manifest for number, bundle in find_bundles(bundles).items()}
    with Collector(archive, models) as collector, stopped_by_signals() as stop:
        print_lines(json, f"{where}: collecting into {archive}; Ctrl-C ends it")
        Subscriber(where, collector, client_id).run(stop.is_set, every)
        counts = dict(collector.counts)
    print_lines(json, ", ".join(f"{name} {n:,}" for name, n in counts.items()) or "nothing came")
    write_json(json, counts)
