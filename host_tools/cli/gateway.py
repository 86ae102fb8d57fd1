"""dynadeep gateway."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dynadeep.host_tools.cli.broker import broker_of
from dynadeep.host_tools.cli.groups import taking
from dynadeep.host_tools.cli.options import (
    BaudOption,
    JsonOption,
    check_finite,
    check_writable,
    complete_port,
)
from dynadeep.host_tools.cli.refusals import refuse_twice

if TYPE_CHECKING:
    from dynadeep.host_tools.cloud.broker import Broker

DEFAULT_SPOOL = Path("gateway.spool")


@taking(broker=broker_of)
def gateway(
    *,
    port: Annotated[
        list[str],
        typer.Option(
            "--port",
            autocompletion=complete_port,
            help="Where a device sends by itself: a serial port or pyserial URL; may be repeated.",
        ),
    ],
    device: Annotated[
        list[str],
        typer.Option("--device", help="The device's name, one for each --port in their order."),
    ],
    broker: "Broker",
    baud: BaudOption = None,
    spool: Annotated[
        Path,
        typer.Option(
            "--spool",
            callback=check_writable,
            help="File in which packets wait for the broker; SQLite keeps two more beside it.",
        ),
    ] = DEFAULT_SPOOL,
    spool_bytes: Annotated[
        int,
        typer.Option(
            "--spool-bytes",
            min=1,
            help="The most that all of them may take, an equal share for each device. What comes "
            "to a full share is dropped, said and counted.",
        ),
    ] = 1 << 30,
    most_per_minute: Annotated[
        int,
        typer.Option(
            "--most-per-minute", min=1, help="Packets that a device may send; others are dropped."
        ),
    ] = 600,
    hold: Annotated[
        float,
        typer.Option(
            "--hold",
            min=0.0,
            callback=check_finite,
            help="Seconds that a packet stays in the spool after the broker has it: more than the "
            "broker takes to save it.",
        ),
    ] = 10.0,
    json: JsonOption = None,
) -> None:
    """Carry the packets of devices that send by themselves to an MQTT broker, until stopped.

    Each device has a connection of its own. Files and user may hold {device}, its name. Ctrl-C or
    SIGTERM ends it in order.
    """
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.cloud.gateway import Limits, open_gateway
    from dynadeep.host_tools.cloud.stopping import stopped_by_signals

    limits = Limits(spool_bytes, most_per_minute, hold)
    with (
        open_gateway(
            _pairs(device, port), broker, spool, _say, baud=baud, limits=limits
        ) as running,
        stopped_by_signals() as stop,
    ):
        running.run(stop.is_set)
        counts = running.counts()
    print_lines(json, *map(_line, counts))
    write_json(json, {"devices": counts})


def _pairs(devices: list[str], ports: list[str]) -> dict[str, str]:
    """Return the port of each device.

    Raises:
        typer.BadParameter: there are not as many of the one as of the other, or one comes twice.
    """
    if len(devices) != len(ports):
        raise typer.BadParameter(
            f"{len(ports)} --port and {len(devices)} --device: give each port its device's name."
        )
    for option, names in (("--device", devices), ("--port", ports)):
        refuse_twice(option, names)
    return dict(zip(devices, ports, strict=True))


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _line(counts: dict[str, Any]) -> str:
    dropped = ", ".join(f"{count} ({why})" for why, count in counts["dropped"].items()) or "0"
    line = counts["line"]
    return (
        f"{counts['device']}: {counts['packets']} packets, {counts['published']} published, "
        f"{counts['in_spool']} in the spool, dropped {dropped}, lost on the line {line['lost']}"
    )
