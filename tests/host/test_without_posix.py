"""Where POSIX is missing, as on Windows: everything but the emulator's pseudo-terminal works."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ELSEWHERE = """
import importlib, json, os, pkgutil, sys, types
from pathlib import Path

def import_all():
    import dynadeep.codegen, dynadeep.host_tools
    packages = (dynadeep.codegen, dynadeep.host_tools)
    return [
        importlib.import_module(found.name).__name__
        for package in packages
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    ]

def why_not(start):
    from dynadeep.host_tools.errors import LinkError
    try:
        start()
    except LinkError as error:
        return str(error)

import_all()  # so that what others import at their top is there: they have rules of their own
import serial.urlhandler.protocol_loop
for name in [name for name in sys.modules if name.split(".")[0] == "dynadeep"]:
    del sys.modules[name]
for name in ("tty", "pty", "termios", "fcntl", "resource", "pwd", "grp", "syslog", "readline"):
    sys.modules[name] = None
sys.modules["msvcrt"] = types.ModuleType("msvcrt")
sys.platform = "win32"
for name in ("openpty", "ttyname", "killpg", "getppid", "fork", "setsid", "fchmod", "geteuid"):
    delattr(os, name)

names = import_all()
from dynadeep.host_tools.link.native import NativeLink
from dynadeep.host_tools.link.qemu import QemuLink
from dynadeep.host_tools.link.serial import SerialLink
with SerialLink("loop://") as link:
    link.send(b"dd")
    echo = link.receive().decode()
print(json.dumps({
    "names": names,
    "native": why_not(lambda: NativeLink(Path(__file__))),
    "qemu": why_not(lambda: QemuLink(Path(__file__), "mps2-an386")),
    "serial": echo,
}))
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process finds that has the modules and calls of Windows."""
    script = tmp_path_factory.mktemp("elsewhere") / "script.py"
    script.write_text(ELSEWHERE, encoding="utf-8")
    completed = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stderr
    content: dict[str, Any] = json.loads(completed.stdout)
    return content


def test_every_module_of_the_harness_is_imported_without_posix(elsewhere) -> None:
    root = Path(__file__).parents[2]
    files = [
        path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
        for folder in ("codegen", "host_tools")
        for path in (root / folder).rglob("*.py")
        if path.name != "__init__.py"
    ]
    assert {f"dynadeep.{name}" for name in files} <= set(elsewhere["names"])


@pytest.mark.parametrize("kind", ["native", "qemu"])
def test_what_needs_a_terminal_says_so_where_there_is_none(elsewhere, kind: str) -> None:
    message = "pseudo-terminal, and win32 has none. Connect a board and give its --port"
    assert message in elsewhere[kind]


def test_a_serial_port_is_opened_without_posix(elsewhere) -> None:
    assert elsewhere["serial"] == "dd"
