"""A generated project tells what it is for; anything else in its place is one clear line."""

import json
from pathlib import Path

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.errors import ProjectError
from dynadeep.codegen.plan import plan_model
from dynadeep.codegen.project import read_project

from .models import manifest_for, small_encoder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    net = small_encoder()
    content = net.model.build()
    plan = plan_model(content, manifest_for(net, content))
    folder = tmp_path_factory.mktemp("project") / "microbit"
    write_project(project_files(plan, load_board("microbit")), folder)
    return folder


def test_it_names_board_engine_kernels_and_model(project: Path) -> None:
    manifest = read_project(project)
    assert (manifest.board, manifest.engine, manifest.kernels) == ("microbit", "stream", "lanes")
    assert len(manifest.model_id) == 16


def test_a_folder_without_a_manifest_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"Is .* a project made by 'generate'"):
        read_project(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kind": "bundle"}, "not that of a dynadeep generated project"),
        ({"format": 99}, "expected format 2, found 99. Generate the project again"),
        ({"board": 7}, 'key "board" is 7, expected text'),
        ({"kernels": None}, 'key "kernels" is None, expected text'),
    ],
)
def test_a_manifest_of_something_else_is_refused(
    project: Path, tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    data = json.loads((project / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(data | change))
    with pytest.raises(ProjectError, match=complaint):
        read_project(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ProjectError, match=r"manifest\.json"):
        read_project(tmp_path)
