"""Which engine, kernels and buffers a board gets, and why; or why the model cannot run on it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dynadeep.codegen.arena import Arena
from dynadeep.codegen.board import Board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.kernels import BUFFERS, KERNELS, Buffers, KernelName, KernelSet, kernels_of
from dynadeep.codegen.plan import Engine, Plan, make_plan, why_not_streamed

CHUNKS = (0, 512, 128, 64)
"""Samples that a request carries, 0 for all of a segment: the fewer requests the better."""


STACK_BESIDES_BYTES = 1_400
"""Stack of the firmware besides the convolution's buffers: 1.2 KB measured, some to spare."""


@dataclass(frozen=True)
class Wanted:
    """What the user wants otherwise than the planner would choose it; None leaves it to choose."""

    engine: Engine | None = None
    kernels: KernelName | None = None


PLANNERS_CHOICE = Wanted()


def plan_for(bundle: Bundle, board: Board | None, wanted: Wanted = PLANNERS_CHOICE) -> Plan:
    """Plan a bundle for a board: the first of the choices, the best first, that fits its RAM.

    The streaming engine is taken wherever the model can be streamed, for the layers engine needs
    ten times its RAM. Keeping the samples for lossless sending comes before leaving that level out,
    large requests before small ones.

    Raises:
        BoardError: nothing fits, or the board cannot keep up with the samples.
        CodegenError: the model cannot be run.
    """
    base = make_plan(bundle)
    chosen = replace(base.choice, engine=wanted.engine or base.choice.engine)
    if board is not None:
        kernels = KERNELS[wanted.kernels] if wanted.kernels else kernels_of(board.core.cpu)
        chosen = replace(chosen, kernels=kernels, buffers=_buffers_for(board, kernels))
    if chosen != base.choice:
        base = make_plan(bundle, chosen)
    if board is None:
        return base
    variants = list(_variants(base))
    fitting = (plan for plan in variants if _fits_ram(plan, board))
    plan = next(fitting, min(variants, key=lambda one: one.ram_bytes(board)))
    check_fit(plan, board)
    return plan


def _buffers_for(board: Board, kernels: KernelSet) -> Buffers:
    """Return the largest buffers for which a board's stack suffices, else the smallest."""
    room = board.ram.stack_bytes if board.ram else math.inf
    fitting = (one for one in BUFFERS if kernels.stack_bytes(one) + STACK_BESIDES_BYTES <= room)
    return next(fitting, BUFFERS[-1])


def _variants(plan: Plan) -> Iterator[Plan]:
    """Yield the choices that are left once the engine is chosen, the best first."""
    if plan.choice.engine == "layers":
        yield plan
        return
    for lossless in (True, False):
        for chunk in CHUNKS:
            if chunk < plan.manifest.segment_length:
                yield replace(plan, choice=replace(plan.choice, chunk=chunk, lossless=lossless))


def _fits_ram(plan: Plan, board: Board) -> bool:
    return board.ram is None or plan.ram_bytes(board) <= board.ram.bytes


def check_fit(plan: Plan, board: Board) -> None:
    """Check that the firmware fits a board before anything is compiled.

    Raises:
        BoardError: it needs more flash or RAM than the board has.
    """
    if board.flash is not None and plan.flash_bytes > board.flash.bytes:
        raise BoardError(
            f"{board.name}: the firmware needs about {plan.flash_bytes} B of flash, the board has "
            f"{board.flash.bytes} B. {plan.constant_bytes} B are weights and tables: use a "
            "smaller network or a larger board."
        )
    if not _fits_ram(plan, board):
        assert board.ram is not None
        name, size = max(
            ((n, s) for n, (_, s) in plan.memory.places.items()), key=lambda one: one[1]
        )
        remedy = (
            "a shorter segment, the streaming engine"
            if isinstance(plan.memory, Arena)
            else ("a narrower network")
        )
        raise BoardError(
            f"{board.name}: the firmware needs about {plan.ram_bytes(board)} B of RAM, the board "
            f"has {board.ram.bytes} B. Activations take {plan.values_bytes} B, most of them {name} "
            f"with {size} B, the stack {board.ram.stack_bytes} B: use {remedy} or a larger board."
        )


def explain(plan: Plan, board: Board) -> list[str]:
    """Return what was chosen for a board and why, one sentence a line."""
    choice = plan.choice
    kernels = f"{choice.kernels.name} kernels, for {board.core.cpu}"
    if choice.engine == "layers":
        why = why_not_streamed(plan.network, plan.manifest) or "as asked for"
        return [f"layers engine ({why}), {kernels}"]
    lines = [f"streaming engine, {kernels}, requests of {plan.chunk} samples"]
    if choice.chunk:
        lines[0] += ", for which the RAM suffices"
    if choice.buffers != BUFFERS[0]:
        lines.append(
            f"the convolution works on {choice.buffers.part} values and {choice.buffers.block} "
            f"channels at a time, for which the stack suffices"
        )
    if not choice.lossless:
        lines.append(
            f"level none is left out: its packet alone takes "
            f"{2 * plan.manifest.segment_length + 1} B of RAM"
        )
    return lines
