"""The model card beside the shipped weights says what their records say."""

import json
import re
from pathlib import Path

import pytest

from dynadeep.train.checkpoint import PRETRAINED_FOLDER

CARD = (PRETRAINED_FOLDER / "README.md").read_text(encoding="utf-8")
SHIPPED = sorted(PRETRAINED_FOLDER.rglob("*.safetensors"))
COMPRESSORS = [path for path in SHIPPED if path.stem.startswith("mitdb-")]


def section(name: str) -> str:
    """Return what stands under a network's heading."""
    (text,) = re.findall(rf"^### {name}\n(.*?)(?=^##|\Z)", CARD, re.DOTALL | re.MULTILINE)
    return text


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_network_has_a_section_without_a_pending_figure(path: Path) -> None:
    name = path.relative_to(PRETRAINED_FOLDER).with_suffix("").as_posix()
    text = section(name)
    for part in ("Purpose", "Data", "Limits"):
        assert f"- {part}: " in text
    assert "pending" not in text, f"{name}: fill its figures in, they are in its record."


@pytest.mark.parametrize("path", COMPRESSORS, ids=lambda path: path.stem)
def test_its_figures_are_those_of_the_record(path: Path) -> None:
    training = json.loads(path.with_suffix(".json").read_text())["training"]
    rows = re.findall(rf"^\| `{path.stem}` .*$", CARD, re.MULTILINE)
    scores = training["scores"]
    for figure in ("prd", "prdn", "head_correlation", "head_mae", "head_margin95"):
        pair = " / ".join(f"{scores[level][figure]:.2f}" for level in ("32", "64"))
        assert f"| {pair} |" in "\n".join(rows), figure
    assert f"| {training['epochs']} |" in rows[0]
    assert f"--epochs {training['epochs']}" in section(path.stem)
