"""Measure how much of a wire's limit bulk transfers take, and write it as a table.

python -m tests.link.benchmark --out benchmarks

A paced wire lies between the host and an emulated board with the toy of the link's tests, whose
input has 4,000 B as the shipped network's has; see ``paced``. Its time is moved by bytes
alone: the board's work is not counted, and the figures are the same on every computer.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from dynadeep.codegen.board import load_board
from dynadeep.codegen.files import write_whole
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.link.device import Device, Patience
from dynadeep.host_tools.link.fault import Faults, FaultyPort
from dynadeep.host_tools.link.qemu import QemuLink
from tests.app.toy import build_toy
from tests.link.paced import TURN_S, PacedPort

BOARD = "mps2-an386"
RATES = (115_200, 921_600, 3_000_000)
TURNS_S = (TURN_S, 0.002, 0.004, 0.016)
"""The last is what FTDI's adapters take unless they are asked not to."""

PATIENCE = Patience(slack_s=2.0, inference_s=10.0)
NOISE = 1e-3
NOISY_SEGMENTS = 10
TITLE = f"""# The link

Payload beside what the wire could carry, of {BOARD} in QEMU behind a wire of each rate. Only
bytes move its time: ten bits each, and {TURN_S * 1e3:.0f} ms from the end of a request to its
answer at the host, as through USB. The board's own time is not counted.
`python -m tests.link.benchmark` measures it.

"""


@dataclass(frozen=True)
class Row:
    """One kind of transfer at one rate."""

    transfer: str
    baud: int
    turn_s: float
    payload_bytes: int  # inputs and values, without heads, frames and retries
    wire_bytes: int
    seconds: float  # on the wire

    @property
    def of_limit(self) -> float:
        """The payload's share of what the wire could have carried in that time."""
        return self.payload_bytes / (self.seconds * self.baud / 10)


def inputs_up(device: Device, segment: np.ndarray) -> int:
    """Trace inputs, as a parity run does."""
    for _ in range(4):
        entries = device.trace(segment, unfused=True)
    return 4 * (segment.nbytes + 10 * len(entries))


def segments_up_and_down(device: Device, segment: np.ndarray) -> int:
    """Encode segments that come back as they are."""
    codec = CodecBoard(device)
    codec.bound(0)
    return sum(segment.nbytes + len(codec.encode(segment).packet) for _ in range(4))


def tensor_down(number: int, size: int) -> Callable[[Device, np.ndarray], int]:
    """Return what fetches a whole tensor."""

    def fetch(device: Device, segment: np.ndarray) -> int:
        return segment.nbytes + len(device.tensor(segment, number, size, unfused=True))

    return fetch


TRANSFERS = {
    "inputs up, parity's answers down": inputs_up,
    "segments up, as many bytes down": segments_up_and_down,
    "an input up, a tensor of 2,000 B down": tensor_down(2, 2000),
}
PARITY = "inputs up, parity's answers down"


def measure(elf: Path, baud: int, transfer: str, turn_s: float = TURN_S) -> Row:
    """Run a transfer over a paced wire."""
    emulator = load_board(BOARD).emulator
    assert emulator is not None
    segment = np.random.default_rng(1).integers(-500, 500, 2000).astype(np.int16)
    with QemuLink(elf, emulator.machine, emulator.arguments) as link:
        wire = PacedPort(link.port, baud, turn_s=turn_s)
        link.port, link.bytes_per_s = wire, wire.bytes_per_s
        device = Device(link, PATIENCE, wire.clock)
        device.hello()
        begin, carried = wire.now, wire.carried
        payload = TRANSFERS[transfer](device, segment)
        return Row(transfer, baud, turn_s, payload, wire.carried - carried, wire.now - begin)


def measure_noisy(elf: Path) -> dict[str, int]:
    """Count what one bad byte in a thousand costs, both ways; every packet is the right one."""
    emulator = load_board(BOARD).emulator
    assert emulator is not None
    segment = np.arange(2000, dtype=np.int16)
    with QemuLink(elf, emulator.machine, emulator.arguments) as link:
        device = Device(link, Patience(slack_s=0.3, noisy_tries=200, inference_s=2.0))
        device.hello()
        codec = CodecBoard(device)
        codec.reset()
        wires = [Faults(rate=NOISE, seed=seed) for seed in (1, 2)]
        link.port = FaultyPort(link.port, *wires)
        packets = [codec.encode(segment).packet for _ in range(NOISY_SEGMENTS)]
        assert [packet[8] for packet in packets] == list(range(NOISY_SEGMENTS))
        spoilt = sum(wire.injected for wire in wires)
        carried = sum(wire.count for wire in wires)
    return {"segments": NOISY_SEGMENTS, "spoilt": spoilt, "carried": carried,
            "retries": device.traffic.retries}  # fmt: skip


def main() -> None:
    """Measure everything and write link.md and link.json."""
    parser = argparse.ArgumentParser(description="Measure the link.")
    parser.add_argument("--out", type=Path, default=Path("benchmarks"))
    out: Path = parser.parse_args().out
    with TemporaryDirectory() as folder:
        elf = build_toy(BOARD, Path(folder) / "toy").elf
        rows = [measure(elf, baud, name) for name in TRANSFERS for baud in RATES]
        slow = [measure(elf, baud, PARITY, turn_s) for turn_s in TURNS_S[1:] for baud in RATES]
        noisy = measure_noisy(elf)
    quick = [row for row in rows if row.transfer == PARITY]
    write_whole(out / "link.md", TITLE + table(rows) + turns(quick + slow) + noise(noisy))
    rows += slow
    figures = [asdict(row) | {"of_limit": round(row.of_limit, 4)} for row in rows]
    content = {"board": BOARD, "rows": figures, "noisy": noisy}
    write_whole(out / "link.json", json.dumps(content, indent=1) + "\n")


def table(rows: list[Row]) -> str:
    """Return the rows as Markdown, a column for each rate."""
    lines = ["| transfer | " + " | ".join(f"{baud:,} baud" for baud in RATES) + " |"]
    lines.append("|---" * (1 + len(RATES)) + "|")
    for name in dict.fromkeys(row.transfer for row in rows):
        shares = (f"{row.of_limit:.1%}" for row in rows if row.transfer == name)
        lines.append(f"| {name} | " + " | ".join(shares) + " |")
    return "\n".join(lines) + "\n"


def turns(rows: list[Row]) -> str:
    """Return what a slower adapter leaves of it, as Markdown."""
    lines = [
        "",
        f"A host that answers later leaves the wire idle for as long, once a request: {PARITY},",
        "by the time from the end of a request to its answer. A request carries one input, so that",
        "at 3,000,000 baud 85% is held to 2 ms and no further. A CDC port such as an ST-LINK's",
        "needs a frame of USB or two, 1 to 2 ms; FTDI's adapters 16 ms unless asked for less, as",
        "the kit asks on Linux: elsewhere set the driver's latency timer to 1 ms. Requests are not",
        "sent ahead of their answers, because a board at work may have no buffer for them.",
        "",
        "| answered within | " + " | ".join(f"{baud:,} baud" for baud in RATES) + " |",
        "|---" * (1 + len(RATES)) + "|",
    ]
    for turn_s in TURNS_S:
        shares = (f"{row.of_limit:.1%}" for row in rows if row.turn_s == turn_s)
        lines.append(f"| {turn_s * 1e3:.0f} ms | " + " | ".join(shares) + " |")
    return "\n".join(lines) + "\n"


def noise(counts: dict[str, int]) -> str:
    """Return what a bad wire costs, in a sentence."""
    return (
        f"\nWith one byte in {round(1 / NOISE):,} dropped, doubled or flipped, both ways, "
        f"{counts['segments']} segments of 4,000 B took {counts['carried']:,} B on the wire and "
        f"{counts['retries']} retries: {counts['spoilt']} bytes were spoilt, every packet right.\n"
    )


if __name__ == "__main__":
    main()
