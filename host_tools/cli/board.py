"""dynadeep board new."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import JsonOption, complete_board


def new(
    *,
    folder: Annotated[
        Path, typer.Argument(metavar="NAME", help="The new board's name: a folder that is made.")
    ],
    like: Annotated[
        str,
        typer.Option(
            "--like", autocompletion=complete_board, help="The board that it begins as a copy of."
        ),
    ],
    json: JsonOption = None,
) -> None:
    """Make a folder for a board of your own, which --board takes wherever it takes a name."""
    from dynadeep.host_tools.boards import board_json, known_boards, new_board
    from dynadeep.host_tools.cli.output import print_lines, write_json

    board = new_board(folder, like)
    print_lines(
        json,
        f"{folder}: the board {board.name}, as {like} is. Now",
        "  1. in board.toml: core, clock, memories, UART and how it is flashed;",
        "  2. in board.c: clocks and pins;",
        f"  3. dynadeep generate --board {folder} --out build/{board.name}",
    )
    write_json(json, board_json(known_boards([str(folder)])[-1]))
