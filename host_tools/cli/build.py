"""dynadeep build."""

from pathlib import Path
from typing import Annotated

import typer


def build(
    *,
    sources: Annotated[Path, typer.Argument(help="A C project made by 'generate'.")],
) -> None:
    """Compile a generated project with CMake; print its sections."""
    from dynadeep.host_tools import memory, toolchain

    elf = toolchain.build(sources).elf
    image = memory.read_image(elf)
    typer.echo(
        f"{elf}: flash {image.flash_bytes:,} bytes, static RAM {image.static_ram_bytes:,} bytes"
    )
