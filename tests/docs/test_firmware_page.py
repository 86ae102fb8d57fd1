"""docs/firmware.md: its code compiles, and each function and macro that it names is generated."""

import re
import subprocess
from pathlib import Path

import pytest

from dynadeep.codegen.bundle import read_bundle
from dynadeep.codegen.generate import generate
from tests.firmware.compiling import STRICT_C
from tests.net_bundles import NET_BUNDLES

from .pages import page

PAGE = page("docs/firmware.md")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("page") / "motion"
    generate(read_bundle(NET_BUNDLES / "branches"), None, out, name="motion")
    return out


def test_its_code_compiles_without_a_warning(project: Path, tmp_path: Path) -> None:
    (code,) = re.findall(r"```c\n(.*?)```", PAGE, re.DOTALL)
    source = tmp_path / "main.c"
    source.write_text(code)
    folders = [f"-I{project / name}" for name in ("model", "runtime")]
    flags = [flag for flag in STRICT_C if flag != "-Wmissing-prototypes"]
    subprocess.run(["gcc", *flags, *folders, "-fsyntax-only", source], check=True)


def test_every_function_and_macro_of_its_tables_is_there(project: Path) -> None:
    header = (project / "model/motion_net.h").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    functions = re.findall(r"`NAME_(\w+)\(", "".join(rows))
    macros = re.findall(r"`NAME_([A-Z0-9_]+)`", "".join(rows))
    assert len(functions) == 6
    assert len(macros) > 15
    assert all(f"motion_{name}(" in header for name in functions)
    assert all(f"#define MOTION_{name} " in header for name in macros)
    for name in re.findall(r"#define MOTION_(?!OUTPUT1|NET_LINES|NET_COUNTS)(\w+) ", header):
        told = name in macros or f"_{name.removeprefix('OUTPUT0_')}`" in PAGE
        assert told, f"MOTION_{name} is not on the page"
