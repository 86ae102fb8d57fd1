"""Measure what decoding an archive takes, and reckon what a fleet would.

python -m tests.cloud.benchmark --bundle build/bundle --out benchmarks

Archives of simulated devices, as ``dynadeep fleet`` makes them from the kit's excerpt of CinC 2017,
are decoded to Parquet: each level by itself in one process; all of them, with losses, repeats and
restarts, by one and two, on this computer's cores and by Ray. Segments a second and a core are by
the processor time that they took, so that other work on the computer counts little; what two
workers gain is by the clock, and needs two idle cores.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dynadeep.codegen.bundle import Bundle, read_bundle
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.numerics import LEVEL_NONE
from dynadeep.host_tools.cloud import archive, engines
from dynadeep.host_tools.cloud.decode import Job
from dynadeep.host_tools.cloud.fleet import Rates
from dynadeep.host_tools.cloud.models import find_models
from dynadeep.host_tools.cloud.pieces import Tally
from dynadeep.host_tools.codec import packet as packets
from tests.cloud import cloud_page
from tests.cloud.loads import WHOLE, Loads, read_loads

DEVICES = 16

MEMORY = """
import re, sys
from dynadeep.host_tools.cli import run
assert run(["decode", "-q", "--archive", sys.argv[1], "--out", sys.argv[2], "--bundle", sys.argv[3],
            "--workers", "1", "--json", sys.argv[4]]) == 0
# Not getrusage: its peak begins with that of the process that started this one.
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@dataclass(frozen=True)
class Bench:
    """Where things are, and how much is decoded."""

    bundle: Bundle
    loads: Loads
    folder: Path
    segments: int  # of each level's run; the runs of several workers have eight times as many


def size_of(folder: Path) -> int:
    """Return the bytes of all Parquet files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))


@dataclass(frozen=True)
class LevelRow:
    """What one level takes, packets to Parquet, in one process."""

    level: str
    packet_bytes: float  # each, header and CRC included
    archive_bytes_hour: float  # of Parquet, an hour of ECG
    decoded_bytes_hour: float
    segments_per_second: float  # of processor time
    segments_per_second_clock: float


def level_row(bench: Bench, level: int) -> LevelRow:
    """Decode an archive of one level, after a short one that opens what is needed.

    No segment of the short one is like another: it says how many bytes there are.
    """
    manifest = bench.bundle.manifest
    name = "none" if level == LEVEL_NONE else manifest.levels[level - 1].name
    record, root = bench.loads.by_level[level], bench.folder / name
    short = bench.loads.put(root / "short", [record], 1, len(record), WHOLE)
    truth = bench.loads.put(root / "archive", [record], 1, bench.segments, WHOLE)
    run_once(bench, root / "short", root / "short-out", by_local(1))
    cpu = time.process_time()
    wall = run_once(bench, root / "archive", root / "out", by_local(1))
    cpu = time.process_time() - cpu
    hour = 3600 * manifest.rate_hz / manifest.segment_length / short.delivered
    sizes = [packets.OVERHEAD_BYTES + len(segment.payload) for segment in record]
    row = LevelRow(
        level=name,
        packet_bytes=sum(sizes) / len(sizes),
        archive_bytes_hour=size_of(root / "short") * hour,
        decoded_bytes_hour=size_of(root / "short-out") * hour,
        segments_per_second=truth.delivered / cpu,
        segments_per_second_clock=truth.delivered / wall,
    )
    shutil.rmtree(root)
    return row


Run = Callable[[Job, list[archive.Day]], Iterable[Tally]]


def by_local(workers: int) -> Run:
    return lambda job, days: engines.run_local(job, days, workers)


def run_once(bench: Bench, root: Path, out: Path, run: Run) -> float:
    """Decode an archive and return the seconds by the clock.

    Raises:
        RuntimeError: not all of it was decoded.
    """
    job = Job(root, out, find_models(bench.bundle.folder))
    days = list(archive.days(root))
    begin = time.perf_counter()
    tallies = list(run(job, days))
    seconds = time.perf_counter() - begin
    if any(tally.wrong or tally.unknown or not tally.decoded for tally in tallies):
        raise RuntimeError(f"{root}: not all of it was decoded: {tallies}")
    return seconds


@dataclass(frozen=True)
class EngineRow:
    """What an engine takes for all levels by turns, its processes' start included, Ray's not."""

    engine: str
    workers: int
    segments: int
    seconds: float  # by the clock


def put_mixed(bench: Bench, root: Path, devices: int, segments: int) -> int:
    """Make an archive of devices at the model's own bound; return the segments that are there."""
    return bench.loads.put(root, bench.loads.mixed, devices, segments, Rates()).delivered


def engine_part(bench: Bench, engine: str) -> dict[str, object]:
    """Decode the mixed archive by an engine with one worker and two; the bytes are the same."""
    root = bench.folder / f"mixed-{engine}"
    segments, rows = put_mixed(bench, root, DEVICES, bench.segments // 2), []
    for workers in (1, 2):
        out = bench.folder / f"{engine}-{workers}"
        if engine == "local":
            seconds = run_once(bench, root, out, by_local(workers))
        else:
            seconds = by_ray(bench, root, out, workers)
        rows.append(EngineRow(engine, workers, segments, seconds))
    require_same([bench.folder / f"{engine}-{workers}" for workers in (1, 2)])
    if engine != "local":
        require_same([bench.folder / "local-1", bench.folder / f"{engine}-1"])
    speedup = round(rows[0].seconds / rows[1].seconds, 2)
    return {engine: [asdict(row) for row in rows], f"{engine}_speedup": speedup}


def by_ray(bench: Bench, root: Path, out: Path, workers: int) -> float:
    """Return the seconds of the decoding alone: Ray's start, of which there is one, is left out."""
    with engines.ray_cluster(workers, None):
        return run_once(bench, root, out, lambda job, days: engines.map_days(job, days, workers))


def require_same(folders: list[Path]) -> None:
    """Refuse outputs of which one has other bytes."""
    first, *rest = folders
    for path in first.rglob("ecg.parquet"):
        for folder in rest:
            if (folder / path.relative_to(first)).read_bytes() != path.read_bytes():
                raise RuntimeError(f"{folder}: another output than {first}")


def peaks(bench: Bench) -> tuple[int, int]:
    """Return the peak memory of decoding two devices and twenty, in bytes."""
    peak_bytes = []
    for devices in (2, 20):
        root = bench.folder / f"memory-{devices}"
        put_mixed(bench, root, devices, bench.segments // 4)
        arguments = [root, f"{root}-out", bench.bundle.folder, f"{root}.json"]
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, *map(str, arguments)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peak_bytes.append(1024 * int(done.stdout.splitlines()[-1]))
    return peak_bytes[0], peak_bytes[1]


def computer() -> str:
    """Return the processor's name and how many cores there are."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def level_part(bench: Bench) -> dict[str, object]:
    """Return the figures of each level, and what they are of."""
    manifest = bench.bundle.manifest
    levels = [level_row(bench, level) for level in range(len(manifest.levels) + 1)]
    return {
        "made_by": "fleet",
        "model_id": manifest.model_id,
        "computer": computer(),
        "load": round(os.getloadavg()[0], 1),
        "segment_length": manifest.segment_length,
        "sample_rate_hz": manifest.rate_hz,
        "segments_per_second": {row.level: round(row.segments_per_second) for row in levels},
        "levels": [asdict(row) for row in levels],
    }


def memory_part(bench: Bench) -> dict[str, object]:
    """Return the peak memory of an archive, and of one ten times as large."""
    small, large = peaks(bench)
    return {"peak_bytes": small, "peak_bytes_ten_times": large}


PARTS: tuple[Callable[[Bench], dict[str, object]], ...] = (
    level_part,
    memory_part,
    lambda bench: engine_part(bench, "local"),
    lambda bench: engine_part(bench, "ray"),
)
"""Written one by one, so that what was measured stays where the next fails: Ray does not start on a
computer that is very busy."""


def add_to(out: Path, figures: dict[str, object]) -> None:
    """Put figures into ``cloud.json``, and write the page anew.

    ``lost``, ``doubled`` and ``kills`` are of the way into the archive, and stay.
    """
    path = out / "cloud.json"
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    content = earlier | figures
    write_whole(path, json.dumps(content, indent=1) + "\n")
    write_whole(out / "cloud.md", cloud_page.text_of(content))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cloud.benchmark", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("build/bundle"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--segments", type=int, default=4000, help="of each level (4000)")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        bundle = read_bundle(chosen.bundle)
        bench = Bench(bundle, read_loads(bundle), Path(folder), chosen.segments)
        for part in PARTS:
            add_to(chosen.out, part(bench))


if __name__ == "__main__":
    main()
