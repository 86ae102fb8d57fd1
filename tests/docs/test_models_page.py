"""docs/models.md as a newcomer follows it: its network, its commands and its C."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dynadeep.codegen.ops import OPERATIONS
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.cli import run

from .pages import blocks, code, page, table

PAGE = page("docs/models.md")
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
MAIN = """
#include <stdio.h>

int main(void)
{
    const float sample[MOTION_CHANNELS] = {0.5f, -0.25f, 1.0f};
    int answers = 0;
    if (!begin()) {
        return 1;
    }
    for (int i = 0; i < 3 * MOTION_STEPS; i++) {
        answers += on_sample(sample) >= 0;
    }
    return answers == 3 ? 0 : 2;
}
"""


def commands() -> list[list[str]]:
    """Return the command lines of the page's blocks, in their order."""
    lines = [line for block in blocks(PAGE) for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


@pytest.mark.heavy
@pytest.mark.emulator
def test_its_commands_work_in_an_empty_folder_and_its_code_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (network,), (snippet,) = blocks(PAGE, "python"), blocks(PAGE, "c")
    Path("my_network.py").write_text(network)
    for words in commands():
        if words[0] == "python":
            subprocess.run([sys.executable, *words[1:]], check=True)
        else:
            assert words[0] == "dynadeep"
            assert run(words[1:]) == 0, (words, capsys.readouterr().err)
    assert "bit-exact" in capsys.readouterr().out
    folder = Path("my_project/motion")
    Path("main.c").write_text(snippet + MAIN)
    sources = [*folder.glob("model/*.c"), *folder.glob("runtime/*.c")]
    includes = [f"-I{folder / name}" for name in ("model", "runtime")]
    toolchain.require("gcc")
    for command in (
        ["gcc", *STRICT, *includes, "-fsyntax-only", "main.c"],
        ["gcc", "-std=c11", "-O1", *includes, "main.c", *sources, "-o", "motion"],
        ["./motion"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_operators_that_it_lists_are_those_that_run() -> None:
    told = " ".join(
        row["operators of a `.tflite`"] for row in table(PAGE, "operators of a `.tflite`")
    )
    named = {word.strip(",()") for word in told.split() if word.strip(",()").isupper()}
    variants = {"PADV2", "SPLIT_V", "RELU_0_TO_1", "RELU_N1_TO_1"}
    assert OPERATIONS.keys() - variants == named - {"TILE"}


def test_every_way_to_import_that_it_shows_is_a_command() -> None:
    for row in table(PAGE, "you have", "the command"):
        (line,) = code(row["the command"])
        assert line.startswith("dynadeep import ")
