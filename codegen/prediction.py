"""What a run will take, before any compiler runs: instructions and cycles, by layer and as a whole.

A layer's work is counted in the parts that its kernel does so and so often (``work``). What a part
costs was fitted to what the counting plugin saw of other networks on each core
(``kernel_costs.toml``). Kernels on cores that they were not made for have rougher figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple

from dynadeep.codegen.board import Board, Flash
from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.kernels import kernels_of
from dynadeep.codegen.layers import Layer
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.typed import Reader
from dynadeep.codegen.work import family_of, layer_work
from dynadeep.codegen.work.engine import engine_work
from dynadeep.codegen.work.runs import Work

COSTS = "kernel_costs.toml"

NO_WAITING = Flash(0, 1)
"""A flash as fast as the core."""

LIKE = {"cortex-m35p": "cortex-m33"}
"""Cores that run what was counted on another, because nothing emulates them."""

ROUGH: Mapping[str, float] = {"calls": 200.0, "stages": 60.0, "values": 16.0, "samples": 16.0}
"""Instructions around the kernels, on a core that nobody counted."""


class Cost(NamedTuple):
    """What something takes; cycles of a core that never waits."""

    instructions: float = 0.0
    cycles: float = 0.0
    fetched: float = 0.0  # bytes of instructions
    accesses: float = 0.0  # of the flash besides: jumps, and reads of constants

    def behind(self, flash: Flash) -> float:
        """Return the cycles behind a flash: ``waiting`` of host_tools/cycles."""
        reads = self.fetched / flash.fetch_bytes + self.accesses
        return self.cycles + reads * (1 - flash.cache_hit_rate) * flash.wait_states


Costs = dict[str, dict[str, tuple[float, float, float, float]]]
"""Of one core: by family of kernels and part, what one of it takes, as in ``Cost``."""


@dataclass(frozen=True)
class Prediction:
    """Of one run that takes least: ``layers`` are what their kernels take."""

    instructions: float
    cycles: float
    instructions_by_layer: dict[str, float]
    cycles_by_layer: dict[str, float]


def predict(plan: Plan, cpu: str, flash: Flash | None = None) -> Prediction:
    """Return what a run of a plan will take on a core, behind a flash that may be slow."""
    memory = flash or NO_WAITING
    layers = {
        layer.name: _layer_cost(plan, number, layer, cpu)
        for number, layer in enumerate(plan.network.layers)
    }
    costs = [*layers.values(), _engine_cost(plan, cpu)]
    return Prediction(
        instructions=sum(cost.instructions for cost in costs),
        cycles=sum(cost.behind(memory) for cost in costs),
        instructions_by_layer={name: cost.instructions for name, cost in layers.items()},
        cycles_by_layer={name: cost.behind(memory) for name, cost in layers.items()},
    )


def predict_for(plan: Plan, board: Board) -> Prediction:
    """Return what a run of a plan will take on a board."""
    return predict(plan, board.core.cpu, board.flash)


def is_counted(plan: Plan, cpu: str) -> bool:
    """Return whether a plan's kernels were counted on a core: predictions are close then."""
    return bool(_costs(plan, cpu))


def _costs(plan: Plan, cpu: str) -> Costs:
    """Return what parts cost on a core, nothing where a plan's kernels are not its own."""
    if plan.choice.kernels is not kernels_of(cpu):
        return {}
    measured = kernel_costs()
    return measured.get(cpu) or measured.get(LIKE.get(cpu, ""), {})


def _layer_cost(plan: Plan, number: int, layer: Layer, cpu: str) -> Cost:
    costs = _costs(plan, cpu).get(family_of(layer))
    if costs is not None:
        return priced(layer_work(plan, number), costs)
    kernels = plan.choice.kernels
    return _rough(layer.instructions(kernels, cpu), kernels.cost(cpu).cycles)


def _engine_cost(plan: Plan, cpu: str) -> Cost:
    work = engine_work(plan)
    costs = _costs(plan, cpu).get(plan.choice.engine)
    if costs is not None:
        return priced(work, costs)
    instructions = sum(count * ROUGH.get(part, 0.0) for part, count in work.items())
    return _rough(instructions, plan.choice.kernels.cost(cpu).cycles)


def _rough(instructions: float, cycles: float) -> Cost:
    """Return the cost of some instructions of so many cycles each."""
    return Cost(instructions, instructions * cycles, 3.3 * instructions, 0.12 * instructions)


def priced(work: Work, costs: Mapping[str, tuple[float, float, float, float]]) -> Cost:
    """Return what work costs."""
    counted = [(count, costs[part]) for part, count in work.items() if part in costs]
    return Cost(*(sum(count * cost[i] for count, cost in counted) for i in range(4)))


@cache
def kernel_costs() -> dict[str, Costs]:
    """Return what the parts cost, by core."""
    text = (resources.files("dynadeep.codegen") / COSTS).read_text(encoding="utf-8")
    reader = Reader(COSTS, BoardError, "Fit it again: python -m tests.prediction fit.")
    return reader.read(dict[str, Costs], reader.toml(text))
