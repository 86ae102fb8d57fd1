"""What a run will take is foretold by the parts of its kernels' work."""

from dataclasses import replace

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.describe import describe_plan
from dynadeep.codegen.kernels import DSP, KERNELS, LANES
from dynadeep.codegen.ops import OPERATIONS
from dynadeep.codegen.plan import make_plan, plan_model
from dynadeep.codegen.planner import PlanSettings, explain, plan_for
from dynadeep.codegen.prediction import is_counted, kernel_costs, predict, predict_for
from dynadeep.codegen.work import family_of, layer_work
from dynadeep.codegen.work.engine import engine_work
from dynadeep.codegen.work.runs import runs_of
from tests.prediction.spread import manifest_of, networks

M4 = "mps2-an386"


def test_a_run_is_its_layers_and_what_is_besides(bundle: Bundle) -> None:
    board = load_board(M4)
    plan = plan_for(bundle, board)
    prediction = predict_for(plan, board)
    assert [*prediction.instructions_by_layer] == [layer.name for layer in plan.network.layers]
    assert 0.5 < sum(prediction.instructions_by_layer.values()) / prediction.instructions < 1
    assert 0.5 < sum(prediction.cycles_by_layer.values()) / prediction.cycles < 1


def test_tiles_and_calls_are_those_of_the_plan(bundle: Bundle) -> None:
    whole = make_plan(bundle, replace(make_plan(bundle).choice, kernels=DSP, engine="layers"))
    layer = whole.network.layers[0]
    assert runs_of(whole, 0).calls == 1
    assert layer_work(whole, 0)["tiles"] == -(-layer.output.time // DSP.tile)
    streamed = make_plan(bundle, replace(whole.choice, engine="stream"))
    assert runs_of(streamed, 0).steps.sum() == layer.output.time
    assert engine_work(streamed)["calls"] > len(whole.network.layers)
    assert "calls" not in engine_work(whole)


def test_every_kernel_has_costs_on_every_core_that_was_counted() -> None:
    plans = [plan_model(content, manifest_of(content)) for content in networks().values()]
    families = {family_of(layer) for plan in plans for layer in plan.network.layers}
    assert len(families) > len(OPERATIONS) // 3
    for cpu, costs in kernel_costs().items():
        assert families <= costs.keys(), cpu
        assert {"stream", "layers"} <= costs.keys()
        assert all(min(cost) >= 0 for parts in costs.values() for cost in parts.values())


def test_a_slow_flash_costs_cycles_and_a_cache_takes_some_back(bundle: Bundle) -> None:
    board = load_board(M4)
    plan = plan_for(bundle, board)
    assert board.flash is not None
    slow = replace(board.flash, wait_states=5)
    cached = replace(slow, cache_hit_rate=0.9)
    cycles = [predict(plan, "cortex-m4", flash).cycles for flash in (board.flash, cached, slow)]
    assert cycles == sorted(set(cycles))


def test_kernels_on_foreign_cores_have_rough_figures_and_say_so(bundle: Bundle) -> None:
    board = load_board("microbit")
    plan = plan_for(bundle, board, PlanSettings(kernels="lanes"))
    assert plan.choice.kernels is LANES
    assert not is_counted(plan, "cortex-m0")
    rough = predict(plan, "cortex-m0")
    assert rough.cycles == pytest.approx(rough.instructions * LANES.cost("cortex-m0").cycles)
    assert explain(plan, board)[1].endswith("roughly")
    own = make_plan(bundle, replace(plan.choice, kernels=KERNELS["dsp"]))
    assert is_counted(own, "cortex-m33")


def test_the_plan_shows_what_each_layer_will_take(bundle: Bundle) -> None:
    board = load_board(M4)
    plan = plan_for(bundle, board)
    prediction = predict_for(plan, board)
    text = describe_plan(plan, board)
    for layer in plan.network.layers:
        (line,) = (line for line in text.splitlines() if f"  {layer.name}  " in line)
        assert f"{prediction.instructions_by_layer[layer.name]:,.0f}" in line
        assert f"{prediction.cycles_by_layer[layer.name]:,.0f}" in line
    assert "M instructions" in explain(plan, board)[1]
    assert "cycles" not in describe_plan(plan)
