"""A real broker, as docs/deploy.md sets it up, on a free port of this computer."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from dynadeep.host_tools.cloud.broker import Broker, parse_broker
from tests.docs.pages import page

PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MISSING = "mosquitto is not installed: apt-get install mosquitto"
needs_mosquitto = pytest.mark.skipif(PROGRAM is None, reason=MISSING)
PAGE = page("docs/deploy.md")
COLLECTOR = "collector"
DEBIANS = """persistence true
persistence_location {database}/
include_dir {more}
"""
"""What Debian's own mosquitto.conf says; no line of text may come in it twice."""


def block(kind: str) -> str:
    """Return a block of the page by its kind."""
    match = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert match is not None
    return match[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def authority(folder: Path, names: Sequence[str], name: str = "ward authority") -> None:
    """Make certificates with the commands of the page: ca, broker, and one for each name."""
    first, *rest = [line for line in PAGE.splitlines() if line.startswith("openssl ")]
    of_device = [line for line in rest if "bed-7" in line]
    brokers = [line for line in rest if "broker" in line]
    assert len(of_device) == len(brokers) == len(rest) / 2 == 2
    _run(first.replace("ward authority", name), folder)
    for line in brokers:
        _run(line.replace("DNS:broker.ward.example", "DNS:localhost,IP:127.0.0.1"), folder)
    for line in (line.replace("bed-7", device) for device in names for line in of_device):
        _run(line, folder)


def _run(line: str, folder: Path) -> None:
    subprocess.run(["bash", "-c", line], cwd=folder, check=True, capture_output=True)


def launch(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start a broker of a folder's mosquitto.conf, and wait until it listens."""
    words = [str(PROGRAM), "-c", str(folder / "mosquitto.conf")]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError((folder / "log").read_text())


class Mosquitto:
    """A broker that can be killed, and started again on what it kept."""

    def __init__(self, folder: Path, certificates: Path):
        assert PROGRAM is not None
        self.port, self.folder, self.certificates = free_port(), folder, certificates
        (folder / "db").mkdir()
        acl = folder / "acl"
        acl.write_text(block("acl"))
        acl.chmod(0o600)
        text = self.configuration().replace("/etc/mosquitto/dynadeep/acl", str(acl))
        text = text.replace("/etc/mosquitto/dynadeep", str(certificates))
        text = text.replace("listener 8883", f"listener {self.port} 127.0.0.1")
        (folder / "conf.d").mkdir()
        (folder / "conf.d" / "dynadeep.conf").write_text(text)
        main = DEBIANS.format(database=folder / "db", more=folder / "conf.d")
        main += "user root\n" if os.geteuid() == 0 else ""  # who may go into the tests' folders
        (folder / "mosquitto.conf").write_text(main)
        self.start()

    def configuration(self) -> str:
        """Return the page's configuration."""
        return block("conf")

    @property
    def url(self) -> str:
        return f"mqtts://localhost:{self.port}"

    def broker(self, name: str, certificates: Path | None = None) -> Broker:
        """Return the way to it for who has a certificate of that name."""
        own = certificates or self.certificates
        return parse_broker(
            self.url,
            cafile=str(self.certificates / "ca.crt"),
            cert=str(own / f"{name}.crt"),
            key=str(own / f"{name}.key"),
        )

    def start(self) -> None:
        self.process = launch(self.folder, self.port)

    def kill(self) -> None:
        """End it as kill -9 does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class MosquittoOfPasswords(Mosquitto):
    """The same with names and passwords, as the page changes it."""

    def __init__(self, folder: Path, certificates: Path, passwords: dict[str, str]):
        self._file = folder / "passwords"
        self._file.write_text("".join(f"{name}:{word}\n" for name, word in passwords.items()))
        (command,) = (line for line in PAGE.splitlines() if line.startswith("mosquitto_passwd "))
        _run(command, folder)
        assert not any(word in self._file.read_text() for word in passwords.values())
        super().__init__(folder, certificates)

    def configuration(self) -> str:
        """Return the page's configuration with the lines changed that it says."""
        (sentence,) = re.findall(r"certificates: the lines `(\w+)` and `(\w+)` go", PAGE)
        (added,) = re.findall(r"`(password_file /etc\S+)` comes in their place", PAGE)
        lines = block("conf").splitlines()
        remaining = [line for line in lines if line.split()[0] not in sentence]
        assert len(remaining) == len(lines) - 2
        added = added.replace("/etc/mosquitto/dynadeep/passwords", str(self._file))
        return "\n".join([*remaining, added]) + "\n"

    def broker_of(self, name: str, password: str | None = None, **changes: str | None) -> Broker:
        """Return the way to it for who says that name, and a password."""
        shown: dict[str, str | None] = {"cafile": str(self.certificates / "ca.crt")}
        if password is not None:
            path = self.folder / f"{name}.password"
            path.write_text(password + "\n")
            shown |= {"username": name, "password_file": str(path)}
        return parse_broker(self.url, **(shown | changes))
