"""The estimate: what a counted run takes in cycles, as a whole, by layer and by function."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dynadeep.codegen.board import Flash
from dynadeep.host_tools.cycles import mca
from dynadeep.host_tools.cycles.costs import Core, load_core
from dynadeep.host_tools.cycles.counts import BlockCount
from dynadeep.host_tools.cycles.program import Instruction, Program

Blocks = Mapping[tuple[int, int], Sequence[Instruction]]
"""By where they start and their bytes."""


@dataclass(frozen=True)
class CyclesEstimate:
    """Cycles of one inference: counted instructions, priced by a model of the core.

    ``layers`` holds what their kernels take; ``besides`` is the engine around them, and of a
    codec all that is not the network.
    """

    core: str
    source: str  # of the core's timing
    assumed: str
    wait_states: int
    cache_hit_rate: float
    total: int
    besides: int
    layers: dict[str, int]
    functions: dict[str, int]  # most first
    instructions: int  # exact, of the same run
    instructions_by_layer: dict[str, int]
    estimate: bool = True

    @property
    def per_instruction(self) -> float:
        """Cycles for an instruction."""
        return self.total / max(self.instructions, 1)


def price(
    program: Program, counts: Sequence[BlockCount], cpu: str, flash: Flash, layers: Sequence[str]
) -> CyclesEstimate:
    """Price a counted run on a core behind a flash.

    Args:
        program: what ran.
        counts: of its blocks.
        cpu: the core by gcc's name.
        flash: its wait states and what hides them.
        layers: the names of the stages, in their order.

    Raises:
        HostError: the core's cycles are not known.
        MissingDependencyError: llvm-mca is needed for this core, and not installed.
    """
    core = load_core(cpu)
    blocks = {
        (count.start, count.bytes): program.block(count.start, count.bytes) for count in counts
    }
    cost = _costs(core, blocks)
    by_stage: defaultdict[int, float] = defaultdict(float)
    by_function: defaultdict[str, float] = defaultdict(float)
    instructions: defaultdict[int, int] = defaultdict(int)
    for count in counts:
        block = blocks[count.start, count.bytes]
        cycles = cost[count.start, count.bytes] * count.executed
        cycles += core.cycles_of_leaving(block) * count.taken + waiting(count, flash)
        cycles -= core.overlapping(block, program.behind(block)) * (count.executed - count.taken)
        by_stage[count.stage] += cycles
        by_function[program.function_at(count.start)] += cycles
        instructions[count.stage] += count.executed * count.instructions
    return CyclesEstimate(
        core=cpu,
        source=f"{core.source} ({mca.model_name()})" if core.llvm else core.source,
        assumed=core.assumed,
        wait_states=flash.wait_states,
        cache_hit_rate=flash.cache_hit_rate,
        total=round(sum(by_stage.values())),
        besides=round(by_stage[0]),
        layers={name: round(by_stage[i]) for i, name in enumerate(layers, start=1)},
        functions=dict(_most_first(by_function)),
        instructions=sum(instructions.values()),
        instructions_by_layer={name: instructions[i] for i, name in enumerate(layers, start=1)},
    )


def waiting(count: BlockCount, flash: Flash) -> float:
    """Return the cycles that a block's fetches and reads wait for the flash.

    A fetch brings ``fetch_bytes``; a jump begins a new one; what the cache has costs nothing.
    """
    fetches = count.executed * count.bytes / flash.fetch_bytes + count.taken
    return (fetches + count.flash_reads) * (1 - flash.cache_hit_rate) * flash.wait_states


def _costs(core: Core, blocks: Blocks) -> dict[tuple[int, int], float]:
    """Return what each block takes, by LLVM's model where the core has one."""
    by_rules = {place: core.cycles_of(block) for place, block in blocks.items()}
    if not core.llvm:
        return by_rules
    places = list(blocks)
    modelled = mca.block_cycles(core.llvm, dict(enumerate(blocks.values())))
    branches = {
        places[number]: cycles + core.cycles_of(mca.branches(blocks[places[number]]))
        for number, cycles in modelled.items()
    }
    return by_rules | branches


def _most_first(functions: Mapping[str, float]) -> Iterator[tuple[str, int]]:
    for name, cycles in sorted(functions.items(), key=lambda item: (-item[1], item[0])):
        yield name, round(cycles)
