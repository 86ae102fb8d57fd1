"""dynadeep boards."""

from dynadeep.host_tools.cli.options import JsonOption


def boards(*, json: JsonOption = None) -> None:
    """List the boards that the kit knows, and how each is run and flashed."""
    from dataclasses import asdict

    from dynadeep.codegen.board import board_names, load_board
    from dynadeep.host_tools.cli.output import print_lines, write_json

    known = [load_board(name) for name in board_names()]
    for board in known:
        ways = [way for way in ("emulator", "flasher") if getattr(board, way) is not None]
        print_lines(json, f"{board.name:<16} {board.description:<54} {', '.join(ways)}".rstrip())
    write_json(json, {"boards": [asdict(board) for board in known]})
