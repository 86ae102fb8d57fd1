import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dynadeep.train.errors import TrainError
from dynadeep.train.margins import choose, fit_margins

GAINS = (32.0, 64.0)
BOUND = 0.75

LOSSES = arrays(np.float64, (60, 2), elements=st.floats(0, 3, width=16))


def violations(predicted: np.ndarray, losses: np.ndarray, margins: np.ndarray) -> int:
    chosen = choose(predicted, BOUND - margins)
    taken = np.take_along_axis(losses, np.maximum(chosen - 1, 0)[:, None], axis=1)[:, 0]
    return int(((chosen > 0) & (taken > BOUND)).sum())


@given(LOSSES, LOSSES, st.sampled_from([0.02, 0.05, 0.1, 0.5]))
def test_no_more_records_break_the_promise_than_the_rate_allows(
    predicted: np.ndarray, losses: np.ndarray, rate: float
) -> None:
    margins = fit_margins(predicted, losses, GAINS, bound=BOUND, rate=rate)
    assert (violations(predicted, losses, margins) + 1) / (len(losses) + 1) <= rate + 1e-9


def test_foresight_without_fault_sends_all_that_may_be_sent() -> None:
    losses = np.array([[0.1, 0.2], [0.3, 1.0], [0.9, 1.2], [0.2, 0.7], [0.7, 0.8]] * 20)
    margins = fit_margins(losses, losses, GAINS, bound=BOUND, rate=0.02)
    assert choose(losses, BOUND - margins).tolist() == [2, 1, 0, 2, 1] * 20


def test_heads_that_foresee_too_much_get_negative_margins() -> None:
    losses = np.random.default_rng(0).uniform(0, 0.7, (100, 2))
    margins = fit_margins(losses + 1, losses, GAINS, bound=BOUND, rate=0.02)
    assert (margins < 0).all()
    assert (choose(losses + 1, BOUND - margins) == 2).all()


def test_nothing_is_compressed_where_every_loss_is_over_the_bound() -> None:
    losses = np.full((100, 2), 2.0)
    margins = fit_margins(np.zeros((100, 2)), losses, GAINS, bound=BOUND, rate=0.02)
    assert not choose(np.zeros((100, 2)), BOUND - margins).any()


def test_a_rate_that_the_hold_out_cannot_show_is_refused() -> None:
    few = np.zeros((30, 2))
    with pytest.raises(TrainError, match="30 records: at least 49"):
        fit_margins(few, few, GAINS, bound=BOUND, rate=0.02)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(TrainError, match=r"\[60, 2\], losses \[50, 2\]"):
        fit_margins(np.zeros((60, 2)), np.zeros((50, 2)), GAINS, bound=BOUND, rate=0.1)
