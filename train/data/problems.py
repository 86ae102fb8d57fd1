"""What makes a record unusable: each such record is named, and refused or left out and counted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from dynadeep.train.data.wfdb_files import Recording, Samples, describe_invalid
from dynadeep.train.errors import DataError

Kind = Literal[
    "unreadable", "label", "rate", "scale", "short", "nan", "flat", "saturated", "duplicate"
]
OnBad = Literal["refuse", "skip"]

FLAT_SECONDS = 1.0
"""One value for so long is no ECG. The longest such run in CinC 2017 lasts 0.30 s (A04756)."""
SATURATED_SHARE = 0.01
"""More of the samples than this at the lowest or the highest value means that the converter
clipped. The largest share in CinC 2017 is 0.0025 (A03054)."""
NAMED_AT_MOST = 10


@dataclass(frozen=True)
class Problem:
    """Why a record cannot be used."""

    record: str
    kind: Kind
    detail: str

    def __str__(self) -> str:
        return f"{self.record}: {self.detail}"


def find_problem(
    name: str, recording: Recording, *, rate_hz: float, units_per_mv: float, shortest: int
) -> Problem | None:
    """Return the first thing that is wrong with a recording, None if it can be used."""
    if recording.rate_hz != rate_hz:
        return Problem(name, "rate", f"sampled at {recording.rate_hz:g} Hz, not {rate_hz:g}")
    if (recording.units_per_mv, recording.zero) != (units_per_mv, 0):
        scale = f"{recording.units_per_mv:g} ADC units per mV and {recording.zero} at 0 mV"
        return Problem(name, "scale", f"{scale}, not {units_per_mv:g} and 0")
    if len(recording.samples) < shortest:
        length = f"{len(recording.samples)} samples"
        return Problem(name, "short", f"{length}, one step needs {shortest}")
    return _find_in_samples(name, recording.samples, rate_hz)


def _find_in_samples(name: str, samples: Samples, rate_hz: float) -> Problem | None:
    """Return the first thing that is wrong with samples [T], T > 0."""
    invalid = describe_invalid(samples)
    if invalid:
        return Problem(name, "nan", invalid)
    run = longest_run(samples)
    if run >= FLAT_SECONDS * rate_hz:
        return Problem(name, "flat", f"flat for {run} samples ({run / rate_hz:.2f} s)")
    share = saturated_share(samples)
    if share > SATURATED_SHARE:
        return Problem(name, "saturated", f"{share:.1%} of the samples at the extremes")
    return None


def longest_run(samples: Samples) -> int:
    """Return the length of the longest run of one value in samples [T], T > 0."""
    changes = np.flatnonzero(np.diff(samples))
    return int(np.diff(changes, prepend=-1, append=len(samples) - 1).max())


def saturated_share(samples: Samples) -> float:
    """Return the share of samples [T] at the lowest or the highest value, T > 0."""
    return float(((samples == samples.min()) | (samples == samples.max())).mean())


def settle(problems: Sequence[Problem], *, on_bad: OnBad, records: int) -> tuple[Problem, ...]:
    """Raise DataError that names the records with problems, or return them if asked to skip."""
    if on_bad not in get_args(OnBad):
        raise DataError(f"on_bad is {on_bad!r}: choose one of {', '.join(get_args(OnBad))}.")
    if problems and on_bad == "refuse":
        named = "; ".join(str(problem) for problem in problems[:NAMED_AT_MOST])
        more = len(problems) - NAMED_AT_MOST
        raise DataError(
            f"{len(problems)} of {records} records cannot be used: {named}"
            f"{f'; and {more} more' if more > 0 else ''}. Fetch them again, or skip them."
        )
    return tuple(problems)


def count_kinds(problems: Sequence[Problem]) -> dict[Kind, int]:
    """Count the problems of each kind that there is."""
    return dict(Counter(problem.kind for problem in problems))
