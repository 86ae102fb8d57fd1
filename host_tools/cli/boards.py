"""dynadeep boards."""

import typer


def boards() -> None:
    """List the boards that the kit knows."""
    from dynadeep.codegen.board import board_names, load_board

    for name in board_names():
        board = load_board(name)
        ways = [way for way in ("emulator", "flasher") if getattr(board, way) is not None]
        typer.echo(f"{name:<16} {board.description:<54} {', '.join(ways)}".rstrip())
