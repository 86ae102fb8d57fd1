import numpy as np

from dynadeep.train import metrics


def test_prd_is_the_ratio_of_norms_in_percent() -> None:
    original, decoded = np.array([[3.0, 4.0]]), np.array([[3.0, 3.0]])
    assert metrics.prd(original, decoded).tolist() == [20.0]


def test_prd_is_one_value_per_window() -> None:
    original = np.array([[3.0, 4.0], [0.0, 10.0]])
    assert metrics.prd(original, np.zeros((2, 2))).tolist() == [100.0, 100.0]


def test_prdn_does_not_depend_on_where_zero_lies() -> None:
    original, decoded = np.array([[1.0, 2.0, 4.0]]), np.array([[1.0, 2.5, 3.5]])
    np.testing.assert_allclose(
        metrics.prdn(original, decoded), metrics.prdn(original + 1000, decoded + 1000)
    )


def test_predicting_the_mean_gives_a_prdn_of_100() -> None:
    original = np.array([[1.0, 2.0, 6.0]])
    np.testing.assert_allclose(metrics.prdn(original, np.full((1, 3), 3.0)), [100.0])


def test_a_window_of_zeros_is_infinitely_wrong_unless_met_exactly() -> None:
    original, decoded = np.zeros((2, 3)), np.array([[0.0, 0, 0], [0, 0, 1]])
    assert metrics.prd(original, decoded).tolist() == [0.0, np.inf]


def test_unit_scale_is_that_of_the_original_window() -> None:
    window = np.array([[100.0, 300.0]])
    assert metrics.unit_scale(np.array([[200.0, 400.0]]), window).tolist() == [[0.5, 1.5]]
