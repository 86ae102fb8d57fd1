"""The pytest plugin as a user has it: found by its entry point, in a pytest of their own."""

import os
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from importlib import metadata
from pathlib import Path

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.host_tools.link.qemu import QemuLink
from tests.caching import ROOT, SMALL_BUNDLE
from tests.docs.pages import blocks, page
from tests.net_bundles import NET_BUNDLES

BRANCHES = NET_BUNDLES / "branches"
README_TEST = next(
    block for block in blocks(page("README.md"), "python") if "dynadeep_parity" in block
)
STACK_TEST = blocks(page("docs/pytest.md"), "python")[0]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]


class User:
    """Somebody's project, with the plugin as the installed package declares it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.paths: list[str] = []
        if not metadata.entry_points(group="pytest11", name="dynadeep"):
            self._declare(folder / "installed" / "dynadeep_declared-0.dist-info")

    def _declare(self, info: Path) -> None:
        """Where the tests' own installation is older than the declaration."""
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: dynadeep-declared\nVersion: 0\n"
        )
        lines = [f"{name} = {value}" for name, value in DECLARED["pytest11"].items()]
        (info / "entry_points.txt").write_text("[pytest11]\n" + "\n".join(lines) + "\n")
        self.paths.append(str(info.parent))

    def pytest(self, test: str, *options: object) -> subprocess.CompletedProcess[str]:
        (self.folder / "test_board.py").write_text(test)
        path = os.pathsep.join(filter(None, [*self.paths, os.environ.get("PYTHONPATH", "")]))
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-v", *map(str, options)],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def user(tmp_path: Path) -> User:
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    return User(tmp_path)


def outcomes(completed: subprocess.CompletedProcess[str]) -> dict[str, int]:
    summary = completed.stdout.strip().splitlines()[-1]
    return {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", summary)}


def test_the_readmes_test_is_five_lines_at_most():
    assert len([line for line in README_TEST.splitlines() if line.strip()]) <= 5


@pytest.mark.emulator
def test_the_readmes_test_passes_on_two_emulated_boards_at_once(user):
    boards = ("--dynadeep-board", "mps2-an386", "--dynadeep-board", "microbit")
    report = user.folder / "report.xml"
    tests = README_TEST + STACK_TEST
    completed = user.pytest(
        tests, "--dynadeep-bundle", BRANCHES, *boards, "-n", 2, f"--junit-xml={report}"
    )
    assert completed.returncode == 0, completed.stdout
    cases = ET.parse(report).getroot().iter("testcase")
    names = {case.get("name").split("[")[1] for case in cases}
    assert names == {"mps2-an386]", "microbit]"}


WRONG_BIT = """
from dataclasses import replace

def test_one_wrong_value_is_named(dynadeep_board, dynadeep_parity):
    from dynadeep.host_tools.measure.references import golden_cases
    case = golden_cases(dynadeep_board.bundle)[0]
    name = dynadeep_board.bundle.manifest.outputs[0].name
    values = case.tensor(name).copy()
    values[0, 0] ^= 1
    spoilt = replace(case, tensors={**case.tensors, name: values})
    result = dynadeep_parity([spoilt])
    assert result.bit_exact, result.differences
"""


def test_a_wrong_bit_fails_the_users_test_and_is_named(user):
    completed = user.pytest(WRONG_BIT, "--dynadeep-bundle", BRANCHES, "--dynadeep-board", "native")
    assert outcomes(completed) == {"failed": 1}
    assert "channel=0, time=0" in completed.stdout


HARDWARE = """
import pytest

@pytest.mark.dynadeep_hardware
def test_on_a_real_board(dynadeep_parity):
    assert dynadeep_parity().bit_exact

def test_anywhere():
    pass
"""


def test_a_test_of_hardware_is_skipped_without_a_port(user):
    completed = user.pytest(HARDWARE, "-rs", "--strict-markers")
    assert outcomes(completed) == {"passed": 1, "skipped": 1}
    assert "name its --dynadeep-port" in completed.stdout


def test_a_test_of_hardware_runs_at_its_port(user):
    completed = user.pytest(
        HARDWARE, "--dynadeep-port", "/dev/nowhere", "--dynadeep-bundle", BRANCHES
    )
    assert outcomes(completed) == {"passed": 1, "error": 1}
    assert completed.stdout.count("/dev/nowhere: no such port") == 1
    assert "another exception" not in completed.stdout
    assert "Traceback" not in completed.stdout


TURNS = """
import pytest

@pytest.mark.dynadeep_hardware
@pytest.mark.parametrize("turn", range(2))
def test_it_answers(dynadeep_board, turn):
    assert dynadeep_board.device.memory().size_bytes
"""


@pytest.mark.emulator
def test_two_processes_take_turns_at_one_port(user, firmware):
    """The port is an emulated board's terminal; whoever comes second waits."""
    emulator = load_board("mps2-an386").emulator
    elf = firmware("mps2-an386").elf
    with QemuLink(elf, emulator.machine, emulator.arguments) as link:
        link.port.close()
        port = ("--dynadeep-port", link.port.port)
        completed = user.pytest(TURNS, "--dynadeep-bundle", SMALL_BUNDLE, *port, "-n", 2)
    assert outcomes(completed) == {"passed": 2}, completed.stdout
    assert len(set(re.findall(r"\[(gw\d)\]", completed.stdout))) == 2


def test_a_missing_bundle_is_one_line(user):
    completed = user.pytest(README_TEST)
    assert outcomes(completed) == {"error": 1}
    assert "build/bundle" in completed.stdout
    assert "pytest_plugin.py" not in completed.stdout


def test_options_that_do_not_go_together_are_refused(user):
    ports = ("--dynadeep-port", "a", "--dynadeep-port", "b")
    completed = user.pytest(README_TEST, "--dynadeep-board", "microbit", *ports)
    assert completed.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--dynadeep-board is given 1 times" in completed.stderr


LIGHT = """
import sys

def test_nothing_heavy_was_imported():
    kit = {name for name in sys.modules if name.startswith("dynadeep.")}
    assert kit <= {"dynadeep.host_tools", "dynadeep.host_tools.pytest_plugin",
                   "dynadeep.codegen", "dynadeep.codegen.version"}, kit
    assert not {"numpy", "serial", "rich", "msgspec", "jinja2"} & set(sys.modules)
"""


def test_a_pytest_without_its_options_imports_nothing_of_the_kit(user):
    completed = user.pytest(LIGHT, "-p", "no:randomly", "-p", "no:hypothesispytest")
    assert outcomes(completed) == {"passed": 1}, completed.stdout
