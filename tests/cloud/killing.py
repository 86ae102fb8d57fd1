"""Packets from a device to the archive, while broker, gateway and collector are killed at random.

``python -m tests.cloud.killing --packets 100000`` prints what came of it; ``--out`` adds it to a
benchmark's ``cloud.json``.
"""

import argparse
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from dynadeep.codegen.bundle import MANIFEST, Manifest, read_bundle
from dynadeep.host_tools.cloud import archive
from dynadeep.host_tools.codec.packet import Packet, encode, payload_bytes, short_model_id
from tests.caching import SMALL_BUNDLE
from tests.cloud.benchmark import add_to
from tests.cloud.secured import COLLECTOR, Mosquitto, authority
from tests.cloud.wearing import Wire, pushed

SAMPLE_RATE_HZ = 1600
"""Of the model here: a segment takes 0.2 s, so that a run takes minutes and not days."""

MOST_PER_MINUTE = 1_000_000

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


def packet_of(manifest: Manifest, label: int, number: int) -> bytes:
    """Return a packet that no other stream and number has, though sequence numbers wrap."""
    codes = np.random.default_rng(number).bytes(payload_bytes(manifest, 1) - 4)
    payload = number.to_bytes(4, "little") + codes
    return encode(Packet(1, short_model_id(manifest), label, number % 65536, payload))


Part = tuple[Callable[[], None], Callable[[], None]]


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


@dataclass
class Wearable:
    """A device that makes a packet for each segment, whether anybody listens or not."""

    name: str
    label: int
    speed: float  # segments in the time that one takes
    wire: Wire = field(default_factory=Wire)
    made: int = 0
    sent: list[bytes] = field(default_factory=list)  # to somebody who listened

    def tick(self, manifest: Manifest, elapsed_s: float, *, heard: bool) -> None:
        """Make what is due; what nobody hears is lost on the wire."""
        expected = int(elapsed_s * self.speed * SAMPLE_RATE_HZ / manifest.segment_length)
        while self.made < expected:
            packet = packet_of(manifest, self.label, self.made)
            if heard:
                self.wire.send(pushed(packet, self.made))
                self.sent.append(packet)
            self.made += 1

    def forget_behind(self, last: bytes | None) -> None:
        """Take back what a gateway that was killed had not taken."""
        self.sent = self.sent[: 0 if last is None else self.sent.index(last) + 1]


class Chain:
    """Devices, gateway, broker, collector, archive."""

    def __init__(self, folder: Path, certificates: Path, devices: Sequence[str], speed: float):
        self.spool, self.archive = folder / "spool", folder / "archive"
        self._log = folder / "gateway.log"
        self.devices = [Wearable(name, number, speed) for number, name in enumerate(devices)]
        (folder / "broker").mkdir()
        bundle = fast_bundle(folder / "bundle")
        self.manifest = read_bundle(bundle).manifest
        self.broker = Mosquitto(folder / "broker", certificates)
        way = ["--broker", self.broker.url, "--cafile", str(certificates / "ca.crt")]
        collect = ["collect", *way, *_shown(certificates, COLLECTOR)]
        collect += ["--archive", str(self.archive), "--bundles", str(bundle), "--every", "2"]
        carry = ["gateway", *way, *_shown(certificates, "{device}"), "--spool", str(self.spool)]
        carry += ["--most-per-minute", str(MOST_PER_MINUTE)]
        for device in self.devices:
            carry += ["--port", device.wire.url, "--device", device.name]
        self.collector = Running(collect, folder / "collector.log")
        self.gateway = Running(carry, self._log)

    def parts(self) -> list[Part]:
        """Return how each of the three is killed and started."""
        return [
            (self.gateway.kill, self.gateway.start),
            (self.collector.kill, self.collector.start),
            (self.broker.kill, self.broker.start),
        ]

    def heard(self) -> int:
        """Return how often all ports were open at both ends: what is sent before that is lost."""
        lines = self._log.read_text().splitlines()
        return min(
            device.wire.read_by(line for line in lines if f"{device.name}: " in line)
            for device in self.devices
        )

    def last_taken(self, device: Wearable) -> bytes | None:
        """Return a device's last packet in the spool; it stays there for a while after all."""
        query = "SELECT packet FROM packets WHERE device = ? ORDER BY number DESC LIMIT 1"
        with closing(sqlite3.connect(self.spool, timeout=30)) as file:
            row = file.execute(query, (device.name,)).fetchone()
            return None if row is None else bytes(row[0])

    def archived(self) -> Counter[bytes]:
        """Return how often each packet stands in the archive."""
        packets: Counter[bytes] = Counter()
        if self.archive.is_dir():
            for batch in archive.read(self.archive):
                rows = zip(batch["kind"].to_pylist(), batch["packet"].to_pylist(), strict=True)
                packets.update(packet for kind, packet in rows if kind == "packet")
        return packets

    def close(self) -> None:
        self.gateway.end()
        self.collector.end()
        self.broker.kill()
        for device in self.devices:
            device.wire.close()


def fast_bundle(folder: Path) -> Path:
    """Return the small bundle with a sample rate at which time flies."""
    shutil.copytree(SMALL_BUNDLE, folder)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["sample_rate_hz"] = SAMPLE_RATE_HZ
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def _shown(certificates: Path, name: str) -> list[str]:
    return [
        *("--cert", str(certificates / f"{name}.crt")),
        *("--key", str(certificates / f"{name}.key")),
    ]


def strike(chain: Chain, part: Part, rng: random.Random) -> None:
    """Kill a part of the chain and start it again; what a gateway had not taken was not sent."""
    kill, start = part
    kill()
    if kill == chain.gateway.kill:
        for device in chain.devices:
            device.forget_behind(chain.last_taken(device))
    time.sleep(rng.random() * 0.5)
    start()


def feed(chain: Chain, count: int, kills: int, rng: random.Random) -> None:
    """Have the devices send so many packets, and kill each part so often meanwhile."""
    order = [part for part in chain.parts() for _ in range(kills)]
    rng.shuffle(order)
    kills_at = sorted(rng.sample(range(1, count), len(order)), reverse=True)
    begun_s, ears = time.monotonic(), 1
    while kills_at or sum(len(device.sent) for device in chain.devices) < count:
        heard = chain.heard() >= ears
        for device in chain.devices:
            device.tick(chain.manifest, time.monotonic() - begun_s, heard=heard)
        if heard and kills_at and sum(len(device.sent) for device in chain.devices) >= kills_at[-1]:
            kills_at.pop()
            part = order.pop()
            ears += part[0] == chain.gateway.kill
            strike(chain, part, rng)
        time.sleep(0.02)
    for device in chain.devices:  # the gateway is alive: what is on the wire arrives
        _until(partial(_has_taken, chain, device))


def _has_taken(chain: Chain, device: Wearable) -> bool:
    return chain.last_taken(device) == device.sent[-1]


def settle(chain: Chain, count: int) -> None:
    """Wait until the archive has everything, or nothing more comes."""
    arrived, changed_s = len(chain.archived()), time.monotonic()
    while arrived < count and time.monotonic() < changed_s + SETTLED_S:
        time.sleep(1)
        arrived_now = len(chain.archived())
        changed_s = time.monotonic() if arrived_now > arrived else changed_s
        arrived = arrived_now


def run(
    folder: Path,
    certificates: Path,
    devices: Sequence[str],
    count: int,
    *,
    kills: int,
    speed: float = 1,
    seed: int = 1,
) -> Outcome:
    """Send ``count`` packets, kill each of the three ``kills`` times, and count what came."""
    chain, begin_s = Chain(folder, certificates, devices, speed), time.monotonic()
    try:
        feed(chain, count, kills, random.Random(seed))
        sent = {packet for device in chain.devices for packet in device.sent}
        settle(chain, len(sent))
    finally:
        chain.close()
    archived = chain.archived()
    assert set(archived) <= sent
    doubled = archived.total() - len(archived)
    seconds = time.monotonic() - begin_s
    return Outcome(len(sent), 3 * kills, len(sent - set(archived)), doubled, seconds)


def _until(what: Callable[[], bool]) -> None:
    end_s = time.monotonic() + SETTLED_S
    while not what():
        assert time.monotonic() < end_s, "it did not come true"
        time.sleep(0.1)


def main() -> None:
    """Run it, and print the outcome as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=5, help="of each of the three")
    parser.add_argument("--devices", type=int, default=40)
    parser.add_argument("--speed", type=float, default=1, help="times as fast as segments take (1)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder of a benchmark's cloud.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        certificates = Path(name) / "certificates"
        certificates.mkdir()
        devices = [f"bed-{number + 1}" for number in range(arguments.devices)]
        authority(certificates, (*devices, COLLECTOR))
        how = {"kills": arguments.kills, "speed": arguments.speed, "seed": arguments.seed}
        outcome = run(Path(name), certificates, devices, arguments.packets, **how)
    print(json.dumps(asdict(outcome)))
    if arguments.out is not None:
        add_to(arguments.out, asdict(outcome))


if __name__ == "__main__":
    main()
