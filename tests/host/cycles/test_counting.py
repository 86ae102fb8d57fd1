"""Blocks are counted exactly, and by the layer whose kernel they ran for."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dynadeep.codegen.board import Flash
from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.host_tools import compiled
from dynadeep.host_tools.cycles import plugin
from dynadeep.host_tools.cycles.program import read_program
from dynadeep.host_tools.errors import BuildError
from tests.host.cycles import snippets

LOOP = """
    movs r0, #10
1:  subs r0, #1
    bne 1b
"""
PAGE_BYTES = 1024  # of QEMU's for these cores, which ends a block there
pytestmark = pytest.mark.emulator


def test_every_turn_of_a_loop_is_counted_and_every_jump_back(tmp_path: Path) -> None:
    program, counts = snippets.count(LOOP, tmp_path)
    turns = [count for count in counts if count.stage == 1 and count.executed == 9]
    assert [(turn.instructions, turn.taken) for turn in turns] == [(2, 8)]
    of_kernel = sum(count.executed * count.instructions for count in counts if count.stage == 1)
    assert of_kernel == 1 + 10 * 2 + 1  # bx lr ends it
    assert all(
        len(program.block(count.start, count.bytes)) == count.instructions for count in counts
    )


def test_what_a_kernel_calls_is_the_layers_and_what_called_it_is_not(tmp_path: Path) -> None:
    body = "    push {r4, lr}\n    bl dd_app_callee\n    pop {r4, lr}\n    b 2f\n"
    body += "dd_app_callee:\n    movs r0, #1\n    bx lr\n2:"
    _, counts = snippets.count(body, tmp_path)
    assert sum(count.executed * count.instructions for count in counts if count.stage == 1) == 7
    assert sum(count.executed * count.instructions for count in counts if count.stage == 0) == 9


def test_reads_of_constants_are_told_from_others(tmp_path: Path) -> None:
    body = "    push {r4, r5}\n    adr r0, data\n    ldrb r1, [r0, #1]\n    ldrd r2, r3, [r0]\n"
    body += "    pop {r4, r5}"
    reads = snippets.estimate(body, tmp_path, flash=Flash(0, 1, wait_states=1, fetch_bytes=256))
    without = snippets.estimate(body, tmp_path)
    fetched = (2 + 4 + 4 + 4 + 2 + 2) / 256 + 1  # its bytes, and the jump back
    assert reads.layers[snippets.LAYER] - without.layers[snippets.LAYER] == round(3 + fetched)


@pytest.mark.parametrize("before", [2, 6, 8])
def test_a_loop_over_the_end_of_a_page_takes_what_it_takes_elsewhere(
    before: int, tmp_path: Path
) -> None:
    loop = "1:  ldr.w r1, [sp]\n    ldr.n r2, [sp]\n    ldr.w r3, [sp]\n    smlad r1, r2, r3, r1\n"
    body = f"    movs r0, #100\n    b 1f\n    .balign {PAGE_BYTES}\n    .space {PAGE_BYTES}"
    body += f" - {before}\n{loop}    subs r0, #1\n    bne 1b\n    b 2f\n    .space 64\n2:"
    within = body.replace(f" - {before}", "")
    assert snippets.estimate(body, tmp_path) == snippets.estimate(within, tmp_path)


def test_a_plugin_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compiled.CACHE, str(tmp_path))
    first = plugin.compiled_plugin("qemu-system-arm")
    before = first.stat().st_mtime_ns
    assert first.parent == tmp_path / "dynadeep"
    assert plugin.compiled_plugin("qemu-system-arm").stat().st_mtime_ns == before


def test_without_a_compiler_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(compiled.CACHE, str(tmp_path))
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "cc" else which(name))
    with pytest.raises(MissingDependencyError, match="apt-get install gcc"):
        plugin.compiled_plugin("qemu-system-arm")


def test_a_firmware_without_a_network_is_refused(tmp_path: Path) -> None:
    elf = snippets.build(LOOP, tmp_path)
    with pytest.raises(BuildError, match="8 bytes, which are not 3"):
        read_program(elf, 3)
    program = replace(read_program(elf, 1), functions=())
    with pytest.raises(BuildError, match="no function board_ticks"):
        program.start_of("board_ticks")
