"""What the readme tells a newcomer to type."""

import re
import subprocess
from pathlib import Path

from dynadeep.codegen.emit import project_files, write_project
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.cli import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_its_c_compiles_without_a_warning(plan, tmp_path):
    write_project(project_files(plan, None), tmp_path / "ecg")
    (snippet,) = blocks("c")
    source = tmp_path / "main.c"
    source.write_text("#include <stddef.h>\nvoid send(const void *, size_t);\n" + snippet)
    folders = [f"-I{tmp_path}/ecg/{name}" for name in ("model", "runtime")]
    strict = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
    compiler = toolchain.require("arm-none-eabi-gcc")
    done = subprocess.run(
        [compiler, "-mcpu=cortex-m4", "-mthumb", *strict, *folders, "-fsyntax-only", str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_its_commands_exist():
    known = {command.__name__ for command in COMMANDS}
    used = {name for block in blocks("") for name in re.findall(r"^dynadeep (\w+)", block, re.M)}
    assert used
    assert used <= known


def test_its_make_targets_exist():
    targets = set(re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = {name for block in blocks("") for name in re.findall(r"^make (\w+)", block, re.M)}
    assert {"demo", "test"} <= used <= targets


def test_every_page_that_it_links_exists():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
