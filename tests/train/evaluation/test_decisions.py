from dataclasses import replace

import numpy as np
import pytest

from dynadeep.codegen.numerics import MarginTable
from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import decisions
from dynadeep.train.evaluation.outcomes import RHYTHM, Foreseen, Margins, Outcomes, TaskOutcome

EXPECTED = np.array([[0.1, 0.2], [0.2, 0.9], [0.9, 0.3], [0.8, 0.8]])


def test_the_strongest_level_within_the_bound_is_chosen() -> None:
    assert decisions.choose(EXPECTED, 0.5).tolist() == [2, 1, 2, 0]


def test_a_loss_that_equals_the_bound_is_within_it() -> None:
    assert decisions.choose(EXPECTED, 0.8).tolist() == [2, 1, 2, 2]


@pytest.mark.parametrize(("allowed", "levels"), [((2,), [2, 0, 2, 0]), ((1,), [1, 1, 0, 0])])
def test_only_allowed_levels_are_chosen(allowed: tuple[int, ...], levels: list[int]) -> None:
    assert decisions.choose(EXPECTED, 0.5, allowed).tolist() == levels


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="are not among 1 to 2"):
        decisions.choose(EXPECTED, 0.5, (0,))


def test_heads_are_held_to_the_bound_with_their_margins(outcomes: Outcomes) -> None:
    assert decisions.by_heads(outcomes.tasks[RHYTHM], 0.5).tolist() == [2, 1, 0, 2]


def test_the_oracle_is_held_to_the_true_losses_of_a_promise(outcomes: Outcomes) -> None:
    assert decisions.by_oracle(outcomes.tasks[RHYTHM], "loss", 0.5).tolist() == [2, 1, 0, 1]
    assert decisions.by_oracle(outcomes.tasks[RHYTHM], "added", 0.5).tolist() == [1, 2, 1, 2]


def test_always_is_one_level_for_all() -> None:
    assert decisions.always(3, 1).tolist() == [1, 1, 1]


def test_a_codec_without_heads_decides_nothing(outcomes: Outcomes) -> None:
    without = replace(outcomes.tasks[RHYTHM], foreseen=None)
    with pytest.raises(DataError, match="no error heads"):
        decisions.by_heads(without, 0.5)


def task_of(outcomes: Outcomes, margins: Margins) -> TaskOutcome:
    """Heads that say EXPECTED of a record's only segment, in Q8.24, with margins at a bound."""
    predicted = np.round(EXPECTED[:, None] * 2**24) / 2**24
    heads = Foreseen("added", predicted, margins, margins, {})
    return replace(outcomes.tasks[RHYTHM], foreseen=heads)


GAINS = np.array([1.0, 30.0, 60.0])


def test_the_least_bound_for_a_gain_is_found(outcomes: Outcomes) -> None:
    task = task_of(outcomes, lambda _: np.zeros(2))
    # At 0.1: 30, 1, 1, 1; at 0.2: 60, 30, 1, 1 = 23; at 0.3: 60, 30, 60, 1 = 37.75.
    assert decisions.bound_for_gain(task, GAINS, 37.75) == 0.3
    assert decisions.bound_for_gain(task, GAINS, 23.0) == 0.2


def test_a_gain_out_of_reach_has_no_bound(outcomes: Outcomes) -> None:
    assert decisions.bound_for_gain(task_of(outcomes, lambda _: np.zeros(2)), GAINS, 61.0) is None


def test_margins_are_those_at_the_bound(outcomes: Outcomes) -> None:
    table = MarginTable.of((0.3, 0.4, 0.6, 0.7), [(0.1, 0.1, 0.1, 0.0)] * 2)
    task = task_of(outcomes, table.real_at)
    assert decisions.by_heads(task, 0.35).tolist() == [2, 1, 0, 0]
    assert decisions.by_heads(task, 0.8).tolist() == [2, 1, 2, 2]
    assert decisions.by_segment(task, 0.8).tolist() == [[2], [1], [2], [2]]
