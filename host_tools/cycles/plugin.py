"""The counting plugin of QEMU: compiled once on the computer that runs it."""

import hashlib
import os
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.codegen.files import path_whole
from dynadeep.host_tools.errors import BuildError

SOURCE = "count_blocks.c"
CACHE = "XDG_CACHE_HOME"
"""The environment variable that says where programs keep what they can make again."""

OPTIONS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
VERSION = re.compile(r"version (\d+)\.(\d+)")
PLUGIN_APIS = (((9, 1), 3), ((9, 0), 2))
"""From which QEMU on a plugin says which version of its interface; the first that holds."""


def compiled_plugin(emulator: str) -> Path:
    """Return the plugin for an emulator, compiled with this computer's C compiler if need be.

    Raises:
        MissingDependencyError: there is no C compiler, or no emulator.
        BuildError: the compiler failed.
    """
    source = resources.files("dynadeep.host_tools.cycles") / SOURCE
    api = plugin_api(emulator)
    content = source.read_bytes()
    name = hashlib.sha256(content + f"{api} {OPTIONS}".encode()).hexdigest()[:16]
    library = cache_folder() / f"count_blocks-{name}.so"
    if not library.is_file():
        with resources.as_file(source) as file:
            _compile(file, library, api)
    return library


def cache_folder() -> Path:
    """Return where the kit keeps what it can make again."""
    told = os.environ.get(CACHE)
    return (Path(told) if told else Path.home() / ".cache") / "dynadeep"


def plugin_api(emulator: str) -> int:
    """Return the version of the plugin interface that an emulator wants."""
    path = shutil.which(emulator)
    if path is None:
        raise MissingDependencyError(
            f"{emulator}: not installed. Install it: apt-get install qemu-system-arm"
        )
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = VERSION.search(said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return next((api for since, api in PLUGIN_APIS if version >= since), 1)


def _compile(source: Path, library: Path, api: int) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        raise MissingDependencyError(
            "cc: no C compiler is installed, which the plugin that counts cycles is made with. "
            "Install one: apt-get install gcc"
        )
    library.parent.mkdir(parents=True, exist_ok=True)
    with path_whole(library) as fresh:
        command = [compiler, *OPTIONS, f"-DDD_PLUGIN_API={api}", str(source), "-o", str(fresh)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            first = next(iter(done.stderr.splitlines()), "it said nothing")
            raise BuildError(f"{source.name}: cc failed: {first}. Is it a working C compiler?")
