from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import outcomes as files
from dynadeep.train.evaluation.outcomes import RHYTHM, RPEAKS, Outcomes, TaskOutcome


def with_task(outcomes: Outcomes, name: str, **changes: object) -> Outcomes:
    changed = replace(outcomes.tasks[name], **changes)  # type: ignore[arg-type]
    return replace(outcomes, tasks={**outcomes.tasks, name: changed})


def test_what_was_saved_is_what_is_loaded(outcomes: Outcomes, tmp_path: Path) -> None:
    loaded = files.load(files.save(outcomes, tmp_path / "sub" / "outcomes.npz"))
    assert (loaded.names, loaded.precision, loaded.codes) == (
        outcomes.names,
        outcomes.precision,
        outcomes.codes,
    )
    for name in ("labels", "raw_bytes", "wire_bytes", "prd", "prdn"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(outcomes, name))
    for name, task in outcomes.tasks.items():
        for field, values in vars(task).items():
            np.testing.assert_array_equal(getattr(loaded.tasks[name], field), values)


def test_same_outcomes_give_the_same_bytes(outcomes: Outcomes, tmp_path: Path) -> None:
    first = files.save(outcomes, tmp_path / "first.npz").read_bytes()
    assert files.save(outcomes, tmp_path / "second.npz").read_bytes() == first


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


def test_predictions_without_margins_are_refused(outcomes: Outcomes) -> None:
    with pytest.raises(DataError, match="go together"):
        with_task(outcomes, RHYTHM, margins=None)


def test_a_task_that_was_not_measured_is_named(outcomes: Outcomes) -> None:
    with pytest.raises(DataError, match="'both' was not measured"):
        replace(outcomes, tasks={RHYTHM: outcomes.tasks[RHYTHM]}).task("both")


def test_a_codec_without_heads_and_with_one_level_is_accepted(outcomes: Outcomes) -> None:
    task = outcomes.tasks[RHYTHM]
    assert task.probabilities is not None
    single = TaskOutcome(task.raw_loss, task.loss[:, :1], probabilities=task.probabilities[:, :2])
    made = replace(
        outcomes,
        codes=(62,),
        wire_bytes=outcomes.wire_bytes[:, :2],
        prd=outcomes.prd[:, :1],
        prdn=outcomes.prdn[:, :1],
        tasks={RHYTHM: single},
    )
    assert made.level_names == ("none", "32")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut short"])
def test_a_file_that_is_not_outcomes_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "outcomes.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="Evaluate again"):
        files.load(path)


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "outcomes.npz", version=np.int64(99))
    with pytest.raises(DataError, match="expected version 1, found 99"):
        files.load(tmp_path / "outcomes.npz")


def test_a_file_without_an_array_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "outcomes.npz", version=np.int64(1), names=np.array(["a"]))
    with pytest.raises(DataError, match="'labels' is missing"):
        files.load(tmp_path / "outcomes.npz")
