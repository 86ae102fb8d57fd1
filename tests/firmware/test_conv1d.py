import numpy as np
import pytest
from hypothesis import given, settings

from tests.firmware.harness import Harness, Int8
from tests.firmware.reference import Conv1d
from tests.firmware.strategies import convolutions

Case = tuple[Conv1d, Int8]


@settings(max_examples=200, deadline=None)
@given(case=convolutions())
def test_convolution_is_tflites_arithmetic(any_harness: Harness, case: Case) -> None:
    conv, x = case
    np.testing.assert_array_equal(any_harness.conv1d(conv, x), conv.run(x))


@settings(max_examples=150, deadline=None)
@given(case=convolutions())
def test_output_may_overlap_the_input_as_far_as_the_contract_allows(
    any_harness: Harness, case: Case
) -> None:
    conv, x = case
    overlapped = any_harness.conv1d(conv, x, lead=conv.least_lead(len(x)))
    np.testing.assert_array_equal(overlapped, any_harness.conv1d(conv, x))


def test_half_the_lead_that_the_contract_asks_for_spoils_the_result(any_harness: Harness) -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(-128, 128, (16, 4)).astype(np.int8)
    weights = rng.integers(-127, 128, (6, 3, 4)).astype(np.int8)
    ones = np.ones(6, np.int64)
    conv = Conv1d(weights, 0 * ones, ones << 30, np.full(6, -8, np.int8), 16, 1, 1, 0, 0)
    lead = conv.least_lead(len(x))
    np.testing.assert_array_equal(any_harness.conv1d(conv, x, lead=lead), conv.run(x))
    assert (any_harness.conv1d(conv, x, lead=lead // 2) != conv.run(x)).any()


def test_window_larger_than_one_part_is_summed_in_parts(any_harness: Harness) -> None:
    rng = np.random.default_rng(2)
    x = np.full((31, 64), -128, np.int8)
    weights = np.full((70, 15, 64), -128, np.int8)
    multiplier = rng.integers(1 << 30, 1 << 31, 70)
    shift = np.full(70, -16, np.int8)
    conv = Conv1d(weights, np.zeros(70, np.int64), multiplier, shift, 31, 1, 7, 127, 3)
    np.testing.assert_array_equal(any_harness.conv1d(conv, x), conv.run(x))


@pytest.mark.parametrize("length", [1, 31, 62, 255])
def test_filter_as_long_as_its_input_gives_one_value(any_harness: Harness, length: int) -> None:
    rng = np.random.default_rng(length)
    x = rng.integers(-128, 128, (length, 1)).astype(np.int8)
    weights = rng.integers(-127, 128, (1, length, 1)).astype(np.int8)
    ones = np.ones(1, np.int64)
    conv = Conv1d(weights, 900 * ones, 3 * ones << 29, np.full(1, -9, np.int8), 1, 1, 0, -52, -128)
    np.testing.assert_array_equal(any_harness.conv1d(conv, x), conv.run(x))
