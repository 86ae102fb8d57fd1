"""The counting plugin of QEMU: compiled once on the computer that runs it."""

import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.host_tools.compiled import compiled

SOURCE = "count_blocks.c"
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
    return compiled(
        "count_blocks",
        {SOURCE: source.read_bytes()},
        "the plugin that counts cycles",
        [f"-DDD_PLUGIN_API={api}"],
    )


def plugin_api(emulator: str) -> int:
    """Return the version of the plugin interface that an emulator wants."""
    path = shutil.which(emulator)
    if path is None:
        raise MissingDependencyError(
            f"{emulator}: not installed. Install it: apt-get install qemu-system-arm"
        )
    output = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    match = VERSION.search(output)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    return next((api for since, api in PLUGIN_APIS if version >= since), 1)
