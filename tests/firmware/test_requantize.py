import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.firmware.harness import Harness, HarnessDied, Operation
from tests.firmware.reference import INT32_MAX, INT32_MIN, requantize

EDGES = [INT32_MIN, INT32_MIN + 1, -(1 << 30), -1, 0, 1, (1 << 30) - 1, 1 << 30, INT32_MAX]
values = st.one_of(
    st.sampled_from(EDGES),
    st.integers(INT32_MIN, INT32_MAX),
    # Around the ties of both roundings.
    st.builds(
        lambda power, sign, by: sign * (1 << power) + by,
        st.integers(0, 30),
        st.sampled_from((-1, 1)),
        st.integers(-2, 2),
    ),
)
multipliers = st.one_of(
    st.sampled_from([0, 1 << 30, (1 << 30) + 1, INT32_MAX - 1, INT32_MAX]),
    st.integers(1 << 30, INT32_MAX),
)
right = st.tuples(values, multipliers, st.integers(-31, 0))
left = st.tuples(values, multipliers, st.integers(1, 30)).map(
    lambda triple: (triple[0] >> triple[2], triple[1], triple[2])
)


def answers(harness: Harness, operation: Operation, rows: list[tuple[int, ...]]) -> list[int]:
    payload = np.array(rows, np.int32).tobytes()
    return [int(value) for value in np.frombuffer(harness.call(operation, payload), np.int32)]


@settings(max_examples=100, deadline=None)
@given(triples=st.lists(st.one_of(right, left), min_size=1, max_size=60))
def test_requantize_is_tflites_double_rounding(
    harness: Harness, triples: list[tuple[int, int, int]]
) -> None:
    expected = [requantize(*triple) for triple in triples]
    assert answers(harness, Operation.REQUANTIZE, list(triples)) == expected


def test_every_power_of_two_is_rounded_away_from_zero_at_its_ties(harness: Harness) -> None:
    rows = [
        (sign * ((odd << exponent) | (1 << exponent >> 1)) + by, INT32_MAX, -exponent)
        for exponent in range(32)
        for odd in (0, 1, 2, 3)
        for sign in (-1, 1)
        for by in (-1, 0, 1)
        if (odd + 1) << exponent < INT32_MAX
    ]
    expected = [requantize(*row) for row in rows]
    assert answers(harness, Operation.REQUANTIZE, list(rows)) == expected


def test_the_one_product_that_does_not_fit_saturates(harness: Harness) -> None:
    assert answers(harness, Operation.REQUANTIZE, [(INT32_MIN, INT32_MIN, 0)]) == [INT32_MAX]


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(values, multipliers, st.integers(2, 31), st.integers(-128, 127)),
        min_size=1,
        max_size=60,
    )
)
def test_fast_index_is_the_slow_way_round(
    harness: Harness, rows: list[tuple[int, int, int, int]]
) -> None:
    expected = [
        min(max(requantize(value, multiplier, -exponent) + zero_point, -128), 127) + 128
        for value, multiplier, exponent, zero_point in rows
    ]
    assert answers(harness, Operation.REQUANTIZE_INDEX, list(rows)) == expected


@pytest.mark.parametrize(
    "row",
    [
        pytest.param((1 << 20, 1 << 30, 11), id="left shift leaves int32"),
        pytest.param((1, 1 << 30, 31), id="left shift out of range"),
        pytest.param((1, 1 << 30, -32), id="right shift out of range"),
    ],
)
def test_checked_build_traps_what_would_give_a_wrong_number(
    harness: Harness, row: tuple[int, int, int]
) -> None:
    with pytest.raises(HarnessDied):
        harness.call(Operation.REQUANTIZE, struct.pack("<iii", *row))
