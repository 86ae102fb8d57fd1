"""Run what is long by nature, and record what came of it in benchmarks/nightly.json.

    python -m tests.nightly                 # all of it: an hour or two
    python -m tests.nightly --only graphs --only fuzz
    python -m tests.nightly --graphs 50 --fuzz-seconds 5 --out build/nightly.json

The ``suite`` runs in random order, as a stranger starts it (``surroundings.py``); then the ``long``
tests, which are marked ``nightly``, the random ``graphs`` and the ``fuzz`` targets. Each part is
recorded as it ends, with the commit that it ran at, and may be run on its own.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dynadeep.codegen.files import write_whole
from tests.caching import ROOT
from tests.surroundings import become_strange, strange_environment

RESULT = ROOT / "benchmarks" / "nightly.json"
WORKERS = ("-n", "auto")
ALL_PASSED, SOME_FAILED = 0, 1
"""Exit statuses of pytest whose report has all tests; others are of runs that were broken off."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts asked for, record each as it ends, and return 1 if anything failed."""
    chosen = _parser().parse_args(arguments)
    failed = 0
    for name in chosen.only or PARTS:
        begin = time.monotonic()
        found = PARTS[name](chosen)
        record = {
            "commit": commit(),
            "date": datetime.now(UTC).date().isoformat(),
            "seconds": round(time.monotonic() - begin),
            **found,
        }
        _keep(chosen.out, name, record)
        failed += len(found["failures"])
        print(f"{chosen.out}: {name}, {len(found['failures'])} failures", flush=True)
    return 1 if failed else 0


def _keep(path: Path, name: str, record: Mapping[str, Any]) -> None:
    """Put a part's record in the place of its last one; those of other parts stay."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    content[name] = record
    ordered = {part: content[part] for part in PARTS if part in content}
    write_whole(path, json.dumps(ordered, indent=1) + "\n")


def _suite(chosen: argparse.Namespace) -> dict[str, Any]:
    return {"failures": run_tests("not nightly", chosen.tests)}


def _long(chosen: argparse.Namespace) -> dict[str, Any]:
    return {"failures": run_tests("nightly", chosen.tests)}


def _graphs(chosen: argparse.Namespace) -> dict[str, Any]:
    """Try random networks, a tenth of them on the emulated cores too."""
    counts = ("--count", str(chosen.graphs), "--cores", str(chosen.graphs // 10))
    graphs = run_json("tests.graphs", *counts, "--json")
    failures = {}
    if graphs["wrong"]:
        failures["tests.graphs"] = f"{graphs['wrong']} of {graphs['tried']} networks are wrong"
    if graphs["never_run"]:
        failures["operators"] = f"no network ran with {', '.join(graphs['never_run'])}"
    return {**graphs, "failures": failures}


def _fuzz(chosen: argparse.Namespace) -> dict[str, Any]:
    limits = ("--seconds", str(chosen.fuzz_seconds), "--jobs", str(chosen.fuzz_jobs))
    fuzzed = run_json("fuzz", *limits, "--json")
    failures = {target: str(found) for target, found in fuzzed["crashes"].items()}
    return {"executions": fuzzed["executions"], "failures": failures}


PARTS: Mapping[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "suite": _suite,
    "long": _long,
    "graphs": _graphs,
    "fuzz": _fuzz,
}


def run_tests(markers: str, paths: Sequence[str]) -> dict[str, str]:
    """Run the tests of ``markers`` in random order; return the failed ones' names and reasons."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "tests.xml"
        command = [sys.executable, "-m", "pytest", *WORKERS, "-p", "randomly", "-m", markers]
        done = subprocess.run(
            [*command, "--durations", "20", f"--junit-xml={report}", *paths],
            cwd=ROOT,
            env=strange_environment(),
            stdin=subprocess.DEVNULL,
            preexec_fn=become_strange,
            check=False,
        )
        if not report.is_file():
            return {f"pytest -m '{markers}'": "it ended before it wrote its report"}
        failures = failures_in(report)
    if done.returncode not in {ALL_PASSED, SOME_FAILED}:
        failures[f"pytest -m '{markers}'"] = f"not all tests ran: exit status {done.returncode}"
    return failures


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
    parser.add_argument("--only", action="append", choices=[*PARTS], help="this part (all)")
    parser.add_argument("--graphs", type=int, default=2000, help="random networks (2000)")
    parser.add_argument("--fuzz-seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument(
        "--fuzz-jobs", type=int, default=os.cpu_count() or 1, help="targets at a time (one a core)"
    )
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser


if __name__ == "__main__":
    sys.exit(main())
