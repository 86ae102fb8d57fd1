"""Without the extra ``cloud`` its commands say what to install."""

import sys

import pytest

from dynadeep.host_tools.cli import run

COMMANDS = {
    "archive": ["archive", "nowhere"],
    "collect": ["collect", "--broker", "mqtt://x", "--archive", "a", "--bundles", "b"],
    "fleet": ["fleet", "--data", "d", "--archive", "nowhere"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_its_packages_says_which_extra_to_install(command, monkeypatch, capsys):
    monkeypatch.setattr("dynadeep.host_tools.cloud.extra.find_spec", lambda name: None)
    for name in [one for one in sys.modules if one.split(".")[0] in {"pyarrow", "paho"}]:
        monkeypatch.setitem(sys.modules, name, None)
    assert run(COMMANDS[command]) == 3
    assert "pip install 'dynadeep[cloud]'" in capsys.readouterr().err
