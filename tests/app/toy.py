"""A firmware project around the toy model, made as codegen makes one."""

import re
import shutil
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dynadeep.codegen.board import load_board
from dynadeep.codegen.emit import TOOLCHAINS
from dynadeep.codegen.sources import app_sources, board_sources
from dynadeep.host_tools.toolchain import Firmware, build

TEMPLATES = Path(str(resources.files("dynadeep.firmware_templates")))
TOY_MODEL = Path(__file__).parent / "toy_model"
MODEL_ID = "00112233445566ff"
SEGMENT = 2000
NET = SimpleNamespace(
    name="model", macro="MODEL", model_id=MODEL_ID, sample_rate_hz=360, constant_count=2
)

# First samples at which the toy model misbehaves; see dd_model.c.
CRASH_BY_TRAP = 32767
CRASH_BY_STACK = 32766
HANG = 32765
CRASH_BY_ASSERTION = 32764
CRASH_BY_ADDRESS = 32763
STARVE_WATCHDOG = 32762


def make_project(board_name: str, out: Path) -> Path:
    """Write a complete project for a board into ``out``."""
    board = load_board(board_name)
    for name in ("runtime", "app"):
        shutil.copytree(TEMPLATES / name, out / name)
    shutil.copytree(TOY_MODEL, out / "model")
    (out / "model" / "dd_kernels.h").rename(out / "runtime" / "dd_kernels.h")
    (out / "board").mkdir()
    for source in board_sources(board):
        shutil.copy(TEMPLATES / "boards" / board_name / Path(source).name, out / "board")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "build"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    rendered = {
        "CMakeLists.txt": "CMakeLists.txt",
        "board_config.h": "board/board_config.h",
        "application.h": "app/application.h",
    }
    if board.cortex_m:
        rendered["linker.ld"] = "board/linker.ld"
        for file in TOOLCHAINS:
            shutil.copy(TEMPLATES / "build" / file, out)
    for name, path in rendered.items():
        text = environment.get_template(f"{name}.j2").render(
            board=board,
            kit_version="0.1.0",
            net=NET,
            application="codec",
            chunk=SEGMENT,
            app_sources=app_sources(board, "codec"),
            board_sources=board_sources(board),
        )
        (out / path).write_text(text, encoding="utf-8")
    return out


def build_toy(board_name: str, out: Path, protocol: int | None = None) -> Firmware:
    """Build the toy firmware for a board; the native one with sanitizers.

    ``protocol`` is another version for it to speak.
    """
    project = make_project(board_name, out)
    if protocol is not None:
        header = project / "app" / "hello.h"
        text = header.read_text(encoding="utf-8")
        told = re.sub(r"(DD_PROTOCOL_VERSION) \d+", rf"\1 {protocol}", text)
        header.write_text(told, encoding="utf-8")
    return build(project, sanitize=board_name == "native")
