"""``dynadeep bench`` keeps what another network's figures are."""

import json
from pathlib import Path

import pytest

from dynadeep.codegen.bundle import Bundle
from dynadeep.host_tools.cli import run


def test_another_networks_figures_are_not_replaced_unasked(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.dumps({"model_id": "0123456789abcdef", "rows": []})
    (tmp_path / "results.json").write_text(content)
    code = run(["bench", "--bundle", str(bundle.folder), "--out", str(tmp_path)])
    assert code != 0
    assert "holds the figures of network 0123456789abcdef" in capsys.readouterr().err
    assert (tmp_path / "results.json").read_text() == content
