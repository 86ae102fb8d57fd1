"""A few lines of assembly, executed in QEMU under the counting plugin and priced for a core."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path

from dynadeep.codegen.board import Board, Flash, load_board
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.cycles.counts import BlockCount, counting
from dynadeep.host_tools.cycles.estimate import CyclesEstimate, price
from dynadeep.host_tools.cycles.program import Program, read_program

HERE = Path(__file__).parent
BOARD = load_board("mps2-an386")
PATIENCE_S = 60.0
LAYER = "kernel"
NO_WAITING = Flash(0, 1)
SCRIPT = """
SECTIONS {
    .vectors 0 : { *(.vectors) }
    .stages 0x100 : { *(.stages) }
    .text : { *(.text) }
}
"""


def build(body: str, folder: Path, *, flags: tuple[str, ...] = ("-mcpu=cortex-m4",)) -> Path:
    """Return the ELF file of a program whose kernel is ``body``."""
    (folder / "body.s").write_text(body + "\n")
    (folder / "script.ld").write_text(SCRIPT)
    elf = folder / "program.elf"
    command = [toolchain.require("arm-none-eabi-gcc"), *flags, "-mthumb", "-nostdlib"]
    command += [f"-I{folder}", "-Wa,-I", f"-Wa,{folder}", "-T", str(folder / "script.ld")]
    sources = [str(HERE / name) for name in ("program.s", "engine.s")]
    subprocess.run([*command, *sources, "-o", str(elf)], check=True, cwd=folder)
    return elf


def count(body: str, folder: Path, board: Board = BOARD) -> tuple[Program, tuple[BlockCount, ...]]:
    """Return a program whose kernel is ``body``, and what of it was executed."""
    elf = build(body, folder, flags=(f"-mcpu={board.core.cpu}",))
    program = read_program(elf, 1)
    assert board.emulator is not None
    with counting(program, board) as counted:
        command = ["qemu-system-arm", "-M", board.emulator.machine, "-kernel", str(elf)]
        command += ["-display", "none", "-monitor", "none", "-serial", "none"]
        emulator = subprocess.Popen([*command, *board.emulator.arguments, *counted.arguments])
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not counted.out.is_file() and time.monotonic() < deadline:
                time.sleep(0.02)
            return program, counted.counts()
        finally:
            emulator.kill()
            emulator.wait()


def estimate(
    body: str, folder: Path, cpu: str = "cortex-m4", flash: Flash = NO_WAITING
) -> CyclesEstimate:
    """Return the estimate of a run of ``body``, which lies in flash."""
    board = replace(BOARD, flash=Flash(0, 4096))
    program, counts = count(body, folder, board)
    return price(program, counts, cpu, flash, [LAYER])
