"""Instructions cost what each core's manual says."""

import pytest

from dynadeep.codegen.board import Flash, board_names, load_board
from dynadeep.host_tools.cycles import mca
from dynadeep.host_tools.cycles.costs import core_names, load_core, registers
from dynadeep.host_tools.cycles.counts import BlockCount
from dynadeep.host_tools.cycles.estimate import waiting
from dynadeep.host_tools.cycles.program import Instruction
from dynadeep.host_tools.errors import HostError


def block(*lines: str) -> list[Instruction]:
    return [Instruction(0, 2, *line.split(" ", 1)) for line in lines]


@pytest.mark.parametrize(
    ("cpu", "lines", "cycles"),
    [
        # Cortex-M4 TRM, table 3-1, and 3.3.3 for loads behind each other.
        ("cortex-m4", ["smlad r0, r1, r2, r0", "add.w r0, r1, r2"], 2),
        ("cortex-m4", ["ldr r0, [r1]", "ldr.w r2, [r1, #4]", "str r2, [r3]"], 4),
        ("cortex-m4", ["ldr r0, [r1]", "adds r2, #1", "ldr r3, [r1]"], 5),
        ("cortex-m4", ["ldmia r3!, {r0, r1, r2}"], 4),
        ("cortex-m4", ["stmdb sp!, {r4-r11, lr}"], 10),
        ("cortex-m4", ["ldrd r0, r1, [r2]"], 3),
        ("cortex-m4", ["vldr s0, [r0]", "vmla.f32 s0, s1, s2", "vdiv.f32 s0, s1, s2"], 19),
        ("cortex-m33", ["ldr r0, [r1]", "adds r2, #1"], 3),
        ("cortex-m3", ["smull r0, r1, r2, r3", "mla r0, r1, r2, r3"], 6),
        ("cortex-m0", ["muls r0, r1", "ldr r0, [r1]", "push {r4, r5, lr}"], 7),
        ("cortex-m55", ["vldrb.u8 q0, [r0], #16", "vmladava.s8 lr, q0, q1"], 3),
        ("cortex-m55", ["vmladava.s8 lr, q0, q1", "vmladava.s8 r2, q0, q2"], 4),
    ],
)
def test_a_block_costs_what_the_manual_says(cpu: str, lines: list[str], cycles: float) -> None:
    assert load_core(cpu).cycles_of(block(*lines)) == cycles


@pytest.mark.parametrize(
    ("cpu", "line", "cycles"),
    [
        ("cortex-m4", "bne.n 10 <f>", 3),  # 1 + P
        ("cortex-m3", "pop {r4, pc}", 5),  # 1 + N + P
        ("cortex-m0", "bne.n 10 <f>", 3),
        ("cortex-m0", "bl 10 <f>", 4),
        ("cortex-m0", "pop {r4, pc}", 6),  # 4 + N
        ("cortex-m0plus", "beq.n 10 <f>", 2),
        ("cortex-m0plus", "bl 10 <f>", 3),
        ("cortex-m0plus", "pop {r4, pc}", 5),  # 3 + N
        ("cortex-m55", "le lr, 10 <f>", 0),
    ],
)
def test_a_jump_costs_what_the_manual_says(cpu: str, line: str, cycles: float) -> None:
    core, jump = load_core(cpu), block(line)
    assert core.cycles_of(jump) + core.cycles_of_leaving(jump) == cycles


@pytest.mark.parametrize("cpu", core_names())
def test_every_core_says_where_its_cycles_are_from(cpu: str) -> None:
    core = load_core(cpu)
    assert core.source
    assert core.assumed
    assert core.rule_of(block("anything r0")[0]).cycles > 0  # the last rule fits all


def test_every_board_has_a_core_whose_cycles_are_known() -> None:
    boards = [load_board(name) for name in board_names()]
    assert {board.core.cpu for board in boards if board.cortex_m} <= set(core_names())
    with pytest.raises(HostError, match=r"cortex-m85: .* Add host_tools/cycles/cores/cortex-m85"):
        load_core("cortex-m85")


def test_registers_of_a_list_are_counted() -> None:
    listed = {"sp!, {r4, r5, lr}": 3, "r0, {r1-r7, pc}": 8, "{s16-s31}": 16, "r0, [r1]": 0}
    for operands, count in listed.items():
        assert registers(Instruction(0, 2, "any", operands)) == count


def test_waiting_is_for_what_no_cache_has() -> None:
    counted = BlockCount(0, 32, 8, 1, executed=100, taken=10, flash_reads=40)
    assert waiting(counted, Flash(0, 1)) == 0
    slow = Flash(0, 1, wait_states=5, fetch_bytes=16)
    assert waiting(counted, slow) == (200 + 10 + 40) * 5
    cached = Flash(0, 1, wait_states=5, fetch_bytes=16, cache_hit_rate=0.9)
    assert waiting(counted, cached) == pytest.approx(125)


def test_llvm_prices_pairs_of_instructions_where_it_has_a_model() -> None:
    pairs = block(*(f"add.w r{i}, r{i}, #1" for i in range(4)))
    single = block(*(["smlad r0, r1, r2, r0"] * 4))
    cycles = mca.block_cycles("cortex-m7", {1: pairs, 2: single})
    assert cycles[1] < 3
    assert cycles[2] >= 4


def test_a_block_that_llvm_refuses_is_left_to_the_rules() -> None:
    good, odd = block("adds r0, #1"), block("notknown r0, r1")
    assert set(mca.block_cycles("cortex-m7", {1: good, 2: odd, 3: good})) == {1, 3}


def test_instructions_of_an_it_block_are_priced_without_their_condition() -> None:
    lines = block("cmp r0, r1", "ite lt", "movlt r2, r3", "movge r2, r4", "ldr.w r5, [r6], #4")
    assert 1 in mca.block_cycles("cortex-m7", {1: lines})
