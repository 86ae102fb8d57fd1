"""DCT and wavelet codecs: their bytes are real, and few enough."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.train.data import cinc2017
from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import transforms

BUDGETS = (31, 62, 125, 250)
SEGMENT = cinc2017.cut(cinc2017.read_records(cinc2017.SAMPLE_FOLDER)[0][:1])[0, :2000]


def prdn(segment: np.ndarray, decoded: np.ndarray) -> float:
    error = np.linalg.norm(segment - decoded)
    return float(100 * error / np.linalg.norm(segment - segment.mean()))


@pytest.mark.parametrize("transform", transforms.TRANSFORMS)
@pytest.mark.parametrize("budget", BUDGETS)
def test_a_segment_fits_its_bytes_and_comes_back_from_them_alone(
    transform: str, budget: int
) -> None:
    data = transforms.encode(SEGMENT, transform, budget)
    assert budget - 12 < len(data) <= budget
    assert prdn(SEGMENT, transforms.decode(data, transform, 2000)) < 100


@pytest.mark.parametrize("transform", transforms.TRANSFORMS)
def test_more_bytes_give_less_error(transform: str) -> None:
    errors = [
        prdn(SEGMENT, transforms.decode(transforms.encode(SEGMENT, transform, b), transform, 2000))
        for b in BUDGETS
    ]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("transform", transforms.TRANSFORMS)
def test_enough_bytes_give_the_samples_but_for_rounding(transform: str) -> None:
    data = transforms.encode(SEGMENT, transform, 4000)
    assert np.abs(transforms.decode(data, transform, 2000) - SEGMENT).max() < 4


@given(st.integers(0, 2**31), st.sampled_from(sorted(transforms.TRANSFORMS)), st.integers(2, 90))
@settings(max_examples=30, deadline=None)
def test_any_segment_fits_any_bytes(seed: int, transform: str, budget: int) -> None:
    random = np.random.default_rng(seed)
    segment = (random.normal(0, 10 ** random.uniform(0, 4), 200)).clip(-32768, 32767)
    data = transforms.encode(segment.astype(np.int16), transform, budget)
    assert len(data) <= budget
    assert np.isfinite(transforms.decode(data, transform, 200)).all()


def test_a_flat_segment_takes_a_header_and_a_value() -> None:
    data = transforms.encode(np.full(2000, 100, np.int16), "DCT", 31)
    assert len(data) < 8
    assert np.abs(transforms.decode(data, "DCT", 2000) - 100).max() < 1


def test_too_few_bytes_are_refused() -> None:
    with pytest.raises(DataError, match="1 bytes: a coded segment takes at least 2"):
        transforms.encode(SEGMENT, "DCT", 1)


def test_bytes_that_name_a_coefficient_beyond_the_segment_are_refused() -> None:
    data = transforms.encode(SEGMENT, "DCT", 250)
    with pytest.raises(DataError, match="of 10"):
        transforms.decode(data, "DCT", 10)


def test_records_are_coded_segment_by_segment_and_cut_to_their_length() -> None:
    adc = cinc2017.cut(cinc2017.read_records(cinc2017.SAMPLE_FOLDER)[0][:2])
    decoded, sizes = transforms.code_records(adc, "DCT", 62)
    assert (decoded.shape, sizes.shape) == (adc.shape, (2, 5))
    assert sizes.max() <= 62
    assert prdn(adc[0], decoded[0]) < 100
