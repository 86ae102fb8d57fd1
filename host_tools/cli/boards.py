"""dynadeep boards."""

from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import JsonOption


def boards(
    *,
    folders: Annotated[
        list[str] | None, typer.Argument(help="Boards of your own to list too: their folders.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """List the boards: what each is, how it is flashed, whether it was run, where it could be.

    A board's ports are told by USB ids, those that its board.toml names; 'ports' lists the others.
    """
    from dynadeep.host_tools.boards import board_json, known_boards
    from dynadeep.host_tools.cli.output import console_beside, write_json
    from dynadeep.host_tools.link.ports import list_ports
    from dynadeep.host_tools.measure import summary

    known = known_boards(folders or (), list_ports())
    console_beside(json).print(summary.boards_table(known))
    write_json(json, {"boards": [board_json(board) for board in known]})
