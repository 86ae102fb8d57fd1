"""Compile the C targets, each with the small model's firmware around it."""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.host_tools.errors import BuildError
from fuzz.small import small_project

SOURCES = Path(__file__).parent / "c"
TARGETS = ("cobs", "commands", "encoder", "input_map", "samples")
BESIDE = ("board.c", "rice_decoder.c")
"""Sources of ours that targets share."""

HOST = ("dd_rice_decode.c", "dd_rice_decode.h")
"""The receiver's own C, which is in no project."""

APPLICATION = ("app/commands.c", "app/commands_codec.c", "app/hello.c", "app/dd_link.c")
"""What of the application is the same on any board; ours is fuzz/c/board.c."""

ARCHIVE = "libshared.a"
CHECKS = (
    *("-g", "-O1", "-fno-omit-frame-pointer", "-DDD_CHECKED", "-std=c11", "-Wall", "-Wextra"),
    "-fno-sanitize-recover=all",
)


@dataclass(frozen=True)
class Compiler:
    """A compiler, and what makes a target a program."""

    program: str
    package: str  # Debian's
    sanitize: str
    driver: tuple[str, ...]  # sources that bring main()


LIBFUZZER = Compiler("clang", "clang", "-fsanitize=fuzzer,address,undefined", ())
REPLAY = Compiler("gcc", "gcc", "-fsanitize=address,undefined", ("replay.c",))
"""Runs a target once over the files that it is given."""


def compile_targets(out: Path, compiler: Compiler = LIBFUZZER) -> dict[str, Path]:
    """Compile every target below ``out``, unless the same ones are there; return the programs.

    Raises:
        MissingDependencyError: the compiler is not installed.
        BuildError: it refuses a source.
    """
    program = shutil.which(compiler.program)
    if program is None:
        raise MissingDependencyError(
            f"{compiler.program}: not installed; the C targets need it. "
            f"Install it: apt-get install {compiler.package}"
        )
    files = small_project() | {f"fuzz/{path.name}": path.read_bytes() for path in _own_sources()}
    host = resources.files("dynadeep.firmware_templates") / "host"
    files |= {f"host/{name}": (host / name).read_bytes() for name in HOST}
    folder = out / f"{compiler.program}-{_digest(files, compiler)}"
    built = {name: folder / name for name in TARGETS}
    if not all(path.is_file() for path in built.values()):
        _write(files, folder)
        _compile(program, compiler, folder)
    return built


def _own_sources() -> list[Path]:
    return sorted(path for path in SOURCES.iterdir() if path.suffix in (".c", ".h"))


def _digest(files: dict[str, bytes], compiler: Compiler) -> str:
    digest = hashlib.sha256(repr((compiler, CHECKS)).encode())
    for name, content in files.items():
        digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]


def _write(files: dict[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _compile(program: str, compiler: Compiler, folder: Path) -> None:
    """Compile what the targets share into an archive, and link each with its own source."""
    sources = [
        path.relative_to(folder).as_posix()
        for part in ("model", "runtime", "host")
        for path in sorted((folder / part).glob("*.c"))
    ]
    sources += [*APPLICATION, *(f"fuzz/{name}" for name in BESIDE)]
    flags = [
        *CHECKS,
        *(f"-I{name}" for name in ("model", "runtime", "host", "app", "board", "fuzz")),
    ]
    # libFuzzer's main() belongs to the link alone.
    counted = compiler.sanitize.replace("fuzzer,", "fuzzer-no-link,")
    _run([program, *flags, counted, "-c", *sources], folder)
    _run(["ar", "rcs", ARCHIVE, *sorted(path.name for path in folder.glob("*.o"))], folder)
    driver = [f"fuzz/{name}" for name in compiler.driver]
    for name in TARGETS:
        parts = [f"fuzz/{name}.c", *driver, ARCHIVE]
        _run([program, *flags, compiler.sanitize, *parts, "-o", name], folder)


def _run(command: list[str], folder: Path) -> None:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BuildError(f"{command[0]} failed in {folder}: {result.stderr.strip()}")
