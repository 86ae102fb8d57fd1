"""The firmware's fuzz targets over their seeds, compiled by gcc: libFuzzer itself needs clang."""

import subprocess
from pathlib import Path

import pytest

from dynadeep.codegen.errors import MissingDependencyError
from fuzz import SEEDS
from fuzz.compiling import REPLAY, TARGETS, compile_targets
from tests.caching import CACHE


@pytest.fixture(scope="session")
def programs() -> dict[str, Path]:
    return compile_targets(CACHE / "fuzz", REPLAY)


@pytest.mark.xdist_group("fuzz")
@pytest.mark.parametrize("target", TARGETS)
def test_the_firmware_holds_over_every_seed(programs: dict[str, Path], target: str) -> None:
    seeds = sorted((SEEDS / target).iterdir())
    done = subprocess.run(
        [programs[target], *seeds], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.split() == [str(seed) for seed in seeds]
    assert seeds


def test_a_missing_compiler_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match=r"clang: not installed.*apt-get install"):
        compile_targets(tmp_path)
