"""What an instruction costs on a core: rules from the core's manual, kept as data."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable

from dynadeep.codegen.typed import Reader
from dynadeep.host_tools.cycles.program import Instruction
from dynadeep.host_tools.errors import HostError

FOLDER = "cores"
LISTED = re.compile(r"\{([^}]*)\}")
SPAN = re.compile(r"([a-z]+)(\d+)-[a-z]+(\d+)")


@dataclass(frozen=True)
class Rule:
    """What instructions of one kind cost, in cycles."""

    match: str  # a regular expression of the beginning of "mnemonic operands"
    cycles: float
    each: float = 0.0  # for each register of a list
    group: str = ""
    after: dict[str, float] = field(default_factory=dict)  # ``cycles``, behind one of that group
    taken: float | None = None  # None: as for every other instruction of the core

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The expression, compiled once."""
        return re.compile(self.match)


@dataclass(frozen=True)
class Core:
    """A core's timing, and who says so."""

    source: str
    assumed: str  # what the source leaves open
    taken: float = 0.0  # for going on elsewhere than behind a block
    llvm: str = ""  # the core's name for llvm-mca, where LLVM has a model of it
    like: str = ""  # the core whose rules these are
    rule: tuple[Rule, ...] = ()

    def rule_of(self, instruction: Instruction) -> Rule:
        """Return the first rule that an instruction fits; the last one fits all."""
        text = f"{instruction.mnemonic} {instruction.operands}"
        return next(rule for rule in self.rule if rule.pattern.match(text))

    def cycles_of(self, block: Sequence[Instruction]) -> float:
        """Return what a block takes, from its first instruction to its last."""
        cycles, before = 0.0, ""
        for instruction in block:
            rule = self.rule_of(instruction)
            cycles += rule.after.get(before, rule.cycles) + rule.each * registers(instruction)
            before = rule.group
        return cycles

    def overlapping(self, block: Sequence[Instruction], behind: Instruction | None) -> float:
        """Return what less the instruction behind a block takes because of the block's last one.

        The emulator ends its blocks at the end of a page too, and the core knows no pages.
        """
        if not block or behind is None:
            return 0.0
        rule = self.rule_of(behind)
        return rule.cycles - rule.after.get(self.rule_of(block[-1]).group, rule.cycles)

    def cycles_of_leaving(self, block: Sequence[Instruction]) -> float:
        """Return what it takes to go on elsewhere than behind a block."""
        taken = self.rule_of(block[-1]).taken if block else None
        return self.taken if taken is None else taken


def core_names() -> list[str]:
    """Return the cores whose timing is known, sorted."""
    names = (entry.name for entry in _folder().iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def _folder() -> Traversable:
    return resources.files("dynadeep.host_tools.cycles") / FOLDER


def load_core(cpu: str) -> Core:
    """Return a core's timing.

    Raises:
        HostError: nobody has written it down yet.
    """
    if cpu not in core_names():
        raise HostError(
            f"{cpu}: its cycles are not known, those of {', '.join(core_names())} are. "
            f"Add host_tools/cycles/{FOLDER}/{cpu}.toml from its manual."
        )
    name = f"{FOLDER}/{cpu}.toml"
    text = (_folder() / f"{cpu}.toml").read_text(encoding="utf-8")
    reader = Reader(name, HostError, "See cores/cortex-m4.toml.")
    core = reader.read(Core, reader.toml(text))
    if not core.like:
        return core
    base = load_core(core.like)
    return replace(core, taken=base.taken, rule=base.rule, llvm=base.llvm)


def registers(instruction: Instruction) -> int:
    """Return how many registers an instruction's list names."""
    match = LISTED.search(instruction.operands)
    return sum(_lengths(match[1])) if match else 0


def _lengths(register_list: str) -> Iterator[int]:
    for part in re.split(r",\s*", register_list):
        span = SPAN.fullmatch(part)
        yield 1 if span is None else int(span[3]) - int(span[2]) + 1
