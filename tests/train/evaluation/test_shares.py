from pathlib import Path

import numpy as np
import pytest

from dynadeep.train.evaluation import shares
from dynadeep.train.evaluation.outcomes import RHYTHM, Outcomes
from dynadeep.train.evaluation.provenance import Provenance


def at(parts: np.ndarray, bound: float) -> list[float]:
    """Return the shares at a bound, "none" first."""
    return list(parts[int(np.argmin(np.abs(shares.BOUNDS - bound)))])


def test_shares_are_those_of_the_decisions(outcomes: Outcomes) -> None:
    rhythm = shares.shares(outcomes)[RHYTHM]
    assert rhythm.promise == "added"
    assert at(rhythm.device, 0.5) == [0.25, 0.25, 0.5]
    assert at(rhythm.oracle, 0.5) == [0.0, 0.5, 0.5]


def test_every_segment_goes_at_some_level(outcomes: Outcomes) -> None:
    for task_shares in shares.shares(outcomes).values():
        assert task_shares.device.sum(axis=1) == pytest.approx(1)
        assert task_shares.oracle.sum(axis=1) == pytest.approx(1)


def test_a_codec_without_heads_has_no_shares(cae32: Outcomes) -> None:
    assert shares.shares(cae32) == {}


def test_the_plot_is_written_twice(outcomes: Outcomes, tmp_path: Path) -> None:
    provenance = Provenance("four records", "tiny", "c0ffee", {}, "0.1.0")
    shares.draw_shares(outcomes, tmp_path / "shares", provenance)
    assert {path.name for path in tmp_path.iterdir()} == {"shares.png", "shares.svg"}
