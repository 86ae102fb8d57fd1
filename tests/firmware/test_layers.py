from dataclasses import replace

import numpy as np
import pytest

from tests.firmware.harness import Harness, Int8, Operation
from tests.firmware.reference import Conv1d

OK, STOPPED = 0, 1
RNG = np.random.default_rng(5)
ONES = np.ones(6, np.int64)
TABLE = RNG.integers(-128, 128, 256).astype(np.int8)
X = RNG.integers(-128, 128, (21, 3)).astype(np.int8)
WEIGHTS = RNG.integers(-127, 128, (6, 5, 3)).astype(np.int8)
CONV = Conv1d(
    WEIGHTS, 100 * ONES, ONES << 30, np.full(6, -8, np.int8), 21, 1, 2, -9, 4, table=TABLE
)


def assert_same(actual: list[tuple[int, Int8]], expected: list[tuple[int, Int8]]) -> None:
    assert [number for number, _ in actual] == [number for number, _ in expected]
    for (_, values), (_, reference) in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(values, reference.ravel())


def test_unfused_trace_sees_the_convolution_before_its_table(any_harness: Harness) -> None:
    tensors, status = any_harness.layer_conv1d(CONV, X, tensors=9, unfused=True, first=7)
    assert_same(tensors, [(7, CONV.run_without_table(X)), (8, CONV.run(X))])
    assert status == OK


def test_fused_trace_sees_only_what_is_kept(any_harness: Harness) -> None:
    tensors, status = any_harness.layer_conv1d(CONV, X, tensors=9, unfused=False, first=7)
    assert_same(tensors, [(8, CONV.run(X))])
    assert status == OK


@pytest.mark.parametrize("unfused", [False, True])
def test_convolution_without_a_table_has_one_tensor(any_harness: Harness, unfused: bool) -> None:
    plain = replace(CONV, table=None)
    tensors, status = any_harness.layer_conv1d(plain, X, tensors=9, unfused=unfused, first=7)
    assert_same(tensors, [(7, plain.run(X))])
    assert status == OK


def test_observer_stops_the_layer_between_its_tensors(any_harness: Harness) -> None:
    tensors, status = any_harness.layer_conv1d(CONV, X, tensors=1, unfused=True, first=7)
    assert_same(tensors, [(7, CONV.run_without_table(X))])
    assert status == STOPPED


def test_untraced_layer_reports_nothing(any_harness: Harness) -> None:
    assert any_harness.layer_conv1d(CONV, X, tensors=0, unfused=True, first=7) == ([], OK)


def test_lookup_replaces_every_code(any_harness: Harness) -> None:
    codes = np.arange(-128, 128).astype(np.int8)
    out = any_harness.call(Operation.LOOKUP, TABLE.tobytes() + codes[::-1].tobytes())
    np.testing.assert_array_equal(np.frombuffer(out, np.int8), TABLE[::-1])
