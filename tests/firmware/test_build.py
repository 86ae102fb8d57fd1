"""The runtime as source: what compilers say about it, and what it needs from its surroundings."""

import re
import shutil
from pathlib import Path

import pytest

from dynadeep.codegen.kernels import BUFFERS, KERNELS, Buffers, KernelSet
from dynadeep.codegen.plan import STACK_BESIDES_BYTES
from tests.firmware.compiling import (
    CORTEX_M4,
    HARNESS,
    HEADERS,
    RUNTIME,
    STRICT,
    STRICT_C,
    compile_objects,
    run,
)
from tests.firmware.stack_depth import deepest, read_calls

# memcpy and memset may come from copies of structs; everything else the runtime does itself.
OF_STRINGS = ("memcpy", "memmove", "memset")
ALLOWED_OUTSIDE = {*OF_STRINGS, *(f"__aeabi_{name}" for name in OF_STRINGS), "__aeabi_memcpy4"}


NEWLIB = "/usr/lib/arm-none-eabi/include"


def require(tool: str) -> str:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed; `make setup` installs it")
    return tool


@pytest.mark.parametrize("flags", [("-O0",), ("-O2",), ("-O3",), ("-Os",), ("-O2", "-DDD_CHECKED")])
@pytest.mark.parametrize(
    ("compiler", "core"), [("gcc", ()), ("arm-none-eabi-gcc", CORTEX_M4)], ids=["host", "cortex-m4"]
)
def test_strict_compilers_have_nothing_to_say(
    compiler: str, core: tuple[str, ...], flags: tuple[str, ...], tmp_path: Path
) -> None:
    compile_objects(require(compiler), (*core, *STRICT_C, *flags), tmp_path)


@pytest.mark.parametrize(
    ("core", "kernels"),
    [
        ("host", "lanes"),
        ("cortex-m0", "plain"),
        ("cortex-m0", "helium"),  # the C twin
        ("cortex-m3", "lanes"),
        ("cortex-m4", "dsp"),
        ("cortex-m55", "helium"),
    ],
)
def test_clang_has_nothing_to_say_and_assembles_every_kernel(
    core: str, kernels: str, tmp_path: Path
) -> None:
    target: tuple[str, ...] = ()
    if core != "host":
        if not Path(NEWLIB).is_dir():
            pytest.skip("newlib is not installed; `make setup` installs it")
        target = (f"-mcpu={core}", "--target=arm-none-eabi", "-mthumb", f"-isystem{NEWLIB}")
    chosen = f"-DDD_KERNELS={KERNELS[kernels].macro}"
    compile_objects(require("clang"), (*target, *STRICT_C, "-O1", chosen), tmp_path)


@pytest.mark.parametrize(
    ("compiler", "core"), [("g++", ()), ("arm-none-eabi-g++", CORTEX_M4)], ids=["host", "cortex-m4"]
)
def test_each_header_stands_alone_as_cpp(
    compiler: str, core: tuple[str, ...], tmp_path: Path
) -> None:
    sources = []
    for header in HEADERS:
        source = tmp_path / f"{header.stem}.cpp"
        source.write_text(f'#include "{header.name}"\n#include "{header.name}"\n', encoding="utf-8")
        sources.append(str(source))
    flags = [*core, "-std=c++14", *STRICT, f"-I{RUNTIME}", f"-I{HARNESS}", "-fsyntax-only"]
    run([require(compiler), *flags, *sources], tmp_path)


def test_runtime_needs_no_library_and_keeps_no_state(tmp_path: Path) -> None:
    objects = compile_objects(
        require("arm-none-eabi-gcc"), (*CORTEX_M4, *STRICT_C, "-O2"), tmp_path
    )
    linked = run(["arm-none-eabi-nm", *map(str, objects)], tmp_path)
    symbols = [line.split()[-2:] for line in linked.splitlines() if len(line.split()) >= 2]
    defined = {name for kind, name in symbols if kind != "U"}
    outside = {name for kind, name in symbols if kind == "U"} - defined
    assert outside <= ALLOWED_OUTSIDE
    assert [name for kind, name in symbols if kind.upper() in "BDC"] == []


@pytest.mark.parametrize("buffers", BUFFERS, ids=lambda buffer: f"{buffer.part}x{buffer.block}")
@pytest.mark.parametrize("kernels", KERNELS.values(), ids=list(KERNELS))
def test_stack_of_the_deepest_calls_is_what_the_planner_counts_on(
    tmp_path: Path, kernels: KernelSet, buffers: Buffers
) -> None:
    sizes = (f"-DDD_PART={buffers.part}u", f"-DDD_BLOCK={buffers.block}u")
    chosen = (f"-DDD_KERNELS={kernels.macro}", *sizes)
    flags = (*CORTEX_M4, *STRICT_C, "-O2", "-fcallgraph-info=su", *chosen)
    compile_objects(require("arm-none-eabi-gcc"), flags, tmp_path)
    assert deepest(read_calls(tmp_path.glob("*.ci"))) <= planned(kernels, buffers)


def planned(kernels: KernelSet, buffers: Buffers) -> int:
    return kernels.stack_bytes(buffers) + STACK_BESIDES_BYTES


def test_status_codes_are_one_list_without_gaps() -> None:
    text = (RUNTIME / "dd_status.h").read_text(encoding="utf-8")
    rows = re.findall(r'X\((DD_\w+), (\d+), "([^"]+)"\)', text)
    assert [int(value) for _, value, _ in rows] == list(range(len(rows)))
    assert len({name for name, _, _ in rows}) == len({words for _, _, words in rows}) == len(rows)
    assert rows[0][0] == "DD_OK"
