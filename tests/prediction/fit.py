"""Fit what parts of a run cost to what the plugin counted: ``python -m tests.prediction fit``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from dynadeep.codegen.bundle import read_bundle
from dynadeep.codegen.plan import Plan, make_plan, plan_model
from dynadeep.codegen.prediction import Cost, Costs
from dynadeep.codegen.work import family_of, layer_work
from dynadeep.codegen.work.engine import engine_work
from dynadeep.codegen.work.runs import Work
from dynadeep.host_tools.link.device import Values
from dynadeep.host_tools.measure.references import golden_cases
from tests.caching import SMALL_BUNDLE
from tests.prediction.counting import counted, emulated_board, own_choice
from tests.prediction.spread import manifest_of, spread

LEAST = 0.002
"""Of all the run: a layer that takes less is fitted as if it took so much."""

NOISE = 1e-9
"""What one part may cost by the solver's rounding alone."""

HEAD = """# What the parts of a run (work/) cost on each core with its own kernels, by family:
# instructions, cycles of a core that never waits, bytes of instructions fetched, other accesses of
# the flash. Made by `python -m tests.prediction fit`.
"""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """A layer of a run, or what is besides all layers."""

    family: str
    name: str
    work: Work
    counts: Cost
    whole: float  # instructions of the run


def samples_of(plan: Plan, cpu: str, values: Values) -> Iterator[Sample]:
    """Yield a counted run's layers, then what is besides."""
    costs = counted(plan, emulated_board(cpu), values)
    whole = costs.besides.instructions + sum(cost.instructions for cost in costs.layers)
    for number, (layer, counts) in enumerate(zip(plan.network.layers, costs.layers, strict=True)):
        yield Sample(family_of(layer), layer.name, layer_work(plan, number), counts, whole)
    yield Sample(plan.choice.engine, "besides", engine_work(plan), costs.besides, whole)


def inputs_of(plan: Plan) -> Values:
    """Return a random input of a network."""
    values = np.random.default_rng(1).integers(-128, 128, plan.input_values)
    return values.astype(np.int8)


def spread_samples(cpu: str) -> list[Sample]:
    """Return all that a core's costs are fitted to: the spread, and a codec for its samples."""
    samples: list[Sample] = []
    for content, engine in spread():
        plan = plan_model(content, manifest_of(content), own_choice(cpu, engine))
        samples += samples_of(plan, cpu, inputs_of(plan))
    small = read_bundle(SMALL_BUNDLE)
    values = golden_cases(small)[0].input
    for engine in ("stream", "layers"):
        plan = make_plan(small, replace(own_choice(cpu), engine=engine))
        *_, besides = samples_of(plan, cpu, values)
        samples.append(besides)
    return samples


def fitted(samples: Sequence[Sample]) -> Costs:
    """Return what each part costs: the least relative errors, nothing negative."""
    costs: Costs = {}
    for family in sorted({sample.family for sample in samples}):
        members = [sample for sample in samples if sample.family == family]
        names = sorted({name for sample in members for name, count in sample.work.items() if count})
        columns = [_solved(members, names, measure) for measure in Cost._fields]
        rows = {name: Cost(*map(_rounded, row)) for name, *row in zip(names, *columns, strict=True)}
        costs[family] = {name: row for name, row in rows.items() if any(row)}
    return costs


def _rounded(value: float) -> float:
    """Return five digits, and nothing of what is a solver's noise."""
    return float(f"{value:.5g}") if value > NOISE else 0.0


def _solved(samples: Sequence[Sample], names: Sequence[str], measure: str) -> Floats:
    rows = np.array(
        [[sample.work.get(name, 0) for name in names] for sample in samples], np.float64
    )
    measured = np.array([getattr(sample.counts, measure) for sample in samples])
    per = sum(measured) / sum(sample.counts.instructions for sample in samples)
    least = np.array([LEAST * sample.whole * per for sample in samples])
    weights = 1 / np.maximum(np.maximum(measured, least), 1)
    scale = np.maximum(np.abs(rows * weights[:, None]).max(axis=0), 1e-30)
    solution, _ = nnls(rows * weights[:, None] / scale, measured * weights)
    return np.asarray(solution / scale)


def fit(cpus: Sequence[str]) -> dict[str, Costs]:
    """Return the costs of all cores."""
    return {cpu: fitted(spread_samples(cpu)) for cpu in cpus}


def text_of(costs: dict[str, Costs]) -> str:
    """Return the costs as TOML."""
    lines = [HEAD.rstrip()]
    for cpu, families in sorted(costs.items()):
        for family, parts in sorted(families.items()):
            lines += ["", f"[{cpu}.{family}]"]
            lines += [
                f"{part} = [{', '.join(f'{value:g}' for value in cost)}]"
                for part, cost in sorted(parts.items())
            ]
    return "\n".join(lines) + "\n"
