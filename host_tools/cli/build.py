"""dynadeep build."""

from pathlib import Path
from typing import Annotated

import typer

from dynadeep.host_tools.cli.options import JsonOption, complete_board


def build(
    *,
    sources: Annotated[Path, typer.Argument(help="A C project made by 'generate'.")],
    flash: Annotated[
        str | None,
        typer.Option(
            metavar="BOARD",
            autocompletion=complete_board,
            help="Then put it on this board with its programmer.",
        ),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Compile a generated project with CMake; print its sections."""
    from dataclasses import asdict

    from dynadeep.codegen.board import load_board
    from dynadeep.codegen.errors import BoardError
    from dynadeep.codegen.project import MANIFEST, read_project
    from dynadeep.host_tools import toolchain
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.cli.progress import step
    from dynadeep.host_tools.measure import memory
    from dynadeep.host_tools.place import project_board

    flasher = None
    if flash is not None:
        flasher = load_board(flash).flasher
        if flasher is None:
            raise BoardError(f"{flash}: no programmer is known for it. Flash firmware.bin by hand.")
    if flash is not None or (sources / MANIFEST).is_file():
        project_board(sources, read_project(sources), flash, "--flash")
    with step("building the firmware"):
        firmware = toolchain.build(sources)
    image = memory.read_image(firmware.elf)
    print_lines(
        json,
        f"{firmware.elf}: flash {image.flash_bytes:,} bytes, "
        f"static RAM {image.static_ram_bytes:,} bytes",
    )
    if flasher is not None:
        toolchain.flash(firmware, flasher.program, flasher.arguments)
        print_lines(json, f"flashed {flash}")
    write_json(
        json,
        {
            "elf": str(firmware.elf),
            "flash_bytes": image.flash_bytes,
            "static_ram_bytes": image.static_ram_bytes,
            "sections": [asdict(section) for section in image.sections],
            "flashed": flash,
        },
    )
