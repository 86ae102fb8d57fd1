"""Write a generated project: the kit's own files, and nobody else's."""

import contextlib
import hashlib
import json
from pathlib import Path, PurePosixPath

from dynadeep.codegen.applications import APPLICATIONS, application_of
from dynadeep.codegen.board import DESCRIPTION, Board
from dynadeep.codegen.codec_context import codec_context
from dynadeep.codegen.describe import describe_model, json_text
from dynadeep.codegen.errors import BoardError, OutputError, ProjectError
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.lock import locked
from dynadeep.codegen.net_context import DEFAULT_NAME, NetContext, net_context
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.project import MANIFEST, MANIFEST_FORMAT, MANIFEST_KIND, read_project
from dynadeep.codegen.render import Build, render_build, render_model
from dynadeep.codegen.sources import (
    Files,
    app_files,
    app_sources,
    board_sources,
    named,
    own_files,
    runtime_files,
)
from dynadeep.codegen.version import __version__

NET_FILES = {
    "model/{name}_net.h": "net.h",
    "model/{name}_net.c": "net.c",
    "model/{name}_debug.h": "debug.h",
    "runtime/dd_kernels.h": "kernels.h",
}
CODEC_FILES = {"model/{name}_codec.h": "codec.h", "model/{name}_codec.c": "codec.c"}
"""What a model becomes, each of its template in ``firmware_templates/model``."""

TOOLCHAINS = ("toolchain.cmake", "toolchain-clang.cmake")


def project_files(plan: Plan, board: Board | None, name: str = DEFAULT_NAME) -> Files:
    """Return the whole project; without a board a library of the model and the runtime.

    Args:
        plan: all that was decided.
        board: whose firmware it is.
        name: what the model's symbols and files begin with.

    Raises:
        CodegenError: the model cannot stand in C, or the name is none.
    """
    net = net_context(plan, name)
    application = application_of(plan)
    build = Build(
        board,
        net,
        APPLICATIONS[application].uses,
        plan.chunk,
        app_sources(board, application),
        board_sources(board),
    )
    files = _model_files(plan, net)
    files["CMakeLists.txt"] = render_build("CMakeLists.txt", build).encode("utf-8")
    if board is not None:
        files |= _board_files(board, build)
        files |= app_files(build.app_sources, files)
    files |= runtime_files(plan, files)
    ordered = dict(sorted(files.items()))
    return ordered | {MANIFEST: _manifest(plan, board, name, ordered)}


def write_project(files: Files, out: Path, *, force: bool = False) -> None:
    """Write a project to ``out``, over the generated one that may be there.

    Files that the kit did not write stay, and so do their folders. What is already there to the
    byte is left alone, so that nothing is built again. Each file is written whole; a run that is
    interrupted leaves a manifest that says so, and the next one completes it.

    Args:
        files: from ``project_files``.
        out: the folder; it may be missing, empty, or hold a generated project.
        force: write over files that were edited since they were generated.

    Raises:
        OutputError: ``out`` is something else, holds edited files, or cannot be written.
    """
    target = out.resolve()
    try:
        with locked(target):
            written = _written(target, out)
            edited = _edited(files, target, written)
            if edited and not force:
                raise OutputError(
                    f"{out}: {', '.join(edited)} changed since the project was generated. Move "
                    "your work elsewhere, or have it overwritten with 'generate --force'."
                )
            _update(files, target, written)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error}).") from error


Hashes = dict[str, set[str]]
"""File name -> the SHA-256 of every content that the kit may have left there."""


def _written(target: Path, out: Path) -> Hashes:
    """Return what the kit has written to a folder; refuse one that is something else."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return {}
    try:
        project = read_project(target)
    except ProjectError as error:
        raise OutputError(
            f"{out}: exists and is not a generated project ({error}) "
            "Choose another folder, or remove it yourself."
        ) from error
    hashes: Hashes = {name: {digest} for name, digest in project.files.items()}
    for name, former in (project.former or {}).items():
        hashes.setdefault(name, set()).update(former)
    return {name: digests for name, digests in hashes.items() if _is_within(name)}


def _is_within(name: str) -> bool:
    """Whether a name of a manifest stays in its folder."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and name not in {"", MANIFEST}


def _edited(files: Files, target: Path, written: Hashes) -> list[str]:
    """Return the files that would be lost: neither the kit's own nor what it is about to write."""
    return [
        name
        for name in sorted({*files, *written} - {MANIFEST})
        if (digest := _digest(target / name)) is not None
        and digest not in written.get(name, set())
        and (name not in files or digest != _hash(files[name]))
    ]


def _update(files: Files, target: Path, written: Hashes) -> None:
    """Write what differs and remove what is no longer part of the project, the manifest last."""
    removed = [name for name in written if name not in files and (target / name).is_file()]
    stale = [name for name, content in files.items() if _digest(target / name) != _hash(content)]
    if not stale and not removed:
        return
    journal = json.loads(files[MANIFEST])
    journal["former"] = {name: sorted(hashes) for name, hashes in written.items()}
    write_whole(target / MANIFEST, json_text(journal))
    for name in stale:
        if name != MANIFEST:
            write_whole(target / name, files[name])
    for name in removed:
        (target / name).unlink()
        with contextlib.suppress(OSError):  # its folder goes too, once it is empty
            (target / name).parent.rmdir()
    write_whole(target / MANIFEST, files[MANIFEST])


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file; None where there is none."""
    return _hash(path.read_bytes()) if path.is_file() else None


def _model_files(plan: Plan, net: NetContext) -> Files:
    codec = plan.manifest.codec
    context = None if codec is None else codec_context(plan, codec)
    templates = NET_FILES if codec is None else NET_FILES | CODEC_FILES
    files = {
        path.format(name=net.name): render_model(template, net, context)
        for path, template in templates.items()
    }
    files[f"model/{net.name}_net.json"] = json_text(describe_model(plan))
    return {path: text.encode("utf-8") for path, text in files.items()}


def _board_files(board: Board, build: Build) -> Files:
    """Return what depends on the board: its own files, and what its description renders to."""
    rendered = {"board/board_config.h": "board_config.h", "app/application.h": "application.h"}
    files = own_files(board)
    if board.cortex_m:
        rendered["board/linker.ld"] = "linker.ld"
        build_files = named("build")
        files |= {name: build_files[name] for name in TOOLCHAINS}
    for path, template in rendered.items():
        if path in files:
            raise BoardError(
                f"{board.folder}: holds {PurePosixPath(path).name}, which is made from "
                f"{DESCRIPTION}. Say it there, and take the file out of the folder."
            )
        files[path] = render_build(template, build).encode("utf-8")
    return files


def _manifest(plan: Plan, board: Board | None, name: str, files: Files) -> bytes:
    """Return ``manifest.json``: what the project is, and the SHA-256 of every other file."""
    data = {
        "kind": MANIFEST_KIND,
        "format": MANIFEST_FORMAT,
        "kit": __version__,
        "model_id": plan.manifest.model_id,
        "name": name,
        "application": application_of(plan),
        "board": None if board is None else board.name,
        "engine": plan.choice.engine,
        "kernels": plan.choice.kernels.name,
        "files": {name: _hash(content) for name, content in files.items()},
    }
    return json_text(data).encode("utf-8")
