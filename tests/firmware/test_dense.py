import numpy as np
from hypothesis import given, settings

from tests.firmware.harness import Harness, Int8
from tests.firmware.reference import Dense
from tests.firmware.strategies import dense_layers


@settings(max_examples=100, deadline=None)
@given(case=dense_layers())
def test_dense_is_tflites_arithmetic(harness: Harness, case: tuple[Dense, Int8]) -> None:
    dense, x = case
    np.testing.assert_array_equal(harness.dense(dense, x), dense.run(x))
