"""Write a generated project: all files at once, or none."""

import hashlib
import json
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from dynadeep.codegen.board import DESCRIPTION, Board
from dynadeep.codegen.context import ModelContext, model_context
from dynadeep.codegen.describe import describe_model, json_text
from dynadeep.codegen.errors import OutputError
from dynadeep.codegen.files import write_folder_whole, write_whole
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.render import render_build, render_model
from dynadeep.codegen.version import __version__

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1
MANIFEST_KIND = "dynadeep generated project"
MODEL_TEMPLATES = (
    "dd_kernels.h",
    "dd_model.h",
    "dd_model.c",
    "dd_weights.h",
    "dd_weights.c",
    "dd_model_debug.h",
)
COPIED = (".c", ".h", ".S", ".ld", ".cmake", ".toml")
"""What is copied of the runtime, the application and a board."""

Files = dict[str, bytes]
"""A project in memory: path with forward slashes -> content."""


def project_files(plan: Plan, board: Board | None) -> Files:
    """Return the whole project; without a board only the model and the runtime."""
    context = model_context(plan)
    files = _model_files(plan, context) | _tree("runtime")
    if board is not None:
        files |= _tree("app") | _board_files(board, context)
    ordered = dict(sorted(files.items()))
    return ordered | {MANIFEST: _manifest(plan, board, ordered)}


def write_project(files: Files, out: Path) -> None:
    """Write a project to ``out``, replacing the generated one that may be there.

    A project that is already there to the byte is left alone, so that nothing is built again.

    Raises:
        OutputError: ``out`` is something else, or cannot be written.
    """
    target = out.resolve()
    try:
        _check_replaceable(target)
        if not _is_current(files, target):
            _replace(files, target)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error}).") from error


def _check_replaceable(out: Path) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        kind = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["kind"]
    except (OSError, ValueError, KeyError, TypeError):
        kind = None
    if kind != MANIFEST_KIND:
        raise OutputError(
            f"{out}: exists and is not a generated project (its {MANIFEST} does not say so). "
            "Choose another folder, or remove it yourself."
        )


def _is_current(files: Files, out: Path) -> bool:
    folders = {Path(name).parts[0] for name in files if "/" in name}
    found = {
        path.relative_to(out).as_posix()
        for folder in folders
        for path in (out / folder).rglob("*")
        if path.is_file()
    }
    expected = {name for name in files if "/" in name}
    return found == expected and all(
        (out / name).is_file() and (out / name).read_bytes() == content
        for name, content in files.items()
    )


def _replace(files: Files, out: Path) -> None:
    with write_folder_whole(out) as fresh:
        for name, content in files.items():
            write_whole(fresh / name, content)


def _model_files(plan: Plan, context: ModelContext) -> Files:
    files = {f"model/{name}": render_model(name, context) for name in MODEL_TEMPLATES}
    files["model/dd_model.json"] = json_text(describe_model(plan))
    return {name: text.encode("utf-8") for name, text in files.items()}


def _board_files(board: Board, context: ModelContext) -> Files:
    """Return what depends on the board: its own files, and what its description renders to."""
    rendered = {"board/board_config.h": "board_config.h", "CMakeLists.txt": "CMakeLists.txt"}
    files = _tree(f"boards/{board.name}", to="board")
    del files[f"board/{DESCRIPTION}"]
    if board.cortex_m:
        rendered["board/linker.ld"] = "linker.ld"
        files["toolchain.cmake"] = _tree("build")["build/toolchain.cmake"]
    for path, template in rendered.items():
        files[path] = render_build(template, board, context).encode("utf-8")
    return files


def _tree(folder: str, to: str | None = None) -> Files:
    """Return the files under a folder of firmware_templates, under the path ``to`` or the same."""
    root = resources.files("dynadeep.firmware_templates") / folder
    return dict(_walk(root, folder if to is None else to))


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{path}/{entry.name}")
        elif entry.name.endswith(COPIED):
            yield f"{path}/{entry.name}", entry.read_bytes().replace(b"\r\n", b"\n")


def _manifest(plan: Plan, board: Board | None, files: Files) -> bytes:
    """Return ``manifest.json``: what the project is, and the SHA-256 of every other file."""
    data = {
        "kind": MANIFEST_KIND,
        "format": MANIFEST_FORMAT,
        "kit": __version__,
        "model_id": plan.manifest.model_id,
        "board": None if board is None else board.name,
        "engine": plan.choice.engine,
        "kernels": plan.choice.kernels.name,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    return json_text(data).encode("utf-8")
