"""Without the extra ``cloud`` its commands say what to install."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from dynadeep.host_tools.cli import run
from tests.caching import SMALL_BUNDLE

COMMANDS = {
    "archive": ["archive", "nowhere"],
    "collect": ["collect", "--broker", "mqtt://x", "--archive", "a", "--bundles", "b"],
    "fleet": ["fleet", "--data", "d", "--archive", "nowhere"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_its_packages_says_which_extra_to_install(command, monkeypatch, capsys):
    monkeypatch.setattr("dynadeep.host_tools.cloud.extra.find_spec", lambda name: None)
    for name in [module for module in sys.modules if module.split(".")[0] in {"pyarrow", "paho"}]:
        monkeypatch.setitem(sys.modules, name, None)
    assert run(COMMANDS[command]) == 3
    assert "pip install 'dynadeep[cloud]'" in capsys.readouterr().err


def test_without_ray_its_engine_says_so_before_anything_is_written(
    tmp_path: Path, monkeypatch, capsys
):
    there = lambda name: None if name == "ray" else find_spec(name)  # noqa: E731
    monkeypatch.setattr("dynadeep.host_tools.cloud.extra.find_spec", there)
    options = ["--bundles", str(SMALL_BUNDLE), "--out", str(tmp_path / "out"), "--engine", "ray"]
    assert run(["decode", "--archive", str(tmp_path), *options]) == 3
    assert "pip install 'dynadeep[cloud]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
