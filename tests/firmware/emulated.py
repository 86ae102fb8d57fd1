"""Programs for emulated cores, one for each kernel set: built, run, and their results read."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from dynadeep.codegen.kernels import DSP, HELIUM, LANES, PLAIN, KernelSet
from tests.firmware.compiling import CORTEX_M4, HARNESS, RUNTIME, SOURCES, STRICT_C, run

HERE = Path(__file__).parent / "cores"
LIMITS = ("--specs=nosys.specs", "-nostartfiles", "-Wl,--no-warn-rwx-segments")


@dataclass(frozen=True)
class Core:
    """A kernel set on a machine that has what it needs."""

    kernels: KernelSet
    flags: tuple[str, ...]
    machine: str
    clock_mhz: float
    code: int = 0
    ram: int = 0x2000_0000
    traps: bool = False  # words that are not aligned

    @property
    def name(self) -> str:
        return f"{self.kernels.name}, unaligned access traps" if self.traps else self.kernels.name


TRAPPING = ("-Os", "-mno-unaligned-access", "-DTRAP_UNALIGNED")

CORES = (
    # A Cortex-M3 runs all that a Cortex-M0 does, and has a counter besides.
    Core(PLAIN, ("-mcpu=cortex-m0",), "mps2-an385", 25),
    Core(LANES, ("-mcpu=cortex-m3",), "mps2-an385", 25),
    Core(DSP, CORTEX_M4, "mps2-an386", 25),
    Core(DSP, (*CORTEX_M4, *TRAPPING), "mps2-an386", 25, traps=True),
    Core(
        HELIUM,
        ("-mcpu=cortex-m55", "-mfloat-abi=hard"),
        "mps3-an547",
        32,
        0x1000_0000,
        0x3000_0000,
    ),
)


def build_for(core: Core, main: str, folder: Path) -> Path:
    """Build ``cores/main`` with the runtime and the cases that lie in ``folder``.

    Its ``cases.h`` is included by name; its C files are compiled with the rest.
    """
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed; `make setup` installs it")
    flags = [
        *("-mthumb", *STRICT_C, "-O2", *core.flags),
        f"-DDD_KERNELS={core.kernels.macro}",
        *(f"-I{include}" for include in (RUNTIME, HARNESS, HERE, folder)),
        *(*LIMITS, f"-Wl,--defsym=__code={core.code},--defsym=__ram={core.ram}"),
    ]
    own = [HERE / main, HERE / "startup.c", *sorted(folder.glob("*.c"))]
    sources = [*map(str, own), *map(str, SOURCES), f"-T{HERE / 'link.ld'}"]
    run(["arm-none-eabi-gcc", *flags, *sources, "-o", "cases.elf"], folder)
    return folder / "cases.elf"


def emulate(firmware: Path, core: Core) -> list[tuple[int, int]]:
    """Return each case's CRC and instructions."""
    command = ["qemu-system-arm", "-M", core.machine, "-nographic", "-monitor", "none"]
    command += ["-serial", "none", "-icount", "shift=0,align=off,sleep=off", "-kernel"]
    command += [str(firmware), "-semihosting-config", "enable=on,target=native"]
    completed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    rows = [line.split() for line in (completed.stdout + completed.stderr).splitlines()]
    per_tick = 1000 / core.clock_mhz  # -icount shift=0: one instruction a nanosecond
    return [(int(crc, 16), int(int(ticks, 16) * per_tick)) for crc, ticks in rows]
