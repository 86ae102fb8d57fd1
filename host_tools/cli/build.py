"""dynadeep build."""

from pathlib import Path
from typing import Annotated

import typer


def build(
    *,
    sources: Annotated[Path, typer.Argument(help="A C project made by 'generate'.")],
    flash: Annotated[
        str | None,
        typer.Option(metavar="BOARD", help="Then put it on this board with its programmer."),
    ] = None,
) -> None:
    """Compile a generated project with CMake; print its sections."""
    from dynadeep.codegen.board import load_board
    from dynadeep.codegen.errors import BoardError
    from dynadeep.codegen.project import read_project
    from dynadeep.host_tools import memory, toolchain
    from dynadeep.host_tools.place import project_board

    flasher = None
    if flash is not None:
        flasher = load_board(flash).flasher
        project_board(sources, read_project(sources), flash, "--flash")
        if flasher is None:
            raise BoardError(f"{flash}: no programmer is known for it. Flash firmware.bin by hand.")
    firmware = toolchain.build(sources)
    image = memory.read_image(firmware.elf)
    typer.echo(
        f"{firmware.elf}: flash {image.flash_bytes:,} bytes, "
        f"static RAM {image.static_ram_bytes:,} bytes"
    )
    if flasher is not None:
        toolchain.flash(firmware, flasher.program, flasher.arguments)
        typer.echo(f"flashed {flash}")
