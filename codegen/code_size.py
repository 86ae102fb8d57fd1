"""What a firmware takes of the flash, before any compiler runs.

Constants are known to the byte, and so is the plan that the engines run. What each C file becomes
was measured with the kit's own build, for each core and by the files that are linked: see
``code_sizes.toml``, which ``python -m tests.prediction sizes`` writes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import PurePath

from dynadeep.codegen.alignment import aligned
from dynadeep.codegen.applications import APPLICATIONS, application_of
from dynadeep.codegen.board import Board
from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.kernels import KERNELS, kernels_of
from dynadeep.codegen.plan import ERROR_BYTES, Plan
from dynadeep.codegen.schedule import Schedule
from dynadeep.codegen.sources import (
    Files,
    app_files,
    app_sources,
    board_sources,
    own_files,
    runtime_files,
)
from dynadeep.codegen.typed import Reader

SIZES = "code_sizes.toml"
ANY_CORE = "cortex-m4"
"""Whose figures stand for a core that nobody measured, and where no board is known."""

STAGE_BYTES, SOURCE_BYTES, PLACE_BYTES, READER_BYTES = 20, 12, 12, 4
"""sizeof(dd_stage), dd_source, dd_line_plan and dd_reader on a 32-bit target."""

CONSTANT_BYTES, OUTPUT_BYTES, LEVEL_BYTES = 8, 2, 24
"""sizeof(dd_constant); of an output its line; of a level dd_level and dd_output."""

OUTPUT_LISTED, OUTPUT_LISTED_BYTES = "app/commands_net.c", 4
"""What lists all outputs by their bytes."""

MAY_LACK = {f"dd_dot_{name}.c" for name in KERNELS}
"""What every program includes the header of, for its macros: linked where a layer calls it."""

BOARDS_OWN_BYTES = 150
"""Of a C file of a board that does not come with the kit."""


@dataclass(frozen=True)
class CoreSizes:
    """Bytes of code and of its own constants, as compiled for a core."""

    files: dict[str, int]  # of the runtime, and "app/main.c"
    model: dict[str, int]  # NAME_net.c and NAME_codec.c besides their arrays, by application
    library: dict[str, int]  # members of the compiler's and the C library
    calls: dict[str, tuple[str, ...]]  # the members that a file leads to


@dataclass(frozen=True)
class CodeSizes:
    """All that was measured."""

    structs: dict[str, int] = field(default_factory=dict)  # a layer's parameters, by their type
    boards: dict[str, int] = field(default_factory=dict)  # "microbit/board.c"
    cores: dict[str, CoreSizes] = field(default_factory=dict)


def flash_bytes(plan: Plan, board: Board | None) -> int:
    """Return about what the firmware takes of the flash; without a board, model and runtime."""
    sizes = code_sizes()
    cpu = ANY_CORE if board is None else board.core.cpu
    core = sizes.cores.get(cpu, sizes.cores[ANY_CORE])
    files = linked_files(plan, board)
    foreign = plan.choice.kernels is not kernels_of(cpu)
    other_cores = [*sizes.cores.values()] if foreign else []
    code = sum(_file_bytes(name, core, other_cores) for name in files)
    if board is not None:
        own = (f"{board.name}/{PurePath(path).name}" for path in board_sources(board))
        code += sum(sizes.boards.get(name, BOARDS_OWN_BYTES) for name in own)
    members = {member for name in files for member in core.calls.get(name, ())}
    code += sum(core.library[member] for member in members)
    return code + core.model[application_of(plan)] + model_bytes(plan, sizes.structs)


def _file_bytes(name: str, core: CoreSizes, other_cores: Iterable[CoreSizes]) -> int:
    """Return what a file takes; ``other_cores`` are asked for what was not measured of a core.

    A file that no core has is one of which nothing is linked.
    """
    if name in core.files:
        return core.files[name]
    return max((other_core.files.get(name, 0) for other_core in other_cores), default=0)


def linked_files(plan: Plan, board: Board | None) -> list[str]:
    """Return the C files of the runtime and, as "app/main.c", of the application."""
    sources = app_sources(board, application_of(plan))
    own = {} if board is None else own_files(board)
    functions = {f"{layer.FUNCTION}.h" for layer in plan.network.layers}
    codec = {"dd_codec.h"} if plan.manifest.codec is not None else set()
    included = {"dd_net.h", "dd_push.h", "dd_trace.h", *codec, *functions}
    files = {**own, **app_files(sources, own), "model": _including(included)}
    called = {*_runtime_sources(plan, {"layers": _including(functions)})}
    return [
        *(name for name in _runtime_sources(plan, files) if name in called or name not in MAY_LACK),
        *(f"app/{name}" for name in sources),
    ]


def _runtime_sources(plan: Plan, files: Files) -> list[str]:
    """Return the C files of the runtime that other files lead to."""
    runtime = (path.removeprefix("runtime/") for path in runtime_files(plan, files))
    return sorted(name for name in runtime if name.endswith(".c"))


def _including(headers: Iterable[str]) -> bytes:
    return "".join(f'#include "{name}"\n' for name in sorted(headers)).encode("ascii")


def model_bytes(plan: Plan, structs: Mapping[str, int]) -> int:
    """Return the bytes of all arrays that are made for a model; ``structs`` are the layers'."""
    network = plan.network
    total = sum(aligned(constant.array.nbytes) for constant in plan.constants)
    total += sum(structs.get(layer.STRUCT, 0) for layer in network.layers)
    total += STAGE_BYTES * len(network.layers) + PLACE_BYTES * len(network.tensors)
    total += SOURCE_BYTES * sum(map(len, plan.sources))
    if isinstance(plan.memory, Schedule):
        total += READER_BYTES * sum(len(line.readers) for line in plan.memory.lines)
    total += aligned(OUTPUT_BYTES * len(network.outputs))
    if application_of(plan) in ("network", "codec"):
        total += CONSTANT_BYTES * len(plan.constants)
    if application_of(plan) == "network":
        total += OUTPUT_LISTED_BYTES * len(network.outputs)
    codec = plan.manifest.codec
    if codec is not None and APPLICATIONS[application_of(plan)].uses == "codec":
        levels = len(codec.levels)
        total += ERROR_BYTES * len(codec.margin_bounds) * (1 + levels) + LEVEL_BYTES * levels
    return total


@cache
def code_sizes() -> CodeSizes:
    """Return what was measured."""
    text = (resources.files("dynadeep.codegen") / SIZES).read_text(encoding="utf-8")
    reader = Reader(SIZES, BoardError, "Measure again: python -m tests.prediction sizes.")
    return reader.read(CodeSizes, reader.toml(text))
