"""``python -m fuzz``: run the fuzz targets, count what they executed, keep what they found."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dynadeep.codegen.errors import DynadeepError
from fuzz import ROOT
from fuzz.campaign import NAMES, Limits, Outcome, commands, run

FOUND = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the targets that are named, or all; return 1 if one of them found something."""
    chosen = _parser().parse_args(arguments)
    if chosen.list:
        print("\n".join(NAMES))
        return 0
    try:
        outcomes = _run(chosen)
    except DynadeepError as error:
        print(f"fuzz: {error}", file=sys.stderr)
        return error.exit_status
    if chosen.json:
        print(json.dumps(_as_json(outcomes), indent=2))
    return FOUND if any(outcome.crashes for outcome in outcomes) else 0


def _run(chosen: argparse.Namespace) -> list[Outcome]:
    limits = Limits(chosen.seconds, chosen.runs)
    outcomes = []
    with ThreadPoolExecutor(max(chosen.jobs, 1)) as pool:  # each target is a process of its own
        running = [
            pool.submit(run, name, command, chosen.out, limits)
            for name, command in commands(chosen.target or NAMES, chosen.out).items()
        ]
        for future in running:
            outcome = future.result()
            print(_line(outcome), file=sys.stderr, flush=True)
            outcomes.append(outcome)
    return outcomes


def _line(outcome: Outcome) -> str:
    line = f"{outcome.target:14} {outcome.executions:>10,} executions"
    for crash in outcome.crashes:
        line += f"\n  found: {crash} (its traceback is in {outcome.log})"
    return line


def _as_json(outcomes: Sequence[Outcome]) -> dict[str, object]:
    return {
        "executions": {outcome.target: outcome.executions for outcome in outcomes},
        "crashes": {
            outcome.target: [str(path) for path in outcome.crashes]
            for outcome in outcomes
            if outcome.crashes
        },
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        description="Fuzz the firmware's C (libFuzzer, needs clang) and everything in Python that "
        "reads from outside (atheris). Exit status 1: something was found.",
    )
    parser.add_argument("target", nargs="*", choices=[[], *NAMES], help="all of them if none")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--runs", type=int, default=0, help="at most so many executions of each")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time (one a core)"
    )
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument("--list", action="store_true", help="print the targets' names")
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "build" / "fuzz",
        help="programs, logs, crashes, and the corpus that the next run begins with (build/fuzz)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
