"""Run targets for a time each, and count what they executed and found."""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dynadeep.codegen.errors import DynadeepError
from fuzz import ROOT, SEEDS, compiling, readers
from fuzz.watch import import_atheris

INPUT_BYTES_MAX = 8192
INPUT_SECONDS_MAX = 20
"""What reading one input may take on a slow and busy machine."""

MEMORY_MB_MAX = 4096
EXECUTED = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
NAMES = (*compiling.TARGETS, *readers.TARGETS)


class FuzzError(DynadeepError):
    """A target could not be run at all."""


@dataclass(frozen=True)
class Limits:
    """How long a target runs: for seconds, or a number of executions; 0 is no limit."""

    seconds: int = 0
    runs: int = 0

    def options(self) -> list[str]:
        """Return libFuzzer's options."""
        return [f"-max_total_time={self.seconds}"] + ([f"-runs={self.runs}"] if self.runs else [])


@dataclass(frozen=True)
class Outcome:
    """What one target came to."""

    target: str
    executions: int
    crashes: tuple[Path, ...]  # inputs that show what was found
    log: Path


def commands(names: Sequence[str], out: Path) -> dict[str, list[str]]:
    """Return the command that runs each target, the C ones compiled into ``out``.

    Raises:
        MissingDependencyError: clang or atheris is not installed.
        BuildError: a C target does not compile.
    """
    by_name: dict[str, list[str]] = {}
    if any(name in compiling.TARGETS for name in names):
        programs = compiling.compile_targets(out / "programs")
        by_name |= {name: [str(path)] for name, path in programs.items()}
    if any(name in readers.TARGETS for name in names):
        import_atheris()
        watch = [sys.executable, "-m", "fuzz.watch"]
        by_name |= {name: [*watch, name] for name in readers.TARGETS}
    return {name: by_name[name] for name in names}


def run(name: str, command: Sequence[str], out: Path, limits: Limits) -> Outcome:
    """Run one target over its seeds and what earlier runs in ``out`` found worth keeping.

    Raises:
        FuzzError: it ended without executing anything.
    """
    corpus, crashes, log = out / "corpus" / name, out / "crashes" / name, out / f"{name}.log"
    for folder in (corpus, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(crashes.iterdir())
    options = [
        *limits.options(),
        f"-max_len={INPUT_BYTES_MAX}",
        f"-timeout={INPUT_SECONDS_MAX}",
        f"-rss_limit_mb={MEMORY_MB_MAX}",
        f"-artifact_prefix={crashes}/",
        "-print_final_stats=1",
    ]
    with log.open("wb") as file:
        subprocess.run(
            [*command, *options, str(corpus), str(SEEDS / name)],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    counted = EXECUTED.search(log.read_text(encoding="utf-8", errors="replace"))
    new_crashes = tuple(sorted(set(crashes.iterdir()) - before))
    if counted is None and not new_crashes:
        raise FuzzError(f"{name}: did not run. What it said is in {log}.")
    return Outcome(name, int(counted[1]) if counted else 0, new_crashes, log)
