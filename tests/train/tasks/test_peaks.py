import numpy as np
import pytest

from dynadeep.train.tasks import peaks

RATE_HZ = 75.0
BEATS_S = np.array([0.513, 1.3, 2.077, 2.5])
TIMES_S = np.arange(300) / RATE_HZ


def test_curve_is_the_time_to_the_nearest_beat() -> None:
    curve = peaks.distance_curve(np.array([1.0, 1.5]), np.array([0.8, 1.0, 1.2, 1.3, 1.9]))
    np.testing.assert_allclose(curve, [0.2, 0.0, 0.2, 0.2, 0.4], atol=1e-7)


def test_curve_stays_at_its_highest_far_from_every_beat() -> None:
    curve = peaks.distance_curve(np.array([1.0]), np.array([3.0, 0.2]))
    assert curve.tolist() == [peaks.FARTHEST_S] * 2


def test_curve_without_a_beat_is_at_its_highest_everywhere() -> None:
    assert set(peaks.distance_curve(np.array([]), TIMES_S).tolist()) == {peaks.FARTHEST_S}


def test_peaks_come_back_from_their_curve_between_its_samples() -> None:
    peaks_s = peaks.find_peaks(peaks.distance_curve(BEATS_S, TIMES_S), RATE_HZ)
    np.testing.assert_allclose(peaks_s, BEATS_S, atol=1e-3)


def test_minimum_that_is_not_deep_is_no_peak() -> None:
    curve = peaks.distance_curve(BEATS_S, TIMES_S) + np.float32(peaks.DEEPEST_S)
    assert len(peaks.find_peaks(curve, RATE_HZ)) == 0


def test_deeper_of_two_minima_within_the_refractory_time_is_the_peak() -> None:
    curve = np.full(60, 0.4, np.float32)
    curve[[20, 26, 50, 56]] = 0.05, 0.02, 0.02, 0.05  # 80 ms apart
    np.testing.assert_allclose(peaks.find_peaks(curve, RATE_HZ) * RATE_HZ, [26, 50])


def test_flat_curve_has_no_peak() -> None:
    assert len(peaks.find_peaks(np.zeros(50, np.float32), RATE_HZ)) == 0


@pytest.mark.parametrize(
    ("detected_s", "beats_s", "counts"),
    [
        ([1.0, 2.0], [1.0, 2.0], (2, 0, 0)),
        ([1.07, 2.0], [1.0, 2.08], (1, 1, 1)),
        ([0.95, 1.05], [1.0], (1, 1, 0)),
        ([1.0], [0.95, 1.05], (1, 0, 1)),
        ([], [1.0], (0, 0, 1)),
        ([1.0], [], (0, 1, 0)),
        ([], [], (0, 0, 0)),
    ],
)
def test_peaks_pair_one_to_one_within_75_ms(
    detected_s: list[float], beats_s: list[float], counts: tuple[int, int, int]
) -> None:
    assert peaks.match(np.array(detected_s), np.array(beats_s)) == counts


def test_scores_are_shares_of_what_is_there_and_of_what_is_found() -> None:
    assert peaks.scores(6, 2, 4) == {"sensitivity": 0.6, "ppv": 0.75, "f1": 12 / 18}


def test_nothing_found_where_nothing_is_scores_full() -> None:
    assert peaks.scores(0, 0, 0) == {"sensitivity": 1.0, "ppv": 1.0, "f1": 1.0}
