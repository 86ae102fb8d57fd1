import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dynadeep.codegen.numerics import MarginTable, real_error
from dynadeep.train.errors import TrainError
from dynadeep.train.evaluation import decisions
from dynadeep.train.margins import KNOTS, HeldOut, fit_margins, knots_for

GAINS = (8.0, 32.0)
GRID = [step / 40 for step in range(2, 77)]  # 0.05 to 1.9, most of them between two knots

RATES = (0.02, 0.05, 0.1, 0.5)
LOSSES = arrays(np.float64, (60, 1, 2), elements=st.floats(0, 3, width=16))
HELD_OUT = st.builds(HeldOut, LOSSES, LOSSES)


def drawn(count: int, seed: int, noise: float = 0.7) -> HeldOut:
    """Records whose losses are as skewed as real ones, foreseen up to a factor."""
    random = np.random.default_rng(seed)
    common = random.normal(0, 1.2, (count, 1, 1))
    losses = np.exp(common + np.array([-2.5, -1.0]) + random.normal(0, 0.3, (count, 1, 2)))
    return HeldOut(losses * np.exp(random.normal(0, noise, (count, 1, 1))), losses)


def table_of(margins: np.ndarray) -> MarginTable:
    return MarginTable.of(KNOTS, margins.T.tolist())


def levels_at(held_out: HeldOut, table: MarginTable, bound: float) -> np.ndarray:
    expected = held_out.predicted.reshape(-1, held_out.predicted.shape[2]) + table.real_at(bound)
    return decisions.choose(expected, decisions.on_device(bound))


def broken(held_out: HeldOut, table: MarginTable, bound: float) -> np.ndarray:
    """Return which units are compressed and lose more than the bound."""
    chosen = levels_at(held_out, table, bound)
    losses = held_out.losses.reshape(len(chosen), -1)
    lost = np.take_along_axis(losses, np.maximum(chosen - 1, 0)[:, None], axis=1)[:, 0]
    return (chosen > 0) & (lost > bound)


@settings(deadline=None, max_examples=12)
@given(HELD_OUT, HELD_OUT, st.sampled_from(RATES), st.floats(0, KNOTS[-1]))
def test_no_more_records_break_the_promise_than_the_rate_allows_at_any_bound(
    shaping: HeldOut, proving: HeldOut, rate: float, bound: float
) -> None:
    margins = fit_margins(shaping, proving, rate=rate)
    for any_bound in (bound, *KNOTS):
        count = int(broken(proving, table_of(margins), any_bound).sum())
        assert count == 0 or (count + 1) / (len(proving.losses) + 1) <= rate + 1e-9


def test_new_records_break_it_no_more_often_than_the_rate_on_average() -> None:
    new = drawn(2000, 1000)
    shares = []
    for seed in range(12):
        margins = fit_margins(drawn(200, 2 * seed), drawn(200, 2 * seed + 1), rate=0.05)
        shares.append([broken(new, table_of(margins), bound).mean() for bound in GRID])
    assert np.mean(shares, axis=0).max() <= 0.05
    assert np.mean(shares, axis=0)[10:].min() >= 0.02  # nor is half of the rate given away


def test_good_foresight_sends_most_of_what_may_be_sent() -> None:
    held_out = drawn(500, 0, noise=0.05)
    table = table_of(fit_margins(held_out, drawn(500, 1, noise=0.05), rate=0.02))
    gains = np.array([1.0, *GAINS])
    for bound in (0.1, 0.35, 0.75, 1.9):
        best = gains[decisions.choose(held_out.losses[:, 0], bound)].mean()
        assert gains[levels_at(held_out, table, bound)].mean() >= 0.9 * best


def test_heads_that_foresee_too_much_get_negative_margins() -> None:
    held_out = drawn(200, 0, noise=0.1)
    much = HeldOut(held_out.predicted * 3, held_out.losses)
    margins = fit_margins(much, much, rate=0.02)
    assert (margins[8:] < 0).all()


def test_nothing_is_compressed_where_every_loss_is_over_the_bound() -> None:
    held_out = HeldOut(np.zeros((100, 1, 2)), np.full((100, 1, 2), 2.0))
    table = table_of(fit_margins(held_out, held_out, rate=0.02))
    assert not any(levels_at(held_out, table, bound).any() for bound in GRID)


def test_nothing_is_compressed_at_the_first_knot_and_below() -> None:
    held_out = HeldOut(np.zeros((100, 1, 2)), np.full((100, 1, 2), 1e-6))
    table = table_of(fit_margins(held_out, held_out, rate=0.02))
    assert not any(levels_at(held_out, table, bound).any() for bound in (0.0, 0.01, KNOTS[0]))
    assert levels_at(held_out, table, KNOTS[1]).all()


def test_a_record_breaks_the_promise_from_the_risk_at_which_it_is_first_sent_too_strongly() -> None:
    limits = np.array([[0.1, 0.0], [0.2, 0.0], [0.3, 0.3], [0.4, 0.4]])
    weak_alone, never_weak, neither = [0.15, 0.35], [0.25, 0.25], [0.15, 0.35]
    predicted = np.array([weak_alone, never_weak, neither])[:, None]
    losses = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])[:, None]
    risks = HeldOut(predicted, losses).first_broken(limits, 0.5)
    assert risks[:, 0].tolist() == [1, 4, 4]


def test_within_a_box_of_limits_a_level_is_sent_unless_a_stronger_one_surely_is() -> None:
    held_out = HeldOut(np.array([[[0.1, 0.5]]]), np.array([[[1.0, 0.0]]]))
    for lowest, highest, most in (
        ((0.2, 0.4), (0.2, 0.6), 1),  # the stronger one may be within its limit, or not
        ((0.2, 0.5), (0.2, 0.6), 0),  # it always is
        ((0.0, 0.4), (0.05, 0.6), 0),  # the weaker one never is
    ):
        assert held_out.most_broken(np.array(lowest), np.array(highest), 0.5) == most


def test_a_saturated_prediction_is_within_no_limit() -> None:
    saturated = real_error((1 << 31) - 1)
    held_out = HeldOut(np.full((100, 1, 2), saturated), np.zeros((100, 1, 2)))
    table = table_of(fit_margins(held_out, held_out, rate=0.5))
    assert not any(levels_at(held_out, table, bound).any() for bound in GRID)


def test_limits_never_fall_as_the_bound_rises() -> None:
    for seed in range(5):
        table = table_of(fit_margins(drawn(100, seed), drawn(100, seed + 50), rate=0.03))
        limits = np.array([bound - table.real_at(bound) for bound in GRID])
        assert np.diff(limits, axis=0).min() >= -1e-5  # the fraction of 16 bits


def test_a_records_segments_count_as_one_record() -> None:
    """Segments of a record are alike: five times as many of them prove nothing more."""
    held_out = drawn(60, 0)
    repeated = HeldOut(
        *(np.repeat(part, 5, axis=1) for part in (held_out.predicted, held_out.losses))
    )
    by_record = fit_margins(held_out, held_out, rate=0.05)
    by_segment = fit_margins(repeated, repeated, rate=0.05)
    assert broken(repeated, table_of(by_segment), 0.75).mean() <= 0.05
    allowed = 0.05 * (len(held_out.losses) + 1) - 1
    for bound in GRID:
        assert broken(repeated, table_of(by_segment), bound).sum() / 5 <= allowed
        assert broken(held_out, table_of(by_record), bound).sum() <= allowed


def test_a_bound_beyond_the_usual_knots_is_a_knot_itself() -> None:
    assert knots_for(0.75) == KNOTS
    assert knots_for(3.0) == (*KNOTS, 3.0)
    assert knots_for(0.04)[0] == 0.02


def test_a_rate_that_the_hold_out_cannot_show_is_refused() -> None:
    few = HeldOut(np.zeros((30, 1, 2)), np.zeros((30, 1, 2)))
    with pytest.raises(TrainError, match="30 records: at least 49"):
        fit_margins(few, few, rate=0.02)


def test_a_rate_of_0_is_refused() -> None:
    held_out = drawn(60, 0)
    with pytest.raises(TrainError, match="violation rate 0: no number of records can show it"):
        fit_margins(held_out, held_out, rate=0.0)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(TrainError, match=r"\[60, 1, 2\], losses \[50, 1, 2\]"):
        HeldOut(np.zeros((60, 1, 2)), np.zeros((50, 1, 2)))
    held_out = HeldOut(np.zeros((60, 1, 2)), np.zeros((60, 1, 2)))
    three = HeldOut(np.zeros((60, 1, 3)), np.zeros((60, 1, 3)))
    with pytest.raises(TrainError, match=r"\[60, 1, 3\]: records of the same levels"):
        fit_margins(held_out, three, rate=0.1)
    with pytest.raises(TrainError, match="must ascend from over 0"):
        fit_margins(held_out, held_out, bounds=(0.5, 0.5), rate=0.1)
