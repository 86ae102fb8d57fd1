"""dynadeep ports."""

from dynadeep.host_tools.cli.options import JsonOption


def ports(*, json: JsonOption = None) -> None:
    """List the serial ports of this computer, and which board could be behind each.

    A board is told by the USB ids of its programmer, as its board.toml names them. Any board may be
    behind an adapter: 'hello --port' asks it.
    """
    from dataclasses import asdict

    from dynadeep.host_tools.cli.output import console_beside, print_lines, write_json
    from dynadeep.host_tools.link.ports import list_ports
    from dynadeep.host_tools.measure import summary

    attached = list_ports()
    if attached:
        console_beside(json).print(summary.ports_table(attached))
    else:
        print_lines(
            json, "no serial port. Is the board plugged in, and may you see its port (dialout)?"
        )
    write_json(json, {"ports": [asdict(port) for port in attached]})
