"""Memory from an ELF file of known sizes, compiled for the occasion."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from dynadeep.host_tools import toolchain
from dynadeep.host_tools.errors import BuildError
from dynadeep.host_tools.link.protocol import StackUse
from dynadeep.host_tools.measure import memory

SOURCE = """
const signed char conv1_weights[300] = {1};
const int conv1_bias[8] = {1};
const signed char conv10_weights[70] = {1};
const signed char conv_weights[20] = {1};
const signed char conv_2_weights[50] = {1};
int initialised[25] = {1};
int zeroed[40];
void start(void) { for (;;) { zeroed[0] = initialised[conv1_weights[0]] + conv1_bias[0]; } }
const signed char *const keep[] = {conv10_weights, conv_weights, conv_2_weights};
"""
LINKER_SCRIPT = """
MEMORY { FLASH (rx) : ORIGIN = 0, LENGTH = 64K
         RAM (rw) : ORIGIN = 0x20000000, LENGTH = 64K }
ENTRY(start)
SECTIONS {
    .text : { *(.text*) } > FLASH
    .rodata : { *(.rodata*) } > FLASH
    .stack (NOLOAD) : { . += 2048; } > RAM
    .data : { *(.data*) } > RAM AT > FLASH
    .bss (NOLOAD) : { *(.bss*) *(COMMON) } > RAM
}
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> memory.Image:
    folder = tmp_path_factory.mktemp("elf")
    (folder / "main.c").write_text(SOURCE)
    (folder / "linker.ld").write_text(LINKER_SCRIPT)
    elf = folder / "firmware.elf"
    subprocess.run(
        [
            toolchain.require("arm-none-eabi-gcc"),
            *("-mcpu=cortex-m4", "-mthumb", "-O1", "-nostdlib", "-g"),
            *("-T", str(folder / "linker.ld"), str(folder / "main.c"), "-o", str(elf)),
        ],
        check=True,
    )
    return memory.read_image(elf)


def size_of(image: memory.Image, name: str) -> int:
    return next(section.bytes for section in image.sections if section.name == name)


def test_flash_is_code_constants_and_initial_values(image):
    parts = [size_of(image, name) for name in (".text", ".rodata", ".data")]
    assert image.flash_bytes == sum(parts)
    assert size_of(image, ".data") == 100


def test_static_ram_leaves_the_reserved_stack_out(image):
    assert size_of(image, ".stack") == 2048
    assert image.static_ram_bytes == 100 + 160


def test_ram_is_static_ram_and_the_stacks_peak_counted_once(image):
    used = memory.measure(image, StackUse(size_bytes=2048, peak_bytes=700), [])
    assert used.ram_bytes == 100 + 160 + 700
    assert used.stack_reserved_bytes == 2048


def test_a_layers_flash_is_that_of_its_own_constants(image):
    arrays = dict.fromkeys(("conv1", "conv10", "conv2", "conv", "conv_2"), ("weights", "bias"))
    assert memory.flash_by_layer(image, arrays) == {
        "conv1": 300 + 32,
        "conv10": 70,
        "conv2": 0,
        "conv": 20,  # and not conv_2's as well
        "conv_2": 50,
    }


def test_a_layer_is_found_under_the_name_that_c_gives_it(image):
    assert memory.flash_by_layer(image, {"Conv.2": ("weights",)}) == {"Conv.2": 50}


@pytest.mark.parametrize(
    ("offsets", "total"), [((0, 100), 150), ((30, 0), 130), ((0, 0), 100), ((0, 60), 110)]
)
def test_a_layers_arena_counts_what_input_and_output_share_once(offsets, total):
    row = SimpleNamespace(in_offset=offsets[0], in_bytes=100, out_offset=offsets[1], out_bytes=50)
    assert memory.arena_of(row) == total


def test_variables_are_listed_with_their_sizes(image):
    used = memory.measure(image, StackUse(0, 0), [])
    assert used.ram_by_symbol == {"zeroed": 160, "initialised": 100}


def test_debug_sections_take_no_room(image):
    assert not [section for section in image.sections if section.name.startswith(".debug")]


def test_the_compiler_that_made_it_is_named(image):
    assert image.compiler.startswith("GCC")


@pytest.mark.parametrize("content", [None, b"", b"not an ELF file at all, but long enough to be"])
def test_a_file_that_is_no_elf_is_refused(tmp_path: Path, content):
    path = tmp_path / "firmware.elf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BuildError):
        memory.read_image(path)
