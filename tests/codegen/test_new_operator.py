"""A new operator is a file, a kernel and two lines in the list, and runs in both engines."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from .models import OPS, Net
from .tflite_builder import TensorSpec

ROOT = Path(__file__).parents[2]
FILES = Path(__file__).parent / "new_operator"

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


def copy_of_the_kit(folder: Path) -> Path:
    for part in ("codegen", "firmware_templates"):
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, folder / "dynadeep" / part, ignore=leave)
    return folder


def add_line(file: Path, before: str, line: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, f"{line}\n{before}", 1), encoding="utf-8")


def add_operator(kit: Path) -> None:
    """Add its file, its kernel with a header, and its two lines in the list of all."""
    shutil.copy(FILES / "neg.py", kit / "codegen/ops/neg.py")
    for name in ("dd_neg_s8.c", "dd_neg_s8.h"):
        shutil.copy(FILES / name, kit / "firmware_templates/runtime" / name)
    table = kit / "codegen/ops/__init__.py"
    add_line(table, '    "PACK":', '    "NEG": Operation(neg.read),')
    add_line(table, "    pad,\n", "    neg,")


def network() -> bytes:
    net = Net(30)
    net.model.tensors[0].shape = (1, 1, 30, 2)
    source = net.model.tensors[0]
    spec = TensorSpec("neg/neg", source.shape, scales=source.scales, zero_points=source.zero_points)
    net.model.op(OPS.NEG, [0], [net.model.tensor(spec)])
    net.at = len(net.model.tensors) - 1
    net.conv("conv", 3, 3, 2)
    net.model.outputs = [net.at]
    return net.model.build()


def test_an_operator_added_in_a_copy_runs_in_both_engines(tmp_path: Path) -> None:
    copy = copy_of_the_kit(tmp_path / "copy")
    add_operator(copy / "dynadeep")
    (tmp_path / "neg.tflite").write_bytes(network())
    codes = np.random.default_rng(3).integers(-128, 128, (30, 2)).astype(np.int8)
    codes.tofile(tmp_path / "codes")
    result = subprocess.run(
        [
            sys.executable,
            FILES / "both_engines.py",
            copy,
            tmp_path / "neg.tflite",
            tmp_path / "codes",
        ],
        env={**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{ROOT}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["words"] == ["neg", "conv k3 s2"]
    layers, stream = report["tensors"]
    assert layers == stream
    point = Net(30).model.tensors[0].zero_points[0]
    expected = np.clip(2 * point - codes.astype(int), -128, 127)
    assert layers["1"] == expected.ravel().tolist()
