"""Build a generated project with CMake, and put it on a board."""

import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.lock import locked
from dynadeep.codegen.project import MANIFEST, read_whole_project
from dynadeep.host_tools.errors import BuildError, FlashError

Compiler = Literal["gcc", "clang"]
TOOLCHAIN = "toolchain.cmake"
LOG = "build.log"
PACKAGES = {
    "cmake": "cmake",
    "ninja": "ninja-build",
    "make": "make",
    "cc": "gcc",
    "clang": "clang",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
    "dfu-util": "dfu-util",
    "st-flash": "stlink-tools",
    "openocd": "openocd",
}
"""The Debian and Ubuntu packages that bring each program."""

# In the order of what they tell: a compiler's message, a linker's, CMake's.
COMPLAINTS = (
    re.compile(r"^\S+:\d+(:\d+)?: (fatal )?error: .+$", re.MULTILINE),
    re.compile(r"^.*(region `\w+' overflowed by|undefined reference to).*$", re.MULTILINE),
    re.compile(r"^\S*ld: .+$", re.MULTILINE),
    re.compile(r"^CMake Error.*\n.+$", re.MULTILINE),
)
MAKES_OWN = re.compile(r"[$#%:=~\[\]*?\\;\"`<>|]")
"""Characters that CMake's Makefiles cannot have in a path; ninja can."""

NEWLIB_MISSING = re.compile(
    r"nano\.specs.*No such file|fatal error: (string|stdint|stddef)\.h: No such file"
)


@dataclass(frozen=True)
class Firmware:
    """What a build made."""

    elf: Path
    bin: Path | None  # none for the native board
    map: Path
    log: Path


def require(program: str) -> str:
    """Return the path of ``program``.

    Raises:
        MissingDependencyError: it is not installed; the message names the package that has it.
    """
    path = shutil.which(program)
    if path is None:
        package = PACKAGES.get(program, program)
        raise MissingDependencyError(
            f"{program}: not installed. Install it: apt-get install {package}"
        )
    return path


def is_installed(program: str) -> bool:
    """Return whether a program is there."""
    return shutil.which(program) is not None


def build(
    project: Path,
    build_dir: Path | None = None,
    *,
    sanitize: bool = False,
    optimize: str | None = None,
    compiler: Compiler = "gcc",
) -> Firmware:
    """Configure and build a generated project, in ``<project>/build`` unless told otherwise.

    What clang builds goes to ``<project>/build-clang``.

    Args:
        project: the folder that codegen wrote.
        build_dir: where objects and the firmware go.
        sanitize: with AddressSanitizer and UndefinedBehaviorSanitizer; native board only.
        optimize: the compiler's option, such as -Os; None leaves the project's own.
        compiler: gcc, or clang, which needs the C library and the linker of gcc as well.

    Raises:
        MissingDependencyError: a program is not installed.
        BuildError: CMake, the compiler or the linker failed.
    """
    if not (project / "CMakeLists.txt").is_file():
        raise BuildError(f"{project}: has no CMakeLists.txt. Generate the project first.")
    if (project / MANIFEST).is_file():
        read_whole_project(project)
    folder = build_dir or project / ("build" if compiler == "gcc" else f"build-{compiler}")
    options = [
        f"-DDD_SANITIZE={'ON' if sanitize else 'OFF'}",
        *_compiler_options(project, compiler),
    ]
    if optimize is not None:
        options.append(f"-DDD_OPTIMIZE={optimize}")
    with locked(project):
        return _build(project, folder, options)


def _compiler_options(project: Path, compiler: Compiler) -> list[str]:
    """Return what tells CMake the compiler; whatever it takes must be installed."""
    cross = (project / TOOLCHAIN).is_file()
    require("arm-none-eabi-gcc" if cross else "cc" if compiler == "gcc" else compiler)
    if compiler == "gcc":
        return []
    require(compiler)
    if not cross:
        return [f"-DCMAKE_C_COMPILER={compiler}"]
    file = project / f"toolchain-{compiler}.cmake"
    if not file.is_file():
        raise BuildError(
            f"{file}: no such file, so that {compiler} cannot build it. Generate again."
        )
    return [f"-DCMAKE_TOOLCHAIN_FILE={file.resolve()}"]


def _build(project: Path, folder: Path, options: Sequence[str]) -> Firmware:
    cmake = require("cmake")
    log = write_whole(folder / LOG, b"")
    if not _is_configured(project, folder):
        _forget(folder)
    configure = [cmake, "-S", str(project), "-B", str(folder), *_generator(folder)]
    _run([*configure, *options], log)
    _run([cmake, "--build", str(folder), "--parallel"], log)
    binary = folder / "firmware.bin"
    return Firmware(
        elf=folder / "firmware.elf",
        bin=binary if binary.is_file() else None,
        map=folder / "firmware.map",
        log=log,
    )


def _is_configured(project: Path, folder: Path) -> bool:
    """Whether CMake can go on in a folder: it was set up there, for this project and compiler."""
    cache = folder / "CMakeCache.txt"
    text = cache.read_text(encoding="utf-8", errors="replace") if cache.is_file() else ""
    cached = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    cross = "CMAKE_TOOLCHAIN_FILE:FILEPATH" in cached
    return (
        cached.get("CMAKE_HOME_DIRECTORY:INTERNAL") == str(project.resolve())
        and cached.get("CMAKE_CACHEFILE_DIR:INTERNAL") == str(folder.resolve())
        and cross == (project / TOOLCHAIN).is_file()
    )


def _forget(folder: Path) -> None:
    """Remove what CMake keeps of an earlier compiler or place, and the firmware made with it."""
    for name in ("CMakeCache.txt", "firmware.elf", "firmware.bin", "firmware.map"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "CMakeFiles", ignore_errors=True)


def flash(firmware: Firmware, program: str, arguments: Sequence[str]) -> None:
    """Put ``firmware`` on the attached board; ``{bin}`` and ``{elf}`` in ``arguments`` name it.

    Raises:
        MissingDependencyError: the flasher is not installed.
        FlashError: the flasher failed.
    """
    files = {"bin": str(firmware.bin), "elf": str(firmware.elf)}
    command = [require(program), *(_with_paths(argument, files) for argument in arguments)]
    _run(command, firmware.log, FlashError)


def _with_paths(argument: str, files: Mapping[str, str]) -> str:
    """Put the paths of files into an argument that names them as ``{bin}``."""
    for name, path in files.items():
        argument = argument.replace(f"{{{name}}}", path)
    return argument


def _generator(folder: Path) -> list[str]:
    if (folder / "CMakeCache.txt").is_file():
        return []  # it was chosen before, and cannot be changed
    if shutil.which("ninja"):
        return ["-G", "Ninja"]
    require("make")
    special = MAKES_OWN.search(str(folder.resolve()))
    if special is not None:
        raise BuildError(
            f"{folder}: its path holds {special[0]!r}, which means something to make. "
            "Install ninja (apt-get install ninja-build), or choose another folder."
        )
    return ["-G", "Unix Makefiles"]


def _run(command: Sequence[str], log: Path, error: type[BuildError] = BuildError) -> None:
    """Run a step, add what it says to the log, and raise its first complaint if it fails."""
    logging.getLogger(__name__).info("$ %s", " ".join(command))
    status, output = _run_with_all_it_starts(command)
    before = log.read_text(encoding="utf-8") if log.is_file() else ""
    write_whole(log, f"{before}$ {shlex.join(command)}\n{output}\n")
    if status == 0:
        return
    if NEWLIB_MISSING.search(output):
        raise MissingDependencyError(
            "newlib: not installed. Install it: apt-get install libnewlib-arm-none-eabi"
        )
    name = Path(command[0]).name
    raise error(f"{name} failed: {first_complaint(output)} Log: {log}")


def _run_with_all_it_starts(command: Sequence[str]) -> tuple[int, str]:
    """Return the exit status of a program and what it said; stopped here, its children end too."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as child:
        try:
            output, _ = child.communicate()
        except BaseException:
            if hasattr(os, "killpg"):
                os.killpg(child.pid, signal.SIGKILL)
            else:
                child.kill()
            raise
    return child.returncode, output


def first_complaint(output: str) -> str:
    """Return the first error in a tool's output, on one line."""
    for pattern in COMPLAINTS:
        if (match := pattern.search(output)) is not None:
            return " ".join(match.group(0).split()).rstrip(".") + "."
    lines = [line for line in output.splitlines() if line.strip()]
    return (lines[-1].strip() if lines else "it said nothing").rstrip(".") + "."
