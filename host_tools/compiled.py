"""C for the computer that runs the kit: compiled once, and kept where programs keep such things."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.codegen.files import path_whole, write_whole
from dynadeep.host_tools.errors import BuildError

CACHE = "XDG_CACHE_HOME"
"""The environment variable that says where programs keep what they can make again."""

OPTIONS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


def cache_folder() -> Path:
    """Return where the kit keeps what it can make again."""
    configured = os.environ.get(CACHE)
    return (Path(configured) if configured else Path.home() / ".cache") / "dynadeep"


def compiled(
    name: str, sources: Mapping[str, bytes], what_for: str, options: Sequence[str] = ()
) -> Path:
    """Return a shared library, compiled with this computer's C compiler if need be.

    Args:
        name: what the library is called in the cache, before a hash of what it is made of.
        sources: its files by name, headers among them; those that end in .c are compiled.
        what_for: what needs it, for the message: "the plugin that counts cycles".
        options: of the compiler, beside OPTIONS.

    Raises:
        MissingDependencyError: there is no C compiler.
        BuildError: it failed.
        OSError: the cache cannot be written.
    """
    parts = [f"{part} {content!r}" for part, content in sorted(sources.items())]
    made_of = hashlib.sha256(repr((parts, OPTIONS, tuple(options))).encode()).hexdigest()[:16]
    library = cache_folder() / f"{name}-{made_of}.so"
    if not library.is_file():
        _compile(sources, library, what_for, options)
    return library


def _compile(
    sources: Mapping[str, bytes], library: Path, what_for: str, options: Sequence[str]
) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        raise MissingDependencyError(
            f"cc: no C compiler is installed, which {what_for} is made with. "
            "Install one: apt-get install gcc"
        )
    with tempfile.TemporaryDirectory() as folder, path_whole(library) as fresh:
        files = [write_whole(Path(folder) / name, content) for name, content in sources.items()]
        units = [str(file) for file in files if file.suffix == ".c"]
        command = [compiler, *OPTIONS, *options, *units, "-o", str(fresh)]
        completed = subprocess.run(command, capture_output=True, text=True, check=False)
        if completed.returncode != 0:
            first = next(iter(completed.stderr.splitlines()), "it said nothing")
            raise BuildError(
                f"{Path(units[0]).name}: cc failed: {first}. Is it a working compiler?"
            )
