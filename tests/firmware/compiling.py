"""Compile the runtime: the harness program for the host, and objects for any compiler."""

import subprocess
from pathlib import Path

from dynadeep import firmware_templates
from dynadeep.codegen.kernels import LANES, KernelSet
from tests.caching import hash_of_files, made_once

RUNTIME = Path(firmware_templates.__file__).parent / "runtime"
HARNESS = Path(__file__).parent / "harness"
SOURCES = tuple(sorted(RUNTIME.glob("*.c")))
HEADERS = tuple(sorted(RUNTIME.glob("*.h")))

STRICT = (
    *("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow"),
    *("-Wundef", "-Wcast-qual", "-Wvla", "-Werror"),
)
STRICT_C = ("-std=c11", "-Wstrict-prototypes", "-Wmissing-prototypes", *STRICT)
SANITIZED = (
    *("-g", "-O1", "-DDD_CHECKED", "-fsanitize=address,undefined"),
    *("-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
)
CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")


def run(command: list[str], folder: Path) -> str:
    """Run a tool of the toolchain and return what it printed, failing with its own words."""
    completed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, f"{' '.join(command)}\n{completed.stderr}"
    return completed.stdout


def build_harness(kernels: KernelSet = LANES) -> Path:
    """Return the harness, compiled once for a kernel set."""
    sources = [*SOURCES, *sorted(HARNESS.glob("*.c"))]
    flags = [*STRICT_C, *SANITIZED, f"-DDD_KERNELS={kernels.macro}", f"-I{RUNTIME}", f"-I{HARNESS}"]
    made_of = sorted([*sources, *HEADERS, *HARNESS.glob("*.h")])

    def make(folder: Path) -> None:
        run(["gcc", *flags, *map(str, sources), "-rdynamic", "-o", "harness"], folder)

    name = f"harness-{kernels.name}-{hash_of_files(made_of, *STRICT_C, *SANITIZED)}"
    return made_once(name, make) / "harness"


def compile_objects(compiler: str, flags: tuple[str, ...], folder: Path) -> list[Path]:
    """Compile every file of the runtime into ``folder``."""
    run([compiler, *flags, f"-I{RUNTIME}", f"-I{HARNESS}", "-c", *map(str, SOURCES)], folder)
    return sorted(folder.glob("*.o"))
