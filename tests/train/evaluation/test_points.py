from dataclasses import replace

import numpy as np
import pytest

from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import decisions, points
from dynadeep.train.evaluation.outcomes import BOTH, RHYTHM, RPEAKS, Outcomes
from dynadeep.train.evaluation.points import Case

CG32, CG64 = 2000 / 62, 2000 / 31


def case(bound: float = 0.5, task: str = RHYTHM, promise: PromiseKind = "loss") -> Case:
    return Case(task, "int8", promise, bound)


def heads_point(
    outcomes: Outcomes, task: str = RHYTHM, promise: PromiseKind = "loss"
) -> points.Point:
    levels = decisions.by_heads(outcomes.tasks[task], 0.5)
    return points.decided(outcomes, case(0.5, task, promise), levels)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("f1", 2.6 / 4),
        ("mean_cg", (2 * CG64 + CG32 + 1) / 4),
        ("byte_cg", 4000 / (25 + 50 + 500 + 25)),
        ("violations", 1 / 4),
        ("effective_loss", (0.2 + 0.4 + 0.0 + 0.7) / 4),
        ("excess", (0.1 + 0.2 + 0.7) / 3),
        ("share_none", 1 / 4),
        ("share_32", 1 / 4),
        ("share_64", 2 / 4),
        ("prd", (4 + 2 + 4) / 3),
        ("prdn", (10 + 5 + 10) / 3),
    ],
)
def test_figures_are_those_worked_out_by_hand(outcomes: Outcomes, name: str, value: float) -> None:
    figure = heads_point(outcomes)[name]
    assert figure.value == pytest.approx(value)
    assert figure.low <= figure.value <= figure.high


def test_the_same_decisions_are_held_against_what_compression_adds(outcomes: Outcomes) -> None:
    # Levels 2, 1, none, 2 add 0.6, 0.1, 0 and 0.4.
    point = heads_point(outcomes, promise="added")
    assert point["violations"].value == 1 / 4
    assert point["effective_loss"].value == pytest.approx(1.1 / 4)
    assert point["excess"].value == pytest.approx(1.1 / 3)


def test_rpeaks_are_scored_by_their_peaks(outcomes: Outcomes) -> None:
    # Levels 2, 1, none, 2: 8 + 9 + 10 + 8 hits, 1 false, 2 + 1 + 2 missed.
    point = heads_point(outcomes, RPEAKS)
    assert point["f1"].value == point["f1_rpeaks"].value == pytest.approx(70 / 76)


def test_both_is_scored_by_the_rhythm_with_the_peaks_beside(outcomes: Outcomes) -> None:
    point = heads_point(outcomes, BOTH)
    assert point["f1"].value == pytest.approx(2.6 / 4)
    assert point["f1_rpeaks"].value == pytest.approx(70 / 76)


def test_rhythm_alone_has_no_peaks(outcomes: Outcomes) -> None:
    assert np.isnan(heads_point(outcomes)["f1_rpeaks"].value)


def test_nobody_compressed_loses_nothing(outcomes: Outcomes) -> None:
    point = points.decided(outcomes, case(0.0), decisions.always(4, 0))
    assert (point["mean_cg"].value, point["byte_cg"].value) == (1.0, 2.0)
    assert (point["violations"].value, point["effective_loss"].value) == (0.0, 0.0)
    assert np.isnan([point["excess"].value, point["prd"].value]).all()
    assert point["f1"].value == 1.0


def test_everybody_compressed_has_the_level_s_own_figures(outcomes: Outcomes) -> None:
    point = points.decided(outcomes, case(0.75), decisions.always(4, 2))
    assert (point["mean_cg"].value, point["byte_cg"].value) == (CG64, 40.0)
    assert (point["mean_cg"].low, point["mean_cg"].high) == (CG64, CG64)
    assert point["violations"].value == 0.5
    assert point["effective_loss"].value == pytest.approx(2.8 / 4)


def test_a_loss_that_equals_the_bound_is_no_violation(outcomes: Outcomes) -> None:
    assert points.decided(outcomes, case(1.0), decisions.always(4, 2))["violations"].value == 0


def test_a_raw_record_over_the_bound_is_no_violation(outcomes: Outcomes) -> None:
    assert points.decided(outcomes, case(0.01), decisions.always(4, 0))["violations"].value == 0


def test_an_oracle_never_violates(outcomes: Outcomes) -> None:
    assert {p["violations"].value for p in points.oracle_curve(outcomes, RHYTHM, "added")} == {0.0}


def test_a_curve_has_a_point_at_each_bound(outcomes: Outcomes) -> None:
    assert [p.bound for p in points.curve(outcomes, RHYTHM, "added")] == list(points.BOUNDS)
    assert len(points.BOUNDS) == 20
    assert 0.75 in points.BOUNDS


def test_a_row_has_each_figure_with_its_interval(outcomes: Outcomes) -> None:
    row = heads_point(outcomes).row()
    named = {name: row[name] for name in ("task", "precision", "promise", "bound", "decision")}
    assert named == {
        "task": "rhythm",
        "precision": "int8",
        "promise": "loss",
        "bound": 0.5,
        "decision": "record",
    }
    for name in points.FIGURES:
        assert {name, f"{name}_lo", f"{name}_hi"} <= row.keys()


def mixed(**changes: object) -> points.Point:
    """Two records, the first of which was sent in part."""
    arrays: dict[str, object] = {
        "labels": np.array([1, 0]),
        "gain": np.array([(CG64 + 1) / 2, 1.0]),
        "raw_bytes": np.array([100, 100]),
        "wire_bytes": np.array([30, 50]),
        "loss": np.array([0.6, 0.9]),
        "raw_loss": np.array([0.1, 0.9]),
        "compressed": np.array([True, False]),
        "prd": np.array([3.0, 0.0]),
        "prdn": np.array([6.0, 0.0]),
        "shares": {"none": np.array([0.5, 1.0]), "64": np.array([0.5, 0.0])},
        "predicted": np.array([1, 1]),
    }
    sent = points.Sent(**(arrays | changes))  # type: ignore[arg-type]
    return points.point(sent, replace(case(), decision="segment"))


def test_mixed_segments_are_counted_by_their_record() -> None:
    point = mixed()
    assert point.decision == "segment"
    expected = {
        "mean_cg": (CG64 + 3) / 4,
        "byte_cg": 200 / 80,
        "violations": 0.5,
        "effective_loss": 0.3,
        "excess": 0.5,
        "share_none": 0.75,
        "share_64": 0.25,
        "prd": 3.0,
        "f1": 0.5 * 2 / 3,
    }
    for name, value in expected.items():
        assert point[name].value == pytest.approx(value), name


def test_a_mixed_loss_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(DataError, match="loss: row 1 is not finite"):
        mixed(loss=np.array([0.6, np.nan]))


def test_mixed_arrays_of_other_lengths_are_refused() -> None:
    with pytest.raises(DataError, match=r"gain: expected shape \(2,\), found \(3,\)"):
        mixed(gain=np.ones(3))


def test_a_rhythm_without_probabilities_is_refused() -> None:
    with pytest.raises(DataError, match="needs the probabilities"):
        mixed(predicted=None)


def test_a_single_record_is_enough(outcomes: Outcomes) -> None:
    task = outcomes.tasks[RHYTHM]
    assert task.probabilities is not None
    assert task.foreseen is not None
    first = replace(
        task,
        raw_loss=task.raw_loss[:1],
        loss=task.loss[:1],
        added=task.added[:1],
        foreseen=replace(task.foreseen, predicted=task.foreseen.predicted[:1]),
        probabilities=task.probabilities[:1],
    )
    single = replace(
        outcomes,
        names=outcomes.names[:1],
        labels=outcomes.labels[:1],
        raw_bytes=outcomes.raw_bytes[:1],
        wire_bytes=outcomes.wire_bytes[:1],
        prd=outcomes.prd[:1],
        prdn=outcomes.prdn[:1],
        tasks={RHYTHM: first},
    )
    point = heads_point(single)
    assert point["mean_cg"] == points.Interval(CG64, CG64, CG64)
    assert point["f1"].value == 1.0
