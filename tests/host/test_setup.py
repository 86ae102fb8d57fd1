"""The set-up script on a machine where it cannot install anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETUP = ROOT / ".ci" / "setup"
TOOLS = ("bash", "dirname", "id", "sha256sum", "cut", "cat", "pwd", "mktemp")


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A PATH with what any machine has, and neither compilers nor apt-get."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        path = shutil.which(tool)
        if path:
            (folder / tool).symlink_to(path)
    return folder


def run_setup(path: Path, venv: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SETUP)],
        env={"PATH": str(path), "VENV": str(venv)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_where_nothing_can_be_installed_one_line_names_all_that_is_missing(bare_path, tmp_path):
    completed = run_setup(bare_path, tmp_path / "venv")
    assert completed.returncode == 3
    (line,) = completed.stderr.splitlines()
    for package in ("gcc-arm-none-eabi", "qemu-system-arm", "cmake", "g++", "python3-venv"):
        assert package in line
    assert not (tmp_path / "venv").exists()


def test_scripts_are_sound_shell():
    for script in (SETUP, ROOT / ".ci" / "run"):
        assert os.access(script, os.X_OK)
        subprocess.run(["bash", "-n", str(script)], check=True)
