"""Cycles of blocks by llvm-mca, for cores that LLVM has a model of."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.host_tools.cycles.program import Instruction

TOOL = "llvm-mca"
TRIPLE = "thumbv8.1m.main-none-eabi"
ITERATIONS = 50
"""A block is taken as the body of a loop: most of what is executed is one."""

REGION = re.compile(r"^\[\d+\] Code Region - (\d+)$")
TOTAL = re.compile(r"^Total Cycles:\s+(\d+)$")
REFUSED = re.compile(r"^<stdin>:(\d+):\d+: error:", re.MULTILINE)
BRANCH = re.compile(
    r"(b|bl|bx|blx|b(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)|cbn?z|tb[bh]|it[te]*|udf)"
    r"(\.[nw])?$"
)
WIDTH = re.compile(r"\.[nw]$")
CONDITION = re.compile(r"(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)$")
IT = re.compile(r"it[te]{0,3}$")
ADDRESS = re.compile(r"\[(?!pc)(\w+)(?:, #-?\d+)?\](?:!|, #-?\d+)?")


def block_cycles(cpu: str, blocks: Mapping[int, Sequence[Instruction]]) -> dict[int, float]:
    """Return what blocks take by LLVM's model of a core, branches not included.

    Args:
        cpu: the core as LLVM calls it.
        blocks: by any number.

    Returns:
        Cycles of each block that could be read, in a run of it after another.

    Raises:
        MissingDependencyError: llvm-mca is not installed.
    """
    tool = shutil.which(TOOL)
    if tool is None:
        raise MissingDependencyError(f"{TOOL}: not installed. Install it: apt-get install llvm")
    command = [tool, f"-mtriple={TRIPLE}", f"-mcpu={cpu}", f"-iterations={ITERATIONS}"]
    command += ["-instruction-info=0", "-resource-pressure=0"]
    assembly = {number: lines for number, block in blocks.items() if (lines := _lines(block))}
    return dict(_analysed(command, assembly))


def _analysed(
    command: Sequence[str], blocks: Mapping[int, Sequence[str]]
) -> Iterator[tuple[int, float]]:
    """Yield the cycles of blocks, without those that llvm-mca refuses or crashes on."""
    if not blocks:
        return
    text, block_of = _text(blocks)
    completed = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if completed.returncode == 0:
        yield from _totals(completed.stdout)
        return
    refused = {block_of[int(line) - 1] for line in REFUSED.findall(completed.stderr)}
    remaining = [number for number in blocks if number not in refused]
    if refused:
        yield from _analysed(command, {number: blocks[number] for number in remaining})
    elif len(remaining) > 1:  # it crashed, and does not say where
        for half in (remaining[: len(remaining) // 2], remaining[len(remaining) // 2 :]):
            yield from _analysed(command, {number: blocks[number] for number in half})


def model_name() -> str:
    """Return which version of llvm-mca says so."""
    tool = shutil.which(TOOL)
    if tool is None:
        return ""
    output = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"LLVM version (\S+)", output)
    return f"{TOOL} {match[1]}" if match else TOOL


def _lines(block: Sequence[Instruction]) -> list[str]:
    """Return a block as assembly, without what belongs to branches.

    Instructions of an IT block lose their condition, and addresses the part that is a number:
    llvm-mca 14 crashes on some that change their base register.
    """
    lines, covered = [], 0
    for instruction in block:
        mnemonic = WIDTH.sub("", instruction.mnemonic)
        mnemonic = CONDITION.sub("", mnemonic) if covered else mnemonic
        covered = len(mnemonic) - 1 if IT.match(mnemonic) else max(covered - 1, 0)
        if not BRANCH.match(instruction.mnemonic):
            lines.append(f"{mnemonic} " + ADDRESS.sub(r"[\1]", instruction.operands))
    return lines


def _text(blocks: Mapping[int, Sequence[str]]) -> tuple[str, list[int]]:
    """Return all blocks as one program, and which block each of its lines belongs to."""
    lines: list[str] = []
    region_of: list[int] = []
    for number, block in blocks.items():
        region = [f"@ LLVM-MCA-BEGIN {number}", *block, "@ LLVM-MCA-END"]
        lines += region
        region_of += [number] * len(region)
    return "\n".join(lines) + "\n", region_of


def _totals(output: str) -> Iterator[tuple[int, float]]:
    number = -1
    for line in output.splitlines():
        if (match := REGION.match(line)) is not None:
            number = int(match[1])
        elif (match := TOTAL.match(line)) is not None:
            yield number, int(match[1]) / ITERATIONS


def branches(block: Sequence[Instruction]) -> list[Instruction]:
    """Return the instructions of a block that llvm-mca is not shown."""
    return [instruction for instruction in block if BRANCH.match(instruction.mnemonic)]
