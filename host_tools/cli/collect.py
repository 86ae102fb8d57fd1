"""dynadeep collect."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dynadeep.host_tools.cli.broker import broker_of
from dynadeep.host_tools.cli.groups import taking
from dynadeep.host_tools.cli.options import JsonOption, check_positive

if TYPE_CHECKING:
    from dynadeep.host_tools.cloud.broker import Broker


@taking(broker=broker_of)
def collect(
    *,
    broker: "Broker",
    archive: Annotated[Path, typer.Option("--archive", help="The archive's folder.")],
    bundles: Annotated[
        Path, typer.Option("--bundles", help="A folder of bundles: of the models that are known.")
    ],
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

    require("pyarrow")
    from dynadeep.host_tools.cloud.bundles import find_bundles
    from dynadeep.host_tools.cloud.collect import Subscriber
    from dynadeep.host_tools.cloud.collector import Collector
    from dynadeep.host_tools.cloud.stopping import stopped_by_signals

    models = {number: bundle.manifest for number, bundle in find_bundles(bundles).items()}
    with Collector(archive, models) as collector, stopped_by_signals() as stop:
        print_lines(json, f"{broker}: collecting into {archive}; Ctrl-C ends it")
        Subscriber(broker, collector, client_id).run(stop.is_set, every)
        counts = dict(collector.counts)
    print_lines(json, ", ".join(f"{name} {n:,}" for name, n in counts.items()) or "nothing came")
    write_json(json, counts)
