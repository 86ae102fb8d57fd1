import numpy as np
import pytest

from dynadeep.export.ranges import fake_quantize, negative_end


def silu(values):
    return values / (1 + np.exp(-values))


@pytest.fixture
def long_tailed() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.concatenate([rng.normal(0, 1, 5000), rng.uniform(-40, 0, 200)]).astype(np.float32)


def test_a_long_negative_tail_is_cut_where_silu_has_flattened(long_tailed):
    end = negative_end(long_tailed, float(long_tailed.min()), float(long_tailed.max()))
    assert -8 <= end <= -2


def test_cutting_the_tail_lowers_the_error_behind_silu(long_tailed):
    low, high = float(long_tailed.min()), float(long_tailed.max())
    end = negative_end(long_tailed, low, high)
    errors = [
        np.square(silu(fake_quantize(long_tailed, lowest, high)) - silu(long_tailed)).mean()
        for lowest in (low, end)
    ]
    assert errors[1] < errors[0] / 4


def test_a_short_tail_is_kept():
    values = np.linspace(-1, 3, 1000, dtype=np.float32)
    assert negative_end(values, -1.0, 3.0) == -1.0


def test_a_constant_tensor_divides_by_nothing():
    assert negative_end(np.zeros(9, np.float32), 0.0, 0.0) == 0.0
