import struct
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.codegen.bundle import Level, Quantization
from dynadeep.codegen.numerics import (
    MarginTable,
    choose_level,
    error_scale,
    predicted_error,
)
from tests.firmware.harness import Harness, Operation


@dataclass(frozen=True)
class Head:
    """One level's scale and margins, and what its head gave."""

    level: Level
    code: int


def make_head(scale: float, zero_point: int, code: int) -> Head:
    error = Quantization(scale, zero_point)
    return Head(Level("cg", 1, 32.0, "latent", Quantization(1.0, 0), "error", error, (), ()), code)


codes = st.integers(-128, 127)
scales = st.one_of(st.floats(2**-23, 0.5), st.sampled_from((2**-23, 0.5)))
heads = st.builds(make_head, scales, codes, codes)
LARGEST = (1 << 31) - 1
fixed_bounds = st.one_of(st.integers(0, LARGEST), st.sampled_from((0, 1, 1 << 16, LARGEST)))
fixed_margins = st.one_of(
    st.integers(-LARGEST, LARGEST), st.sampled_from((-LARGEST, 0, LARGEST)), st.integers(-9, 9)
)


@st.composite
def tables(draw: st.DrawFn, levels: int) -> MarginTable:
    """Draw a table of up to 20 knots, neighbours among them, that rises or falls as it likes."""
    knots = draw(st.sets(fixed_bounds, min_size=1, max_size=20))
    knots |= {knot + 1 for knot in list(knots)[:1] if knot < LARGEST}
    rows = st.lists(fixed_margins, min_size=len(knots), max_size=len(knots)).map(tuple)
    return MarginTable(tuple(sorted(knots)), tuple(draw(rows) for _ in range(levels)))


def constant(*margins: int) -> MarginTable:
    return MarginTable((0,), tuple((margin,) for margin in margins))


def decide(
    harness: Harness, given_heads: list[Head], table: MarginTable, bound: int
) -> tuple[list[int], int]:
    count = len(table.knots)
    payload = struct.pack(f"<BBi{count}i", len(given_heads), count, bound, *table.knots)
    for head, margins in zip(given_heads, table.levels, strict=True):
        zero_point, scale = head.level.error.zero_point, error_scale(head.level)
        payload += struct.pack(f"<bib{count}i", zero_point, scale, head.code, *margins)
    reply = harness.call(Operation.DECISION, payload)
    *predicted, level_chosen = struct.unpack(f"<{len(given_heads)}iB", reply)
    return predicted, level_chosen


def check_decision(harness: Harness, chosen: list[Head], table: MarginTable, bound: int) -> None:
    predicted = [predicted_error(head.code, head.level) for head in chosen]
    bound = min(max(bound, 0), LARGEST)
    level = choose_level(predicted, table.at(bound), bound)
    assert decide(harness, chosen, table, bound) == (predicted, level)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), chosen=st.lists(heads, max_size=4), bound=fixed_bounds)
def test_decision_equals_python_over_any_table_and_bound(
    harness: Harness, data: st.DataObject, chosen: list[Head], bound: int
) -> None:
    table = data.draw(tables(len(chosen)))
    knot = data.draw(st.sampled_from(table.knots))
    edge = data.draw(st.integers(-1, 1))
    for limit in (bound, knot + edge):
        check_decision(harness, chosen, table, limit)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), head=heads, bound=fixed_bounds, off=st.integers(-1, 1))
def test_margins_equal_pythons_to_the_last_bit(
    harness: Harness, data: st.DataObject, head: Head, bound: int, off: int
) -> None:
    """A level whose margin leaves just room for what is predicted shows a margin's last bit."""
    table = data.draw(tables(1))
    margin_wanted = bound - predicted_error(head.code, head.level) + off
    shifted = tuple(margin + margin_wanted - table.at(bound)[0] for margin in table.levels[0])
    table = MarginTable(table.knots, (tuple(min(max(m, -LARGEST), LARGEST) for m in shifted),))
    check_decision(harness, [head], table, bound)


def test_a_margin_is_linear_between_knots_and_constant_beyond_them() -> None:
    table = MarginTable((100, 200, 1 << 20), ((7, 107, -1000), (5, 5, 5)))
    at = {bound: table.at(bound)[0] for bound in (0, 100, 101, 150, 199, 200, 1 << 20, LARGEST)}
    assert at == {
        0: 7, 100: 7, 101: 7, 150: 57, 199: 105, 200: 107, 1 << 20: -1000, LARGEST: -1000
    }  # fmt: skip
    assert {table.at(bound)[1] for bound in at} == {5}


def test_a_table_of_one_knot_is_a_constant_margin(harness: Harness) -> None:
    head = make_head(0.1, -128, -100)
    error = predicted_error(head.code, head.level)
    for knot in (0, error + 50, LARGEST):
        table = MarginTable((knot,), ((50,),))
        assert table.least_bound(0, error) == error + 50
        assert decide(harness, [head], table, error + 50)[1] == 1
        assert decide(harness, [head], table, error + 49)[1] == 0


def test_every_code_of_a_head_predicts_as_python(harness: Harness) -> None:
    for zero_point in (-128, 0, 127):
        rows = [make_head(0.37, zero_point, code) for code in range(-128, 128)]
        for start in range(0, len(rows), 128):
            part = rows[start : start + 128]
            expected = [predicted_error(head.code, head.level) for head in part]
            assert decide(harness, part, constant(*[9] * len(part)), 0)[0] == expected


def test_sum_of_error_and_margin_beyond_int32_is_not_within_any_bound(harness: Harness) -> None:
    head = make_head(0.5, -128, 127)
    assert decide(harness, [head], constant(LARGEST), LARGEST)[1] == 0


def test_a_saturated_prediction_is_within_no_bound_but_the_largest(harness: Harness) -> None:
    head = make_head(0.1, -128, 127)
    assert decide(harness, [head], constant(0), LARGEST - 1) == ([LARGEST], 0)
    assert decide(harness, [head], constant(0), LARGEST) == ([LARGEST], 1)
