"""Packets from a device to the archive, while broker, gateway and collector are killed at random.

``python -m tests.cloud.killing --packets 100000`` prints what came of it.
"""

import argparse
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from dynadeep.codegen.bundle import Manifest, read_bundle
from dynadeep.host_tools.cloud import archive
from dynadeep.host_tools.codec.packet import Packet, encode, payload_bytes, short_model_id
from tests.caching import SMALL_BUNDLE
from tests.cloud.secured import COLLECTOR, Mosquitto, authority
from tests.cloud.wearing import Wire, pushed

DEVICE = "bed-7"
BATCH = 200
SETTLED_S = 60.0
"""How long nothing new may come before what is missing counts as lost."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    packets: int
    kills: int
    lost: int
    doubled: int
    seconds: float


def made(manifest: Manifest, number: int) -> bytes:
    """Return a packet that no other number has, though sequence numbers wrap."""
    codes = np.random.default_rng(number).bytes(payload_bytes(manifest, 1) - 4)
    payload = number.to_bytes(4, "little") + codes
    return encode(Packet(1, short_model_id(manifest), 0, number % 65536, payload))


class Running:
    """A command in a process of its own, killed and started again at will."""

    def __init__(self, words: list[str], log: Path):
        self._words, self._log = words, log
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "tests.cloud.command", *self._words]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        self.kill()


class Chain:
    """Wire, gateway, broker, collector, archive."""

    def __init__(self, folder: Path, certificates: Path):
        self.spool, self.archive = folder / "spool", folder / "archive"
        self._log = folder / "gateway.log"
        self.wire = Wire()
        (folder / "broker").mkdir()
        bundles = folder / "bundles"
        bundles.mkdir()
        (bundles / "small").symlink_to(SMALL_BUNDLE)
        self.broker = Mosquitto(folder / "broker", certificates)
        way = ["--broker", self.broker.url, "--cafile", str(certificates / "ca.crt")]
        collect = ["collect", *way, *_shown(certificates, COLLECTOR)]
        collect += ["--archive", str(self.archive), "--bundles", str(bundles), "--every", "2"]
        carry = ["gateway", *way, *_shown(certificates, "{device}"), "--spool", str(self.spool)]
        carry += ["--port", self.wire.url, "--device", DEVICE, "--most-per-minute", "10000000"]
        self.collector = Running(collect, folder / "collector.log")
        self.gateway = Running(carry, self._log)

    def parts(self) -> list[tuple[Callable[[], None], Callable[[], None]]]:
        """Return how each of the three is killed and started."""
        return [
            (self.gateway.kill, self.gateway.start),
            (self.collector.kill, self.collector.start),
            (self.broker.kill, self.broker.start),
        ]

    def readings(self) -> int:
        """Return how often a gateway said that it reads: what is sent before that is lost."""
        return self._log.read_text().count("reading")

    def kept(self) -> int:
        """Return how many packets the spool ever took."""
        if not self.spool.is_file():
            return 0
        with closing(sqlite3.connect(self.spool, timeout=30)) as file, suppress(sqlite3.Error):
            row = file.execute("SELECT seq FROM sqlite_sequence WHERE name = 'packets'").fetchone()
            return 0 if row is None else int(row[0])
        return 0

    def found(self) -> Counter[bytes]:
        """Return how often each packet stands in the archive."""
        found: Counter[bytes] = Counter()
        if self.archive.is_dir():
            for batch in archive.read(self.archive):
                rows = zip(batch["kind"].to_pylist(), batch["packet"].to_pylist(), strict=True)
                found.update(packet for kind, packet in rows if kind == "packet")
        return found

    def close(self) -> None:
        self.gateway.end()
        self.collector.end()
        self.broker.kill()
        self.wire.close()


def _shown(certificates: Path, name: str) -> list[str]:
    return [
        *("--cert", str(certificates / f"{name}.crt")),
        *("--key", str(certificates / f"{name}.key")),
    ]


def feed(chain: Chain, packets: list[bytes], kills: int, rng: random.Random) -> None:
    """Have the device send everything, and kill each part of the chain so often meanwhile.

    What the device sent to a gateway that was killed before it took it is sent again: nothing is
    lost on this wire, for it is not the wire that is tested.
    """
    order = [part for part in chain.parts() for _ in range(kills)]
    rng.shuffle(order)
    due = sorted(rng.sample(range(1, len(packets)), len(order)))
    _until(lambda: chain.readings() > 0 and chain.wire.opened > 0)
    sent = chain.kept()
    while sent < len(packets):
        until = min(sent + BATCH, len(packets), *(due[:1] or [len(packets)]))
        chain.wire.send(b"".join(pushed(packets[n], n) for n in range(sent, until)))
        if due and until == due[0]:
            due.pop(0)
            kill, start = order.pop()
            time.sleep(rng.random() * 0.3)
            readings, opened = chain.readings(), chain.wire.opened
            kill()
            time.sleep(rng.random() * 0.5)
            sent = chain.kept()
            start()
            if kill == chain.gateway.kill:
                _until(partial(_is_more, chain.readings, readings))
                _until(partial(_is_more, lambda: chain.wire.opened, opened))
                continue
        _until(partial(_is_more, chain.kept, until - 1))
        sent = until


def settle(chain: Chain, count: int) -> Counter[bytes]:
    """Wait until the archive has everything, or nothing more comes."""
    found, changed_s = chain.found(), time.monotonic()
    while len(found) < count and time.monotonic() < changed_s + SETTLED_S:
        time.sleep(1)
        again = chain.found()
        changed_s = time.monotonic() if len(again) > len(found) else changed_s
        found = again
    return found


def run(folder: Path, certificates: Path, count: int, kills: int, seed: int = 1) -> Outcome:
    """Send ``count`` packets, kill each of the three ``kills`` times, and count what came."""
    manifest = read_bundle(SMALL_BUNDLE).manifest
    packets = [made(manifest, number) for number in range(count)]
    chain, begin_s = Chain(folder, certificates), time.monotonic()
    try:
        feed(chain, packets, kills, random.Random(seed))
        settle(chain, count)
    finally:
        chain.close()
    found = chain.found()
    assert set(found) <= set(packets)
    lost = len(set(packets) - set(found))
    return Outcome(count, 3 * kills, lost, found.total() - len(found), time.monotonic() - begin_s)


def _is_more(count: Callable[[], int], than: int) -> bool:
    return count() > than


def _until(what: Callable[[], bool]) -> None:
    end_s = time.monotonic() + SETTLED_S
    while not what():
        assert time.monotonic() < end_s, "it did not come true"
        time.sleep(0.02)


def main() -> None:
    """Run it, and print the outcome as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=5, help="of each of the three")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        certificates = Path(name) / "certificates"
        certificates.mkdir()
        authority(certificates, (DEVICE, COLLECTOR))
        outcome = run(Path(name), certificates, given.packets, given.kills, given.seed)
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
