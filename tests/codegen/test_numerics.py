"""The decision for a whole record, in integers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.codegen.bundle import Level, Quantization
from dynadeep.codegen.errors import CodegenError
from dynadeep.codegen.fixed_point import INT32_MAX
from dynadeep.codegen.numerics import ERROR_ONE, choose_level, error_scale, record_level

errors = st.one_of(st.integers(0, INT32_MAX), st.sampled_from((0, INT32_MAX - 1, INT32_MAX)))


def level_of(rows: list[list[int]], margins: list[int], bound: int) -> int:
    return record_level(np.array(rows, np.int32), margins, bound)


def test_the_mean_of_the_segments_decides() -> None:
    rows = [[1, 5], [3, 7], [2, 9]]  # means 2 and 7
    assert level_of(rows, [0, 0], 7) == 2
    assert level_of(rows, [0, 0], 6) == 1
    assert level_of(rows, [0, 0], 2) == 1
    assert level_of(rows, [0, 0], 1) == 0


def test_a_margin_is_added_to_the_mean() -> None:
    assert level_of([[1], [3]], [5], 7) == 1
    assert level_of([[1], [3]], [6], 7) == 0


def test_the_mean_is_not_rounded() -> None:
    assert level_of([[4], [4], [5]], [0], 4) == 0
    assert level_of([[4], [4], [4]], [0], 4) == 1


def test_a_stronger_level_within_the_bound_wins_over_a_weaker_one_beyond_it() -> None:
    assert level_of([[9, 1]], [0, 0], 5) == 2


def test_one_saturated_segment_keeps_the_record_uncompressed_at_any_bound_but_the_largest() -> None:
    rows = [[INT32_MAX], *[[0]] * 9]  # a mean below 13, were the error what the code says
    assert level_of(rows, [0], 100 * ERROR_ONE) == 0
    assert level_of(rows, [0], INT32_MAX - 1) == 0
    assert level_of(rows, [0], INT32_MAX) == 1
    assert level_of(rows, [1], INT32_MAX) == 0


def test_a_saturated_level_leaves_the_other_free() -> None:
    assert level_of([[2, INT32_MAX], [4, 0]], [0, 0], 3) == 1


def test_sums_beyond_int32_are_kept() -> None:
    rows = [[INT32_MAX - 1]] * 1000
    assert level_of(rows, [0], INT32_MAX - 1) == 1
    assert level_of(rows, [0], INT32_MAX - 2) == 0


def test_predictions_of_another_shape_are_refused() -> None:
    for shape in ((0, 2), (2,), (3, 1)):
        with pytest.raises(ValueError, match="expected"):
            record_level(np.zeros(shape, np.int32), [0, 0], 1)


@settings(max_examples=200, deadline=None)
@given(
    levels=st.lists(st.tuples(errors, errors), min_size=1, max_size=4),
    bound=errors,
    at_edge=st.integers(-1, 1),
    segments=st.integers(1, 7),
)
def test_equal_segments_are_decided_as_each_of_them_is(
    levels: list[tuple[int, int]], bound: int, at_edge: int, segments: int
) -> None:
    predicted, margins = [error for error, _ in levels], [margin for _, margin in levels]
    for fixed in (bound, min(max(predicted[0] + margins[0] + at_edge, 0), INT32_MAX)):
        expected = choose_level(predicted, margins, fixed)
        assert level_of([predicted] * segments, margins, fixed) == expected


def level_with(scale: float) -> Level:
    nothing = Quantization(1.0, 0)
    return Level("cg2", 1, 2.0, "latent", nothing, "error", Quantization(scale, -128), (), ())


@pytest.mark.parametrize("steps", [1, 2, INT32_MAX // 255])
def test_an_errors_step_may_be_as_small_as_one_and_as_large_as_255_of_them_fit(steps: int) -> None:
    assert error_scale(level_with(steps / ERROR_ONE)) == steps


@pytest.mark.parametrize("steps", [0, 0.49, INT32_MAX // 255 + 1])
def test_an_errors_step_that_rounds_to_none_or_overflows_is_refused(steps: float) -> None:
    with pytest.raises(CodegenError, match=r"level cg2: the predicted error's scale .* outside"):
        error_scale(level_with(steps / ERROR_ONE))
