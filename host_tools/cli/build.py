"""dynadeep build."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from dynadeep.host_tools.cli.options import JsonOption, complete_board
from dynadeep.host_tools.cli.refusals import refuse_without


def build(
    *,
    sources: Annotated[Path, typer.Argument(help="A C project made by 'generate'.")],
    flash: Annotated[
        str | None,
        typer.Option(
            metavar="BOARD",
            autocompletion=complete_board,
            help="Then put it on this board: its name or folder.",
        ),
    ] = None,
    tool: Annotated[
        Literal["pyocd", "openocd"] | None,
        typer.Option("--with", help="What flashes it; else the first that is installed."),
    ] = None,
    probe: Annotated[
        str | None,
        typer.Option("--probe", help="Serial number of the debug probe, where there are several."),
    ] = None,
    compiler: Annotated[
        Literal["gcc", "clang"],
        typer.Option(help="clang compiles into a folder of its own; gcc still links."),
    ] = "gcc",
    json: JsonOption = None,
) -> None:
    """Compile a generated project with CMake; print its sections."""
    from dataclasses import asdict

    from dynadeep.codegen.board import load_board
    from dynadeep.codegen.progress import step
    from dynadeep.codegen.project import MANIFEST, read_project
    from dynadeep.host_tools import toolchain
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.host_tools.flash.flash import flash as put_on
    from dynadeep.host_tools.flash.flash import tool_of
    from dynadeep.host_tools.measure import memory
    from dynadeep.host_tools.place import project_board

    if flash is None:
        of_flash = {"--with": tool, "--probe": probe}
        refuse_without("--flash", of_flash, "nothing is flashed otherwise")
    board = None if flash is None else load_board(flash)
    chosen = None if board is None else tool_of(board, tool, probe)
    if flash is not None or (sources / MANIFEST).is_file():
        project_board(sources, read_project(sources), flash, "--flash")
    with step("building the firmware"):
        firmware = toolchain.build(sources, compiler=compiler)
    image = memory.read_image(firmware.elf)
    print_lines(
        json,
        f"{firmware.elf}: flash {image.flash_bytes:,} bytes, "
        f"static RAM {image.static_ram_bytes:,} bytes",
    )
    if board is not None and chosen is not None:
        with step(f"flashing {board.name} with {chosen}"):
            put_on(board, firmware, chosen, probe)
        print_lines(json, f"flashed {board.name} with {chosen}")
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
