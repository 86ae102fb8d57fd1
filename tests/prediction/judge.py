"""How far predictions are off on networks that nothing was fitted to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dynadeep.codegen.bundle import Bundle, read_bundle
from dynadeep.codegen.code_size import flash_bytes
from dynadeep.codegen.errors import CodegenError
from dynadeep.codegen.plan import Plan, make_plan, plan_model
from dynadeep.codegen.prediction import predict_for
from dynadeep.host_tools.link.device import Values
from dynadeep.host_tools.measure.references import golden_cases
from tests.caching import ROOT, SMALL_BUNDLE
from tests.net_bundles import NET_BUNDLES
from tests.prediction.counting import counted, emulated_board, flash_of, own_choice
from tests.prediction.fit import inputs_of
from tests.prediction.spread import manifest_of

SMALL_LAYER = 0.02
"""Of a run: a layer of less is judged by its error relative to the whole run."""

FILES = (
    *sorted(ROOT.glob("tests/networks/models/*.tflite")),
    *sorted(ROOT.glob("tests/data/operators/*.tflite")),
)


@dataclass(frozen=True)
class Errors:
    """How far a prediction is off: predicted over found, less one."""

    flash: float
    instructions: float
    cycles: float
    by_layer: float  # the worst of instructions of a layer of at least SMALL_LAYER of the run
    cycles_by_layer: float
    small: float  # the worst of the smaller layers, relative to the whole run
    layer: str  # whose ``by_layer`` it is


def errors_of(plan: Plan, cpu: str, values: Values) -> Errors:
    """Count a run and hold it against its prediction."""
    board = emulated_board(cpu)
    costs, foretold = counted(plan, board, values), predict_for(plan, board)
    flash = sum(flash_of(plan, board).values())
    names = [layer.name for layer in plan.network.layers]
    whole = [*costs.layers, costs.besides]
    instructions = sum(cost.instructions for cost in whole)
    large, cycles, small = [(0.0, "-")], [0.0], [0.0]
    for name, counts in zip(names, costs.layers, strict=True):
        off = foretold.instructions_by_layer[name] - counts.instructions
        if counts.instructions < SMALL_LAYER * instructions:
            small.append(off / instructions)
            continue
        large.append((off / counts.instructions, name))
        cycles.append(foretold.cycles_by_layer[name] / counts.cycles - 1)
    worst, layer = max(large, key=lambda error: abs(error[0]))
    return Errors(
        flash=flash_bytes(plan, board) / flash - 1,
        instructions=foretold.instructions / instructions - 1,
        cycles=foretold.cycles / sum(cost.cycles for cost in whole) - 1,
        by_layer=worst,
        cycles_by_layer=max(cycles, key=abs),
        small=max(small, key=abs),
        layer=layer,
    )


def bundles() -> list[Bundle]:
    """Return the bundles that the repository holds: a codec, and networks alone."""
    return [read_bundle(path) for path in (SMALL_BUNDLE, NET_BUNDLES / "branches")]


def judged(cpu: str) -> Iterator[tuple[str, Errors]]:
    """Yield each network and its errors on a core."""
    for bundle in bundles():
        plan = make_plan(bundle, own_choice(cpu))
        yield bundle.folder.name, errors_of(plan, cpu, golden_cases(bundle)[0].input)
    for path in FILES:
        content = path.read_bytes()
        try:
            plan = plan_model(content, manifest_of(content), own_choice(cpu))
        except CodegenError:
            continue  # refused: tests/codegen/test_operators.py says which
        yield path.stem, errors_of(plan, cpu, inputs_of(plan))


def table(cpus: Sequence[str]) -> Iterator[str]:
    """Yield the errors as rows of Markdown."""
    columns = ["core", "network", "flash", "instructions", "cycles", "a layer's instructions"]
    columns += ["a layer's cycles", "small layers, of the run", "layer"]
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for cpu in cpus:
        for name, errors in judged(cpu):
            figures = (errors.flash, errors.instructions, errors.cycles, errors.by_layer)
            cells = [f"{off:+.1%}" for off in (*figures, errors.cycles_by_layer, errors.small)]
            yield f"| {' | '.join([cpu, name, *cells, errors.layer])} |"
