import numpy as np
import pytest

from dynadeep.train.evaluation import bootstrap


def test_draws_are_the_same_every_time() -> None:
    first = bootstrap.draws(5).copy()
    bootstrap.draws.cache_clear()
    np.testing.assert_array_equal(bootstrap.draws(5), first)


def test_weights_count_what_the_draws_hold() -> None:
    counted = [np.bincount(row, minlength=5).tolist() for row in bootstrap.draws(5)]
    assert bootstrap.weights(5).tolist() == counted


def test_a_mean_lies_within_its_interval() -> None:
    values = np.random.default_rng(0).normal(5, 1, 400)
    interval = bootstrap.mean(values)
    assert interval.value == pytest.approx(values.mean())
    # The half width of a mean's interval is about 1.96 sigma / sqrt(N).
    assert interval.high - interval.low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_a_constant_has_an_interval_of_no_width() -> None:
    interval = bootstrap.mean(np.full(7, 2.5))
    assert (interval.value, interval.low, interval.high) == (2.5, 2.5, 2.5)
    interval = bootstrap.percentile(np.full(7, 2.5), 75)
    assert (interval.value, interval.low, interval.high) == (2.5, 2.5, 2.5)


def test_a_single_record_has_an_interval_of_no_width() -> None:
    interval = bootstrap.mean(np.array([3.0]))
    assert (interval.value, interval.low, interval.high) == (3.0, 3.0, 3.0)


def test_draws_without_a_value_are_left_out() -> None:
    interval = bootstrap.interval(1.0, np.array([np.nan, 1.0, 1.0, np.nan]))
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_a_figure_that_is_not_defined_has_no_interval() -> None:
    interval = bootstrap.interval(np.nan, np.array([1.0, 2.0]))
    assert np.isnan([interval.value, interval.low, interval.high]).all()


def test_f1_is_weighted_by_support() -> None:
    # Class 1: precision 2/3, recall 1, so 0.8; class 0: 1; class 2: 0; class 3: not there.
    labels, predicted = np.array([1, 1, 0, 2]), np.array([1, 1, 0, 1])
    assert bootstrap.weighted_f1(np.ones((1, 4)), labels, predicted) == pytest.approx(2.6 / 4)


def test_f1_of_a_draw_is_that_of_the_drawn_records() -> None:
    labels, predicted = np.array([1, 1, 0, 2]), np.array([1, 1, 0, 1])
    drawn = np.array([0, 3, 3, 2])
    weights = np.bincount(drawn, minlength=4)[None].astype(float)
    expected = bootstrap.weighted_f1(np.ones((1, 4)), labels[drawn], predicted[drawn])
    assert bootstrap.weighted_f1(weights, labels, predicted) == pytest.approx(expected)


def test_peak_f1_is_over_all_peaks_together() -> None:
    peaks = np.array([[10, 0, 0], [5, 5, 10]])
    assert bootstrap.peak_f1(np.ones((1, 2)), peaks).tolist() == [30 / 45]


def test_no_peaks_and_none_found_is_right() -> None:
    assert bootstrap.peak_f1(np.ones((1, 1)), np.zeros((1, 3))).tolist() == [1.0]
