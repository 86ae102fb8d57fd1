"""Run what is long by nature, and record what came of it in benchmarks/nightly.json.

    python -m tests.nightly                 # all of it: an hour or two
    python -m tests.nightly --graphs 50 --fuzz-seconds 5 --out build/nightly.json

The suite runs in random order, as a stranger starts it (``surroundings.py``); then the tests marked
``nightly``, the random graphs and the fuzz targets.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dynadeep.codegen.files import write_whole
from tests.caching import ROOT
from tests.surroundings import become_strange, strange_environment

RESULT = ROOT / "benchmarks" / "nightly.json"
WORKERS = ("-n", "auto")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything and write the record; return 1 if anything failed."""
    chosen = _parser().parse_args(arguments)
    begin = time.monotonic()
    failures = run_tests("not nightly", chosen.tests)
    seconds = time.monotonic() - begin
    failures |= run_tests("nightly", chosen.tests)
    graph_counts = ("--count", str(chosen.graphs), "--cores", str(chosen.graphs // 10))
    graphs = run_json("tests.graphs", *graph_counts, "--json")
    fuzz_limits = ("--seconds", str(chosen.fuzz_seconds), "--jobs", str(chosen.fuzz_jobs))
    fuzzed = run_json("fuzz", *fuzz_limits, "--json")
    failures |= {f"fuzz {target}": str(found) for target, found in fuzzed["crashes"].items()}
    if graphs["wrong"]:
        failures["tests.graphs"] = f"{graphs['wrong']} of {graphs['tried']} networks are wrong"
    if graphs["never_run"]:
        failures["operators"] = f"no network ran with {', '.join(graphs['never_run'])}"
    record = {
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "suite_seconds": round(seconds),
        "graphs": graphs,
        "fuzz": fuzzed["executions"],
        "failures": failures,
    }
    write_whole(chosen.out, json.dumps(record, indent=1) + "\n")
    print(f"{chosen.out}: {len(failures)} failures")
    return 1 if failures else 0


def run_tests(markers: str, paths: Sequence[str]) -> dict[str, str]:
    """Run the tests of ``markers`` in random order; return the failed ones' names and reasons."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "tests.xml"
        command = [sys.executable, "-m", "pytest", *WORKERS, "-p", "randomly", "-m", markers]
        subprocess.run(
            [*command, "--durations", "20", f"--junit-xml={report}", *paths],
            cwd=ROOT,
            env=strange_environment(),
            stdin=subprocess.DEVNULL,
            preexec_fn=become_strange,
            check=False,
        )
        if not report.is_file():
            return {f"pytest -m '{markers}'": "it ended before it wrote its report"}
        return failures_in(report)


def failures_in(report: Path) -> dict[str, str]:
    """Return each failed or broken test of a JUnit report, with the first line of its reason."""
    found = {}
    for case in ET.parse(report).iter("testcase"):
        for problem in (*case.iter("failure"), *case.iter("error")):
            lines = problem.get("message", "").splitlines() or [""]
            found[f"{case.get('classname')}::{case.get('name')}"] = lines[0]
    return found


def run_json(module: str, *arguments: str) -> Mapping[str, Any]:
    """Run a module of ours that prints JSON. What it found is in there, not in its exit status."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    read: Mapping[str, Any] = json.loads(done.stdout)
    return read


def commit() -> str:
    """Return what was tested: git's commit, marked where files differ from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.nightly", description=__doc__)
    parser.add_argument("tests", nargs="*", help="files of tests; all of them if none is named")
    parser.add_argument("--graphs", type=int, default=2000, help="random networks (2000)")
    parser.add_argument("--fuzz-seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument(
        "--fuzz-jobs", type=int, default=os.cpu_count() or 1, help="targets at a time (one a core)"
    )
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser


if __name__ == "__main__":
    sys.exit(main())
