from dataclasses import replace

import numpy as np
import pytest

from dynadeep.train.errors import DataError
from dynadeep.train.evaluation.outcomes import RHYTHM, RPEAKS, Outcomes


def with_task(outcomes: Outcomes, name: str, **changes: object) -> Outcomes:
    changed = replace(outcomes.tasks[name], **changes)  # type: ignore[arg-type]
    return replace(outcomes, tasks={**outcomes.tasks, name: changed})


def test_levels_have_the_published_gains_and_names(outcomes: Outcomes) -> None:
    assert outcomes.gains.tolist() == [1.0, 2000 / 62, 2000 / 31]
    assert outcomes.level_names == ("none", "32", "64")


def test_a_loss_that_is_not_a_number_is_refused_with_its_place(outcomes: Outcomes) -> None:
    loss = outcomes.tasks[RHYTHM].loss.copy()
    loss[2, 1] = np.nan
    with pytest.raises(DataError, match=r"rhythm.loss: value at \(2, 1\) is nan"):
        with_task(outcomes, RHYTHM, loss=loss)


def test_an_infinite_prd_is_refused(outcomes: Outcomes) -> None:
    with pytest.raises(DataError, match=r"prd: value at \(0, 0\) is inf"):
        replace(outcomes, prd=np.full((4, 2), np.inf))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.zeros(3, np.int64)}, r"labels: expected integers \[4\], found int64 \[3\]"),
        ({"labels": np.array([0, 1, 2, 4])}, r"labels: expected 0 to 3, found 4 at \(3,\)"),
        ({"labels": np.zeros(4)}, "labels: expected integers"),
        ({"wire_bytes": np.ones((4, 2), np.int64)}, r"wire_bytes: expected integers \[4, 3\]"),
        ({"raw_bytes": np.zeros(4, np.int64)}, "raw_bytes: expected 1 or more, found 0"),
        ({"prd": np.full((4, 2), -1.0)}, r"prd: value at \(0, 0\) is -1.0"),
        ({"precision": "int4"}, "precision is 'int4'"),
        ({"codes": (31, 62)}, "must fall"),
        ({"names": ("a", "a", "b", "c")}, "named twice"),
        ({"tasks": {}}, "at least one task"),
        ({"names": ()}, "at least 1 record"),
    ],
)
def test_what_does_not_fit_is_refused(
    outcomes: Outcomes, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        replace(outcomes, **changes)  # type: ignore[arg-type]


def test_an_unknown_task_is_refused(outcomes: Outcomes) -> None:
    with pytest.raises(DataError, match="'sleep' is not one of"):
        replace(outcomes, tasks={"sleep": outcomes.tasks[RHYTHM]})


def test_rhythm_without_probabilities_is_refused(outcomes: Outcomes) -> None:
    with pytest.raises(DataError, match=r"rhythm: F1 needs probabilities \[4, 3, 4\]"):
        with_task(outcomes, RHYTHM, probabilities=None)


def test_rpeaks_without_counts_is_refused(outcomes: Outcomes) -> None:
    with pytest.raises(DataError, match=r"rpeaks: F1 needs counts of peaks \[4, 3, 3\]"):
        with_task(outcomes, RPEAKS, peaks=None)


def test_predictions_of_other_levels_are_refused(outcomes: Outcomes) -> None:
    heads = outcomes.tasks[RHYTHM].foreseen
    assert heads is not None
    with pytest.raises(DataError, match=r"rhythm.predicted: expected floats \[4, 1, 2\]"):
        with_task(outcomes, RHYTHM, foreseen=replace(heads, predicted=heads.predicted[:, :, :1]))


def test_a_raw_record_loses_by_itself_and_adds_nothing(outcomes: Outcomes) -> None:
    task = outcomes.tasks[RHYTHM]
    assert task.lost("loss")[:, 0].tolist() == task.raw_loss.tolist()
    assert task.lost("added")[:, 0].tolist() == [0.0] * 4
    assert task.lost("added")[:, 1:].tolist() == task.added.tolist()


def test_a_task_that_was_not_measured_is_named(outcomes: Outcomes) -> None:
    with pytest.raises(DataError, match="'both' was not measured"):
        replace(outcomes, tasks={RHYTHM: outcomes.tasks[RHYTHM]}).task("both")


def test_a_codec_without_heads_and_with_one_level_is_accepted(cae32: Outcomes) -> None:
    assert cae32.level_names == ("none", "32")
