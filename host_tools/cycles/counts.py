"""Have an emulated board count what it executes: the counting plugin's plan, and what it wrote."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dynadeep.codegen.board import Board
from dynadeep.codegen.files import write_whole
from dynadeep.host_tools.cycles.plugin import compiled_plugin
from dynadeep.host_tools.cycles.program import BEGIN, END, ENGINE_FILES, Program
from dynadeep.host_tools.errors import HostError

FIELDS = 7


@dataclass(frozen=True)
class BlockCount:
    """How often a block of instructions was executed for a stage."""

    start: int
    bytes: int
    instructions: int
    stage: int  # from 1 on; 0: outside of all kernels
    executed: int
    taken: int  # how often it did not go on with what lies behind it
    flash_reads: int  # reads of data in flash


@dataclass(frozen=True)
class Counting:
    """A run that is counted: what the emulator must be told, and where the counts come to lie."""

    arguments: tuple[str, ...]
    out: Path

    def counts(self) -> tuple[BlockCount, ...]:
        """Return what was counted since the emulator started.

        Raises:
            HostError: nothing was, or it cannot be read.
        """
        if not self.out.is_file():
            raise HostError("the emulator counted nothing. Does this QEMU take plugins?")
        lines = self.out.read_text(encoding="ascii").splitlines()
        return tuple(_block(line) for line in lines)


@contextmanager
def counting(program: Program, board: Board) -> Iterator[Counting]:
    """Yield what an emulator needs in order to count a program's blocks.

    Raises:
        MissingDependencyError: the plugin cannot be compiled here.
    """
    assert board.emulator is not None
    plugin = compiled_plugin(board.emulator.program)
    with TemporaryDirectory(prefix="dynadeep-cycles-") as folder:
        plan, out = Path(folder) / "plan.txt", Path(folder) / "counts.txt"
        write_whole(plan, "".join(f"{line}\n" for line in _plan(program, board, out)))
        options = ",".join(str(option).replace(",", ",,") for option in (plugin, f"plan={plan}"))
        yield Counting(("-plugin", options), out)


def _plan(program: Program, board: Board, out: Path) -> Iterator[str]:
    """Yield the lines of the plugin's plan."""
    begin, end = program.stages
    numbers = {
        "begin": program.start_of(BEGIN),
        "end": program.start_of(END),
        "stages": begin,
        "stages_end": end,
        "stride": (end - begin) // len(program.kernels),
    }
    if board.flash is not None:
        numbers |= {
            "flash": board.flash.origin,
            "flash_end": board.flash.origin + board.flash.bytes,
        }
    yield from (f"{name} {value:x}" for name, value in numbers.items())
    for function in program.functions:
        if function.file in ENGINE_FILES:
            yield f"engine {function.start:x}"
            yield f"engine_end {function.start + function.bytes:x}"
    yield from (f"kernel {kernel:x}" for kernel in program.kernels)
    yield f"out {out}"


def _block(line: str) -> BlockCount:
    fields = line.split()
    if len(fields) != FIELDS:
        raise HostError(f"the emulator's counts hold {line!r}, expected {FIELDS} numbers")
    return BlockCount(int(fields[0], 16), *map(int, fields[1:]))
