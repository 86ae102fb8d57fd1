"""Every small network: imported, generated, built and compared on an emulated board."""

from pathlib import Path

import numpy as np
import pytest

from dynadeep.host_tools.cli import run

TESTS = Path(__file__).parents[1]
FOLDERS = (TESTS / "data" / "operators", TESTS / "data" / "keras", TESTS / "graphs" / "cases")
FILES = sorted(path for folder in FOLDERS for path in folder.rglob("*.tflite"))
REFUSED = {"dynamic_range": 5}
"""By the exit status: its weights are int8 beside float activations."""

pytestmark = [pytest.mark.heavy, pytest.mark.emulator, pytest.mark.nightly]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_network_is_bit_exact_on_an_emulated_m4(path: Path, tmp_path: Path, capsys) -> None:
    inputs = np.random.default_rng(0).normal(size=(20, 32, 1)).astype(np.float32)
    np.save(tmp_path / "x.npy", inputs)
    calibration = ["--calibration", tmp_path / "x.npy"] if path.stem == "float32_model" else []
    bundle, board = ("--bundle", tmp_path / "b"), ("--board", "mps2-an386")
    status = command("import", path, *calibration, "--count", 2, "--out", tmp_path / "b")
    if path.stem in REFUSED:
        assert status == REFUSED[path.stem]
        return
    assert status == 0, capsys.readouterr().err
    assert command("generate", *bundle, *board, "--out", tmp_path / "c") == 0
    assert command("parity", *bundle, *board, "--sources", tmp_path / "c") == 0
    assert "bit-exact" in capsys.readouterr().out


def command(*words: object) -> int:
    return run([str(word) for word in words])
