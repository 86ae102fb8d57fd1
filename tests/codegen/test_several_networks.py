"""Several networks in one firmware: nothing of one is in the other's way."""

import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle, read_bundle
from dynadeep.codegen.errors import CodegenError
from dynadeep.codegen.generate import generate
from dynadeep.codegen.kernels import DSP
from dynadeep.codegen.net_context import check_name
from dynadeep.host_tools.measure.references import Case, golden_cases
from tests.caching import SMALL_BUNDLE
from tests.firmware.compiling import STRICT_C
from tests.firmware.emulated import CORES, HERE, LIMITS, emulate
from tests.net_bundles import NET_BUNDLES

PROGRAM = Path(__file__).parent / "two_networks.c"
CORE = next(core for core in CORES if core.kernels is DSP)
CMAKE = """
cmake_minimum_required(VERSION 3.20)
project(mine C)
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
add_subdirectory(motion)
add_subdirectory(ears)
add_subdirectory(ecg)
add_executable(both two_networks.c)
target_include_directories(both PRIVATE .)
target_link_libraries(both PRIVATE dynadeep)
"""


@pytest.fixture(scope="module")
def networks() -> dict[str, Bundle]:
    return {
        "motion": read_bundle(NET_BUNDLES / "branches"),
        "ears": read_bundle(NET_BUNDLES / "two_inputs"),
    }


@pytest.fixture(scope="module")
def cases(networks: dict[str, Bundle]) -> dict[str, Case]:
    """The last golden case of each: random codes."""
    return {name: golden_cases(bundle)[-1] for name, bundle in networks.items()}


def inputs_of(networks: dict[str, Bundle], cases: dict[str, Case]) -> str:
    """Return the C of what goes in."""
    left, right = (cases["ears"].tensor(spec.name) for spec in networks["ears"].manifest.inputs)
    arrays = {"motion": cases["motion"].input, "left": left, "right": right}
    return "#include <stdint.h>\n" + "".join(
        f"static const int8_t {name}_input[] = {{{', '.join(map(str, np.ravel(values)))}}};\n"
        for name, values in arrays.items()
    )


def expected_of(networks: dict[str, Bundle], cases: dict[str, Case]) -> list[int]:
    """Return the CRC of each output by TFLite's reference kernels."""
    return [
        zlib.crc32(cases[name].tensor(spec.name).tobytes())
        for name, bundle in networks.items()
        for spec in bundle.manifest.outputs
    ]


def test_two_networks_and_a_codec_share_a_firmware_and_a_runtime(
    networks: dict[str, Bundle], cases: dict[str, Case], tmp_path: Path
) -> None:
    for name, bundle in {**networks, "ecg": read_bundle(SMALL_BUNDLE)}.items():
        generate(bundle, None, tmp_path / name, name=name)
    (tmp_path / "cases.h").write_text(inputs_of(networks, cases))
    (tmp_path / PROGRAM.name).write_bytes(PROGRAM.read_bytes())
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    for command in (["-B", "build"], ["--build", "build", "--parallel"]):
        subprocess.run(["cmake", *command], cwd=tmp_path, check=True, capture_output=True)
    result = subprocess.run([tmp_path / "build/both"], capture_output=True, text=True, check=True)
    crcs = [int(line.split()[0], 16) for line in result.stdout.splitlines()]
    assert crcs == 2 * expected_of(networks, cases)


@pytest.mark.emulator
def test_two_networks_run_on_an_emulated_cortex_m4(
    networks: dict[str, Bundle], cases: dict[str, Case], tmp_path: Path
) -> None:
    for name, bundle in networks.items():
        generate(bundle, load_board("mps2-an386"), tmp_path / name, name=name)
    (tmp_path / "cases.h").write_text(inputs_of(networks, cases))
    folders = [f"{name}/model" for name in networks]
    runtime = {path.name: path for path in sorted(tmp_path.glob("*/runtime/*.c"))}
    places = ("", "motion/runtime", "ears/runtime", *folders)
    includes = [f"-I{tmp_path / folder}" for folder in places]
    flags = [*STRICT_C, "-O2", "-mthumb", *CORE.flags, "-DON_CORE", f"-I{HERE}", *includes]
    where = f"-Wl,--defsym=__code={CORE.code},--defsym=__ram={CORE.ram}"
    sources: list[Path] = [PROGRAM, HERE / "startup.c", *runtime.values()]
    sources += [path for folder in folders for path in sorted(tmp_path.glob(f"{folder}/*.c"))]
    command = ["arm-none-eabi-gcc", *flags, *map(str, sources), f"-T{HERE / 'link.ld'}", *LIMITS]
    command += [where]
    subprocess.run([*command, "-o", tmp_path / "both.elf"], check=True)
    crcs = [crc for crc, _ in emulate(tmp_path / "both.elf", CORE)]
    assert crcs == 2 * expected_of(networks, cases)


def test_networks_made_for_different_kernel_sets_stop_the_compiler(
    networks: dict[str, Bundle], tmp_path: Path
) -> None:
    generate(networks["motion"], load_board("mps2-an386"), tmp_path / "motion", name="motion")
    generate(networks["ears"], None, tmp_path / "ears", name="ears")
    folders = [f"-I{tmp_path / folder}" for folder in ("ears/model", "motion/runtime")]
    command = ["gcc", *folders, "-fsyntax-only", tmp_path / "ears/model/ears_net.c"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "generate all networks for one board" in result.stderr


@pytest.mark.parametrize("name", ["a", "ecg", "motion_2", "x" * 31])
def test_a_name_is_any_short_identifier(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "Ecg", "2d", "_x", "a b", "a-b", "int", "while", "x" * 32, "ä", "a\n"]
)
def test_a_name_that_is_no_identifier_is_refused(name: str) -> None:
    with pytest.raises(CodegenError, match="expected a C identifier"):
        check_name(name)


@pytest.mark.parametrize("name", ["dd", "dd_x", "app", "board"])
def test_a_name_of_the_kits_own_symbols_is_refused(name: str) -> None:
    with pytest.raises(CodegenError, match="the kit's own symbols begin with it"):
        check_name(name)
