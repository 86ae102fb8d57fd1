"""The page of the cloud's benchmark: what was measured, and what a fleet would take, on paper."""

import math
from typing import Any

from dynadeep.codegen.markdown import table
from dynadeep.train.evaluation.cost import Prices, read_prices

FLEETS = (200, 10_000, 1_000_000)
HOURS = 365 * 24

HEAD = """# The cloud

`make bench-cloud` measures it. Packets to Parquet, the whole path: archive read, packets checked,
decoded, written. {load_kind} The computer:
{computer}; its load average as it was measured: {load}. Segments a second and a core are by
processor time; what two workers gain is by the clock, and only means something on idle cores.

## Decoding
"""

FLEET = (
    "ECG of CinC 2017 through the generated C, as `dynadeep fleet`\nmakes archives of it; levels "
    "that few segments have are filled up to 128 with random codes."
)
DIRECT = 'ECG of CinC 2017 at level "none", random codes at the others.'

PAPER = """
Prices of `train/evaluation/prices.toml` ({source}).
Everything is decoded once as it comes; one channel, an archive of {months:g} months. The paper
reckons one vCPU with 2 GB for 200 beds, and finds costs 63 % (lossless) and 97 % (Dynamic-Deep)
below those of raw samples: 1 - 1/2.7 and about 1 - 1/48.31, as if storage by its gains were all.
Here a vCPU is a core of the computer that measured, an archive's bytes are those on the disk, and
a raw sample has two.
"""

LIMITS = """
## Where the design would next give way
- **200 beds**: nowhere. One core decodes them all and idles nearly all of the time; one broker, one
  collector.
- **10,000 devices** send 1,500 packets a second. Decoding takes a core or two; one broker and one
  collector have to keep up with that many messages, and are the next to be measured.
- **1,000,000 devices** send 150,000 packets a second, more than one Mosquitto and one collector
  take. The topics part by device, so that both can be many, each with its own devices and the same
  archive. Then a million files a day (a device's day each) are what an object store charges and
  lists by: files of many devices' hours, sorted by device, would have to replace them. So would
  decoding by day: the unit of work should be as small as a file of the archive.
- A task network on all that is decoded costs more than the decoder.
"""


def text_of(figures: dict[str, Any]) -> str:
    """Return the page."""
    parts = [
        HEAD.format(
            computer=figures["computer"],
            load=figures["load"],
            load_kind=FLEET if figures.get("made_by") == "fleet" else DIRECT,
        ),
        *_levels(figures),
        *_engines(figures),
        *_way_in(figures),
        *_fleets(figures),
        LIMITS,
    ]
    return "\n".join(parts).rstrip("\n") + "\n"


def _levels(figures: dict[str, Any]) -> list[str]:
    headings = (
        "level", "packet, bytes", "archive, KB/h", "decoded, MB/h", "segments/s/core",
        "hours of ECG a second",
    )  # fmt: skip
    seconds = figures["segment_length"] / figures["sample_rate_hz"]
    rows = [
        (
            row["level"],
            f"{row['packet_bytes']:,.0f}",
            f"{row['archive_bytes_hour'] / 1e3:,.1f}",
            f"{row['decoded_bytes_hour'] / 1e6:.2f}",
            f"{row['segments_per_second']:,.0f}",
            f"{row['segments_per_second'] * seconds / 3600:.1f}",
        )
        for row in figures["levels"]
    ]
    return [*table(headings, rows), ""]


def _engines(figures: dict[str, Any]) -> list[str]:
    lines = []
    if "peak_bytes" in figures:
        first, second = figures["peak_bytes"] / 1e6, figures["peak_bytes_ten_times"] / 1e6
        lines += [
            f"Peak memory of a process: {first:.0f} MB, of an archive ten times as large "
            f"{second:.0f} MB.",
            "",
        ]
    rows = [row for engine in ("local", "ray") for row in figures.get(engine, ())]
    if rows:
        cells = [
            (
                row["engine"],
                str(row["workers"]),
                f"{row['segments']:,}",
                f"{row['segments'] / row['seconds']:,.0f}",
            )
            for row in rows
        ]
        lines += [
            _mixed(figures),
            "included, Ray's own not; the output is the same to the byte:",
            "",
            *table(("engine", "workers", "segments", "segments/s"), cells),
            "",
        ]
    for engine in ("local", "ray"):
        if f"{engine}_speedup" in figures:
            lines += [
                f"Two workers against one, {engine}: {figures[f'{engine}_speedup']} times.",
                "",
            ]
    return lines


def _mixed(figures: dict[str, Any]) -> str:
    if figures.get("made_by") == "fleet":
        return "16 devices with losses, repeats and restarts, by the clock, the start of processes"
    return "All levels by turns, 16 days of one device, by the clock, the start of processes"


def _way_in(figures: dict[str, Any]) -> list[str]:
    if "lost" not in figures:
        return []
    return [
        "## Into the archive",
        f"Of {figures['packets']:,} packets, with broker, gateway and collector killed "
        f"{figures['kills']} times between them, {figures['lost']} were lost and "
        f"{figures['doubled']} doubled.",
        "",
    ]


def _fleets(figures: dict[str, Any]) -> list[str]:
    prices = read_prices()
    headings = (
        "devices", "segments/s", "cores", "decoding, $/year", "storage: raw, $/year",
        *(f"{row['level']}, $/year" for row in figures["levels"]), "cheapest, below raw",
    )  # fmt: skip
    lines = PAPER.format(source=prices.source, months=prices.retention_months)
    rows = [_fleet(devices, figures, prices) for devices in FLEETS]
    slowest = min(figures["segments_per_second"], key=figures["segments_per_second"].__getitem__)
    note = f"Cores are for level {slowest}, the slowest to decode; whole ones are rented."
    return ["## On paper" + lines, *table(headings, rows), "", note]


def _fleet(devices: int, figures: dict[str, Any], prices: Prices) -> list[str]:
    samples_per_s = devices * figures["sample_rate_hz"] / figures["segment_length"]
    cores = samples_per_s / min(figures["segments_per_second"].values())
    decoding = math.ceil(cores) * HOURS * prices.vcpu_hour
    raw = _storage(devices * 2 * figures["sample_rate_hz"] * 3600, prices)
    stored = [_storage(devices * row["archive_bytes_hour"], prices) for row in figures["levels"]]
    return [
        f"{devices:,}",
        f"{samples_per_s:,.0f}",
        f"{cores:,.2f}" if cores < 10 else f"{cores:,.0f}",
        f"{decoding:,.0f}",
        f"{raw:,.0f}",
        *(f"{price:,.0f}" for price in stored),
        f"{1 - (min(stored) + decoding) / raw:.0%}",
    ]


def _storage(bytes_hour: float, prices: Prices) -> float:
    """Return US dollars a year of an archive that is as old as its retention."""
    gigabytes = bytes_hour * HOURS / 1e9 * prices.retention_months / 12
    return gigabytes * prices.storage_per_gb_month * 12
