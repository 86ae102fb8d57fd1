"""Numbers of tensors and constants: many work, too many are refused by their number."""

import subprocess
from pathlib import Path

import pytest

from dynadeep.codegen import inventory
from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Manifest, model_id_of
from dynadeep.codegen.canonical import ends
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.plan import plan_model
from tests.firmware.compiling import STRICT_C
from tests.net_bundles import PlainNet

DEEP = 65
"""Convolutions of four arrays each: more than 255."""


@pytest.fixture(scope="module")
def deep() -> tuple[bytes, Manifest]:
    net = PlainNet(3)
    start = at = net.activation("x", 4, 1, 0.05)
    for number in range(DEEP):
        at = net.conv(f"c{number}", at, 4, (1, 1, 1))
    net.model.inputs, net.model.outputs = [start], [at]
    content = net.model.build()
    inputs, outputs = ends(content)
    return content, Manifest(model_id_of(content), "0.1.0", inputs, outputs, files={}, record={})


def test_more_than_255_arrays_have_numbers_of_16_bits(deep, tmp_path: Path) -> None:
    plan = plan_model(*deep)
    assert [constant.number for constant in plan.constants] == list(range(4 * DEEP))
    write_project(project_files(plan, load_board("native")), tmp_path / "out")
    folders = [f"-I{tmp_path / 'out' / name}" for name in ("model", "runtime", "app", "board")]
    sources = [tmp_path / "out" / name for name in ("model/model_net.c", "app/commands.c")]
    subprocess.run(["gcc", *STRICT_C, *folders, "-fsyntax-only", *sources], check=True)


def test_more_than_a_reply_can_name_are_refused_by_number(deep, monkeypatch) -> None:
    monkeypatch.setattr(inventory, "TENSOR_LIMIT", DEEP)
    with pytest.raises(ModelError, match=f"has {DEEP + 1} tensors, .* names at most {DEEP}"):
        plan_model(*deep)
    monkeypatch.setattr(inventory, "TENSOR_LIMIT", 1000)
    monkeypatch.setattr(inventory, "CONSTANT_LIMIT", 200)
    with pytest.raises(ModelError, match=r"has 260 arrays of constants, .* names at most 200"):
        plan_model(*deep)
