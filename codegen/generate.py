"""From a bundle to C: the whole pipeline in one function."""

from pathlib import Path

from dynadeep.codegen.board import Board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.net_context import DEFAULT_NAME
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.planner import PLANNERS_CHOICE, PlanSettings, plan_for


def generate(
    bundle: Bundle,
    board: Board | None,
    out: Path,
    settings: PlanSettings = PLANNERS_CHOICE,
    *,
    name: str = DEFAULT_NAME,
    force: bool = False,
) -> Plan:
    """Write the C project of a bundle for a board to ``out``.

    Without a board, only the model and the runtime are written, for use in a project of one's own.
    Files there that are not the kit's stay; edited ones are refused, or overwritten with ``force``.
    ``name`` is what the model's symbols and files begin with.
    The same bundle and board give the same bytes on every machine.

    Raises:
        CodegenError: the model cannot become C, does not fit the board, or ``out`` is in the way.
    """
    plan = plan_for(bundle, board, settings)
    write_project(project_files(plan, board, name), out, force=force)
    return plan
