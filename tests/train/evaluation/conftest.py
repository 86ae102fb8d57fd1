"""Four records whose figures are worked out by hand: losses, predictions and bytes are round."""

from dataclasses import replace

import numpy as np
import pytest

from dynadeep.train.evaluation.outcomes import BOTH, RHYTHM, RPEAKS, Foreseen, Outcomes, TaskOutcome

A, N, O = 0, 1, 2  # noqa: E741 - the class's own name
ADDED = np.array([[0.0, 0.6], [0.1, 0.2], [0.5, 0.7], [0.2, 0.4]])


def certain(classes: list[list[int]]) -> np.ndarray:
    """Probabilities that are one for the given class, [N, K+1] -> [N, K+1, 4]."""
    return np.eye(4)[np.array(classes)]


def foreseen(predicted: np.ndarray, margins: np.ndarray) -> Foreseen:
    """Heads of one segment a record, [N, K], whose margins are the same at every bound, [K]."""
    return Foreseen(
        "added", predicted[:, None], lambda _: margins, lambda _: margins, {"32": 0.5, "64": 0.6}
    )


@pytest.fixture(scope="session")
def outcomes() -> Outcomes:
    """Return four records; at bound 0.5 the heads choose levels 2, 1, 0, 2, the last wrongly."""
    raw_loss = np.array([0.1, 0.2, 0.3, 0.0])
    loss = np.array([[0.1, 0.2], [0.4, 0.9], [0.8, 1.0], [0.3, 0.7]])
    predicted = np.array([[0.2, 0.3], [0.3, 0.6], [0.7, 0.5], [0.1, 0.2]])
    margins = np.array([0.1, 0.1])
    probabilities = certain([[N, N, N], [N, N, A], [A, A, N], [O, O, N]])
    peaks = np.array([[[10, 0, 0], [9, 1, 1], [8, 0, 2]]] * 4)
    heads = foreseen(predicted, margins)
    rhythm = TaskOutcome(raw_loss, loss, ADDED, heads, probabilities=probabilities)
    rpeaks = TaskOutcome(np.zeros(4), loss, loss, heads, peaks=peaks)
    return Outcomes(
        names=("A00001", "A00002", "A00003", "A00004"),
        labels=np.array([N, N, A, O]),
        precision="int8",
        raw_bytes=np.full(4, 1000),
        wire_bytes=np.array([[500, 50, 25]] * 4),
        prd=np.array([[2.0, 4.0]] * 4),
        prdn=np.array([[5.0, 10.0]] * 4),
        tasks={RHYTHM: rhythm, RPEAKS: rpeaks, BOTH: replace(rhythm, peaks=peaks)},
    )


@pytest.fixture(scope="session")
def cae32(outcomes: Outcomes) -> Outcomes:
    """Return a codec of one level without heads on the same records, measured on the rhythm."""
    task = outcomes.tasks[RHYTHM]
    assert task.probabilities is not None
    single = TaskOutcome(
        task.raw_loss, task.loss[:, :1], task.added[:, :1], probabilities=task.probabilities[:, :2]
    )
    return replace(
        outcomes,
        codes=(62,),
        wire_bytes=outcomes.wire_bytes[:, :2],
        prd=outcomes.prd[:, :1],
        prdn=outcomes.prdn[:, :1],
        tasks={RHYTHM: single},
    )
