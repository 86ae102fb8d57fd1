"""Measure what each C file of the kit takes of the flash: ``python -m tests.prediction sizes``."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from elftools.elf.elffile import ELFFile

from dynadeep.codegen.alignment import aligned
from dynadeep.codegen.applications import application_of
from dynadeep.codegen.board import Board, board_names, load_board
from dynadeep.codegen.bundle import read_bundle
from dynadeep.codegen.code_size import (
    OUTPUT_LISTED,
    OUTPUT_LISTED_BYTES,
    CodeSizes,
    CoreSizes,
    model_bytes,
)
from dynadeep.codegen.naming import identifier
from dynadeep.codegen.plan import Plan, make_plan, plan_model
from tests.caching import SMALL_BUNDLE
from tests.prediction.counting import built, emulated_board, own_choice
from tests.prediction.maps import library_symbols, sizes_by_file, source_of, wanted_by
from tests.prediction.spread import manifest_of, networks, spread

Build = tuple[Plan, Board]

Place = tuple[str, str, str]
"""A core, one of its tables, and what stands there."""

MODEL = ("model_net.c", "model_codec.c")
HEAD = """# Bytes that the C of the kit takes of a flash, by the kit's own build. See code_size.py.
# Made by `python -m tests.prediction sizes`.
"""


def builds(cpus: Sequence[str]) -> Iterator[Build]:
    """Yield what is built: each board with a codec, each core with all operators and programs."""
    small = read_bundle(SMALL_BUNDLE)
    for board in map(load_board, board_names()):
        if board.core.cpu in cpus:
            yield make_plan(small, own_choice(board.core.cpu)), board
    for cpu in cpus:
        choice = replace(own_choice(cpu), application="autonomous")
        yield make_plan(small, choice), emulated_board(cpu)
    for content, engine in spread():
        for cpu in cpus:
            choice = replace(own_choice(cpu), engine=engine)
            yield plan_model(content, manifest_of(content), choice), emulated_board(cpu)
    content = networks()["moves"]
    for cpu in cpus:
        choice = replace(own_choice(cpu), application="mlperf")
        yield plan_model(content, manifest_of(content), choice), emulated_board(cpu)


def measure(cpus: Sequence[str]) -> CodeSizes:
    """Build all of it, and return what the linker's maps say.

    What a file takes depends on what of it a network calls: of several builds it is the middle
    between the least and the most. Other programs than the harness count for what it has not.
    """
    projects = [(plan, board, built(plan, board)) for plan, board in builds(cpus)]
    measured = CodeSizes()
    for plan, _, project in projects:
        _note_structs(measured.structs, plan, project)
    of_harness: dict[Place, list[int]] = {}
    of_others: dict[Place, list[int]] = {}
    for plan, board, project in projects:
        text = (project / "build" / "firmware.map").read_text("utf-8")
        into = of_harness if plan.choice.application == "harness" else of_others
        for place, size in _sizes_of(measured.structs, plan, board, text):
            into.setdefault(place, []).append(size)
        core = measured.cores.setdefault(board.core.cpu, CoreSizes({}, {}, {}, {}))
        for source, members in _calls(project, text).items():
            core.calls[source] = tuple(sorted({*core.calls.get(source, ()), *members}))
    for (cpu, kind, name), sizes in {**of_others, **of_harness}.items():
        table = measured.boards if kind == "boards" else getattr(measured.cores[cpu], kind)
        table[name] = (min(sizes) + max(sizes)) // 2
    return measured


def _note_structs(structs: dict[str, int], plan: Plan, project: Path) -> None:
    """Take the size of each layer's parameters from the ELF file."""
    with (project / "build" / "firmware.elf").open("rb") as file:
        table: Any = ELFFile(file).get_section_by_name(".symtab")
        sizes = {symbol.name: symbol["st_size"] for symbol in table.iter_symbols()}
    for layer in plan.network.layers:
        size = sizes.get(f"{identifier(layer.name)}_layer", 0)
        structs[layer.STRUCT] = max(structs.get(layer.STRUCT, 0), aligned(size))


def _sizes_of(
    structs: Mapping[str, int], plan: Plan, board: Board, text: str
) -> Iterator[tuple[Place, int]]:
    """Yield what of a map takes so many bytes."""
    cpu = board.core.cpu
    model = -model_bytes(plan, structs)
    for source, size in sizes_by_file(text).items():
        if source in MODEL:
            model += size
        elif source == OUTPUT_LISTED:
            listed = OUTPUT_LISTED_BYTES * len(plan.network.outputs)
            model += listed
            yield (cpu, "files", source), size - listed
        elif source.startswith("board/"):
            yield ("", "boards", f"{board.name}/{PurePath(source).name}"), size
        else:
            yield (cpu, "library" if source.startswith("lib") else "files", source), size
    yield (cpu, "model", application_of(plan)), model


def _calls(project: Path, text: str) -> dict[str, set[str]]:
    """Return the members of libraries that each source leads to, directly or through others."""
    members, above = library_symbols(text), wanted_by(text)
    objects = sorted((project / "build").glob("CMakeFiles/*.dir/**/*.obj"))
    command = ["arm-none-eabi-nm", "-u", "-A", *map(str, objects)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    calls: dict[str, set[str]] = {}
    for path, symbol in re.findall(r"^(\S+):\s+U (\w+)$", listed, flags=re.MULTILINE):
        if symbol in members:
            calls.setdefault(_source_of(path), set()).add(members[symbol])
    linked = set(members.values())
    return {source: _closure({source, *direct}, above) & linked for source, direct in calls.items()}


def _closure(members: set[str], above: Mapping[str, str]) -> set[str]:
    more = {member for member, needing in above.items() if needing in members} - members
    return _closure(members | more, above) if more else members


def _source_of(path: str) -> str:
    name = source_of(path)
    return PurePath(name).stem if name.endswith(".obj") else name


def text_of(sizes: CodeSizes) -> str:
    """Return the sizes as TOML."""
    lines = [HEAD, "[structs]", *_numbers(sizes.structs), "", "[boards]", *_numbers(sizes.boards)]
    for cpu, core in sorted(sizes.cores.items()):
        lines += ["", f"[cores.{cpu}.model]", *_numbers(core.model)]
        lines += ["", f"[cores.{cpu}.files]", *_numbers(core.files)]
        lines += ["", f"[cores.{cpu}.library]", *_numbers(core.library)]
        lines += ["", f"[cores.{cpu}.calls]"]
        lines += [
            f'"{name}" = {json.dumps(list(members))}'
            for name, members in sorted(core.calls.items())
        ]
    return "\n".join(lines) + "\n"


def _numbers(table: Mapping[str, int]) -> list[str]:
    return [f'"{name}" = {size}' for name, size in sorted(table.items())]
