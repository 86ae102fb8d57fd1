"""What a board's C writes to its registers: it is run on this computer, where they are memory."""

import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from dynadeep.codegen.board import load_board

TEMPLATES = Path(__file__).parents[2] / "firmware_templates"
HERE = Path(__file__).parent
M7_STUB = "static inline void cortex_m7_caches_on(void)\n{\n}\n"


def compile_for(board_name: str, out: Path, *, counter: bool = False) -> Path:
    """Build a board's C, or with ``counter`` its counter's, for this computer."""
    board = load_board(board_name)
    assert board.uart is not None
    out.mkdir(parents=True, exist_ok=True)
    (out / "cortex_m7.h").write_text(M7_STUB, encoding="utf-8")  # instructions of that core
    (out / "board_config.h").write_text(
        f"#define BOARD_CLOCK_HZ {board.core.clock_hz}u\n"
        f"#define BOARD_UART_BASE {board.uart.base:#x}u\n"
        f"#define BOARD_UART_BAUD {board.uart.baud}u\n",
        encoding="utf-8",
    )
    app = TEMPLATES / "app"
    sources = [
        TEMPLATES / "boards" / board_name / "board.c",
        app / f"uart_{board.uart.driver}.c",
    ]
    if counter:
        sources = [app / f"counter_{board.counter.driver}.c"]
    program = out / "registers"
    options = ["-std=c11", "-O1", "-Wall", "-Werror", *(["-DCOUNTER"] if counter else [])]
    command = ["cc", *options, f"-I{out}", f"-I{app}", *map(str, [HERE / "registers.c", *sources])]
    subprocess.run([*command, "-o", str(program)], check=True)
    return program


def registers_after_init(board_name: str, out: Path, before: Mapping[int, int]) -> dict[int, int]:
    """Return all registers after ``board_init``, those that are 0 by default."""
    given = [f"{address:x}={value:x}" for address, value in before.items()]
    done = subprocess.run(
        [compile_for(board_name, out), *given], capture_output=True, text=True, check=True
    )
    found: dict[int, int] = defaultdict(int)
    for line in done.stdout.splitlines():
        address, value = line.split()
        found[int(address, 16)] = int(value, 16)
    return found
