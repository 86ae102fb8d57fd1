"""Which engine, kernels and buffers a board gets, and why; or why the model cannot run on it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dynadeep.codegen.alignment import STACK_ALIGNMENT, aligned
from dynadeep.codegen.applications import Wish, ram_bytes
from dynadeep.codegen.arena import Arena
from dynadeep.codegen.board import DESCRIPTION, Board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.code_size import flash_bytes
from dynadeep.codegen.errors import BoardError, ModelError
from dynadeep.codegen.kernels import KERNELS, Buffers, KernelName, KernelSet, kernels_of
from dynadeep.codegen.plan import (
    STACK_BESIDES_BYTES,
    Choice,
    Engine,
    Plan,
    make_plan,
    why_not_streamed,
)
from dynadeep.codegen.prediction import is_counted, predict, predict_for

CHUNKS = (0, 512, 128, 64)
"""Values that a request carries, 0 for all of an input: the fewer requests the better."""

TILES = (1, 2, 4)
"""Tiles of the kernels that the streaming engine computes at a time: more need more RAM and lose
fewer instructions between layers."""


@dataclass(frozen=True)
class PlanSettings:
    """What the user wants otherwise than the planner would choose it; None leaves it to choose."""

    engine: Engine | None = None
    kernels: KernelName | None = None
    deadline_s: float | None = None  # for a segment; None: as long as its samples take
    application: Wish = "harness"


PLANNERS_CHOICE = PlanSettings()


def plan_for(bundle: Bundle, board: Board | None, settings: PlanSettings = PLANNERS_CHOICE) -> Plan:
    """Plan a bundle for a board: the first of the choices, the best first, that fits it.

    The streaming engine is taken wherever the model can be streamed, for the layers engine needs
    ten times its RAM. Keeping the samples for lossless sending comes before leaving that level out,
    large requests before small ones, and a larger tile only where the deadline asks for it.

    Raises:
        BoardError: nothing fits, or the board cannot keep up with the samples.
        CodegenError: the model cannot be run.
    """
    base = make_plan(bundle)
    _check_application(base, board, settings.application)
    engine = settings.engine or base.choice.engine
    chosen = replace(base.choice, engine=engine, application=settings.application)
    if board is not None:
        kernels = KERNELS[settings.kernels] if settings.kernels else kernels_of(board.core.cpu)
        chosen = replace(chosen, kernels=kernels, buffers=_buffers_for(board, kernels))
    if chosen != base.choice:
        base = make_plan(bundle, chosen)
    if board is None:
        return base
    variants = [base, *_variants(bundle, base)]
    if settings.engine is None and base.manifest.codec is None:
        variants += _whole(bundle, base)
    plan = _first_that_fits(variants, board, settings.deadline_s)
    check_fit(plan, board, settings.deadline_s)
    return plan


def _check_application(plan: Plan, board: Board | None, wish: Wish) -> None:
    """Refuse an application that the bundle or the board has nothing for."""
    if wish != "autonomous":
        return
    if plan.manifest.codec is None:
        raise ModelError(
            "firmware that sends by itself sends the packets of a codec, and the bundle holds a "
            "network alone. Generate it without --autonomous, or name a bundle made by 'export'."
        )
    if board is not None and board.source is None:
        raise BoardError(
            f"{board.name}: its {DESCRIPTION} names no source of samples, and --autonomous needs "
            'one. Add [source], with driver = "link" where samples come over the wire, or with '
            "none and source_start and source_read in the board's C (app/source.h)."
        )


def _first_that_fits(variants: list[Plan], board: Board, deadline_s: float | None) -> Plan:
    """Return the first plan that fits, else the one that misses by least."""
    fitting = [plan for plan in variants if _fits_ram(plan, board)]
    if not fitting:
        return min(variants, key=lambda plan: ram_bytes(plan, board))
    fastest = min(fitting, key=lambda plan: busy_s(plan, board))
    return next((plan for plan in fitting if _keeps_up(plan, board, deadline_s)), fastest)


def plan_as_built(bundle: Bundle, board: Board, engine: Engine, kernels: KernelName) -> Plan:
    """Plan a bundle with the engine and kernels that a firmware has; what fits is not asked.

    Raises:
        CodegenError: the model cannot be run by them.
    """
    chosen = KERNELS[kernels]
    return make_plan(bundle, Choice(engine, chosen, buffers=_buffers_for(board, chosen)))


def _buffers_for(board: Board, kernels: KernelSet) -> Buffers:
    """Return the largest buffers for which a board's stack suffices, else the smallest."""
    room = board.ram.stack_bytes if board.ram else math.inf
    sizes = kernels.buffers
    fitting = (
        buffers for buffers in sizes if kernels.stack_bytes(buffers) + STACK_BESIDES_BYTES <= room
    )
    return next(fitting, sizes[-1])


def _variants(bundle: Bundle, plan: Plan) -> Iterator[Plan]:
    """Yield the choices that are left once the engine is chosen, the best first."""
    if plan.choice.engine == "layers":
        return
    step = plan.choice.kernels.tile
    tiled = [make_plan(bundle, replace(plan.choice, tile=times * step)) for times in TILES]
    for lossless in (True, False) if plan.manifest.codec else (False,):
        for chunk in CHUNKS:
            if chunk < plan.chunk:
                for variant in tiled:
                    choice = replace(variant.choice, chunk=chunk, lossless=lossless)
                    yield replace(variant, choice=choice)


def _whole(bundle: Bundle, streamed: Plan) -> Iterator[Plan]:
    """Yield the plan of the layers engine where it needs less RAM than a stream."""
    if streamed.choice.engine == "layers":
        return
    why = f"its activations take less RAM than the {streamed.values_bytes:,} B of a stream"
    plan = make_plan(bundle, replace(streamed.choice, engine="layers", because=why))
    if plan.values_bytes < streamed.values_bytes:
        yield plan


def _fits_ram(plan: Plan, board: Board) -> bool:
    return board.ram is None or ram_bytes(plan, board) <= board.ram.bytes


def instructions(plan: Plan, cpu: str) -> float:
    """Return about how many instructions a segment takes on a core."""
    return predict(plan, cpu).instructions


def busy_s(plan: Plan, board: Board) -> float:
    """Return about how long a board computes on a segment, in seconds."""
    return predict_for(plan, board).cycles / board.core.clock_hz


def segment_s(plan: Plan) -> float:
    """Return how long the steps of an input take to come, in seconds; for ever at no known rate."""
    rate_hz = plan.manifest.sample_rate_hz
    return plan.manifest.segment_length / rate_hz if rate_hz else math.inf


def _keeps_up(plan: Plan, board: Board, deadline_s: float | None) -> bool:
    return not board.cortex_m or busy_s(plan, board) <= (deadline_s or segment_s(plan))


def check_fit(plan: Plan, board: Board, deadline_s: float | None = None) -> None:
    """Check that the firmware fits a board before anything is compiled.

    Raises:
        BoardError: it needs more flash, RAM, stack or time than the board has.
    """
    if board.flash is not None and (flash := flash_bytes(plan, board)) > board.flash.bytes:
        raise BoardError(
            f"{board.name}: the firmware needs about {flash} B of flash, the board has "
            f"{board.flash.bytes} B. {plan.constant_bytes} B are weights and tables: use a "
            "smaller network or a larger board."
        )
    _check_stack(plan, board)
    if not _fits_ram(plan, board):
        assert board.ram is not None
        name, size = max(
            ((n, s) for n, (_, s) in plan.memory.places.items()), key=lambda place: place[1]
        )
        remedy = (
            "a shorter segment, the streaming engine"
            if isinstance(plan.memory, Arena)
            else ("a narrower network")
        )
        raise BoardError(
            f"{board.name}: the firmware needs about {ram_bytes(plan, board)} B of RAM, the board "
            f"has {board.ram.bytes} B. Activations take {plan.values_bytes} B, most of them {name} "
            f"with {size} B, the stack {board.ram.stack_bytes} B: use {remedy} or a larger board."
        )

    if not _keeps_up(plan, board, deadline_s):
        until = "its deadline is" if deadline_s else "its samples take"
        needed = instructions(plan, board.core.cpu)
        raise BoardError(
            f"{board.name}: a segment takes about {needed / 1e6:.1f} M instructions, "
            f"{busy_s(plan, board):.2f} s at {board.core.clock_hz / 1e6:g} MHz; {until} "
            f"{deadline_s or segment_s(plan):.2f} s. Use a faster board or a smaller network, or "
            "set another deadline."
        )


def _check_stack(plan: Plan, board: Board) -> None:
    """Check that a board reserves the stack that the generated header states."""
    if board.ram is None or board.ram.stack_bytes >= plan.stack_bytes:
        return
    needed = aligned(plan.stack_bytes, STACK_ALIGNMENT)
    raise BoardError(
        f"{board.name}: encoding takes up to {plan.stack_bytes} B of stack with the smallest "
        f"buffers of the {plan.choice.kernels.name} kernels, {DESCRIPTION} reserves "
        f"{board.ram.stack_bytes} B. Set stack_bytes to {needed} or more."
    )


def _predicted(plan: Plan, board: Board) -> str:
    costs = predict_for(plan, board)
    words = f"{costs.instructions / 1e6:.2f} M instructions, {costs.cycles / 1e6:.2f} M cycles"
    return words if is_counted(plan, board.core.cpu) else f"{words}, roughly"


def explain(plan: Plan, board: Board) -> list[str]:
    """Return what was chosen for a board and why, one sentence a line."""
    choice = plan.choice
    kernels = f"{choice.kernels.name} kernels, for {board.core.cpu}"
    if choice.engine == "layers":
        why = why_not_streamed(plan.network, plan.manifest) or choice.because
        return [f"layers engine ({why}), {kernels}"]
    busy = f"computing takes about {busy_s(plan, board):.2f} s"
    if plan.manifest.sample_rate_hz:
        busy += f" of a segment's {segment_s(plan):.2f} s"
    unit = "samples" if plan.manifest.codec else "values"
    lines = [f"streaming engine, {kernels}, requests of {plan.chunk} {unit}"]
    if choice.application == "autonomous" and board.source is not None:
        source = "the board's own C" if board.source.driver is None else board.source.driver
        lines[0] = f"streaming engine, {kernels}, sends by itself what comes from {source}"
    if choice.chunk:
        lines[0] += ", for which the RAM suffices"
    if board.cortex_m:
        lines.append(f"{busy}: {_predicted(plan, board)}")
    if choice.tile > choice.kernels.tile:
        lines.append(f"{choice.tile} steps at a time, for the deadline")
    if choice.buffers != choice.kernels.buffers[0]:
        lines.append(
            f"the convolution works on {choice.buffers.part} values and {choice.buffers.block} "
            f"channels at a time, for which the stack suffices"
        )
    if plan.manifest.codec and not choice.lossless:
        lines.append(
            f"level none is left out: its packet alone takes {plan.packet_bytes_lossless} B of RAM"
        )
    return lines
