"""What the planner chooses for a board, and what it refuses."""

from dataclasses import replace

import pytest

from dynadeep.codegen import plan as plan_module
from dynadeep.codegen.applications import ram_bytes
from dynadeep.codegen.board import Board, board_names, load_board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.graph import Graph
from dynadeep.codegen.kernels import BUFFERS, DSP, KERNELS, kernels_of
from dynadeep.codegen.planner import PlanSettings, busy_s, explain, plan_for, segment_s
from dynadeep.codegen.tflite import read_graph
from tests.emulated import TOO_SMALL


@pytest.fixture(scope="module")
def bundle(shipped_bundle: Bundle) -> Bundle:
    """The shipped network's, whose times and sizes are known."""
    return shipped_bundle


@pytest.fixture(scope="module")
def m4() -> Board:
    return load_board("mps2-an386")


@pytest.mark.parametrize("name", board_names())
def test_every_board_gets_a_plan_that_fits_its_ram(
    bundle: Bundle, reconstruction_bundle: Bundle, name: str
) -> None:
    board = load_board(name)
    plan = plan_for(reconstruction_bundle if name == TOO_SMALL else bundle, board)
    assert plan.choice.engine == "stream"
    if board.ram is not None:
        assert ram_bytes(plan, board) <= board.ram.bytes
        assert plan.stack_bytes <= board.ram.stack_bytes  # as the generated header states it
    assert f"{plan.choice.kernels.name} kernels, for {board.core.cpu}" in explain(plan, board)[0]


@pytest.mark.parametrize("reserved", [0, 8, 2176, 2416])
def test_less_stack_than_the_header_states_is_refused_with_the_numbers(
    bundle: Bundle, reserved: int
) -> None:
    board = load_board("stm32vldiscovery")
    assert board.ram is not None
    small = replace(board, ram=replace(board.ram, stack_bytes=reserved))
    with pytest.raises(
        BoardError,
        match=rf"takes up to 2424 B of stack .* reserves {reserved} B. Set stack_bytes to 2424 or",
    ):
        plan_for(bundle, small)


def test_with_room_it_takes_the_whole_segment_and_the_smallest_tile(
    bundle: Bundle, m4: Board
) -> None:
    plan = plan_for(bundle, m4)
    assert plan.choice.kernels is DSP
    assert (plan.chunk, plan.choice.lossless, plan.choice.buffers) == (2000, True, DSP.buffers[0])
    assert plan.memory.tile == DSP.tile


def test_the_shipped_network_is_refused_where_it_does_not_fit(bundle: Bundle) -> None:
    with pytest.raises(BoardError, match=r"needs about 9\d\d\d B of RAM, the board has 8192 B"):
        plan_for(bundle, load_board(TOO_SMALL))


def test_eight_kilobytes_suffice_without_lossless_sending(reconstruction_bundle: Bundle) -> None:
    board = load_board(TOO_SMALL)
    plan = plan_for(reconstruction_bundle, board)
    assert (plan.choice.lossless, plan.choice.buffers) == (False, BUFFERS[-1])
    assert any("level none is left out" in line for line in explain(plan, board))


def test_a_tight_deadline_buys_larger_tiles_with_ram(bundle: Bundle, m4: Board) -> None:
    loose = plan_for(bundle, m4)
    tight = PlanSettings(deadline_s=0.995 * busy_s(loose, m4))
    plan = plan_for(bundle, m4, tight)
    assert plan.memory.tile > loose.memory.tile
    assert ram_bytes(plan, m4) > ram_bytes(loose, m4)
    assert any("for the deadline" in line for line in explain(plan, m4))


def test_a_deadline_that_nothing_meets_is_refused_with_both_times(
    bundle: Bundle, m4: Board
) -> None:
    with pytest.raises(
        BoardError, match=r"mps2-an386: .* M instructions, [01]\.\d\d s .*deadline is 0\.10 s"
    ):
        plan_for(bundle, m4, PlanSettings(deadline_s=0.1))


def test_a_board_that_cannot_keep_up_with_its_samples_is_refused(bundle: Bundle) -> None:
    slow = load_board("microbit")
    slow = replace(slow, core=replace(slow.core, clock_hz=8_000_000))
    with pytest.raises(BoardError, match=r"at 8 MHz; its samples take 6\.67 s"):
        plan_for(bundle, slow)
    at_leisure = plan_for(bundle, slow, PlanSettings(deadline_s=60))
    assert busy_s(at_leisure, slow) > segment_s(at_leisure)


def test_kernels_of_another_core_are_planned_with_the_time_of_their_c(bundle: Bundle) -> None:
    with pytest.raises(BoardError, match=r"microbit: .* 28\d\.\d M instructions, .* 6\.67 s"):
        plan_for(bundle, load_board("microbit"), PlanSettings(kernels="helium"))


@pytest.mark.parametrize("name", ["microbit", "mps2-an385", "mps2-an386", "mps3-an547"])
def test_no_other_kernel_set_is_faster_than_a_cores_own(name: str) -> None:
    cpu = load_board(name).core.cpu
    costs = {kernels.name: kernels.cost(cpu) for kernels in KERNELS.values()}
    best = min(costs, key=lambda kind: costs[kind].per_mac * costs[kind].cycles)
    assert best == kernels_of(cpu).name


def test_the_model_is_read_once_for_all_plans(
    bundle: Bundle, m4: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []

    def counting(content: bytes, file: str) -> Graph:
        read.append(content)
        return read_graph(content, file)

    plan_module._lowered.cache_clear()
    monkeypatch.setattr(plan_module, "read_graph", counting)
    plan_for(bundle, m4)
    plan_for(bundle, m4, PlanSettings(kernels="lanes"))
    assert len(read) == 1
