import struct
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.codegen.bundle import Level, Quantization
from dynadeep.codegen.numerics import (
    choose_level,
    error_scale,
    fixed_error,
    fixed_margin,
    predicted_error,
)
from tests.firmware.harness import Harness, Operation


@dataclass(frozen=True)
class Head:
    """One level's scale and margin, and what its head gave."""

    level: Level
    code: int


def make_head(scale: float, zero_point: int, margin: float, code: int) -> Head:
    error = Quantization(scale, zero_point)
    level = Level("cg", 1, 32.0, "latent", Quantization(1.0, 0), "error", error, margin, margin)
    return Head(level, code)


codes = st.integers(-128, 127)
scales = st.one_of(st.floats(2**-23, 0.5), st.sampled_from((2**-23, 0.5)))
heads = st.builds(make_head, scales, codes, st.floats(-200, 200), codes)


def decide(harness: Harness, given_heads: list[Head], bound: int) -> tuple[list[int], int]:
    payload = struct.pack("<Bi", len(given_heads), bound)
    for head in given_heads:
        level = head.level
        scale, margin = error_scale(level), fixed_margin(level.margin)
        payload += struct.pack("<biib", level.error.zero_point, scale, margin, head.code)
    reply = harness.call(Operation.DECISION, payload)
    *predicted, level_chosen = struct.unpack(f"<{len(given_heads)}iB", reply)
    return predicted, level_chosen


@settings(max_examples=200, deadline=None)
@given(chosen=st.lists(heads, max_size=4), bound=st.floats(0, 130), at_edge=st.integers(-1, 1))
def test_decision_equals_python(
    harness: Harness, chosen: list[Head], bound: float, at_edge: int
) -> None:
    predicted = [predicted_error(head.code, head.level) for head in chosen]
    margins = [fixed_margin(head.level.margin) for head in chosen]
    fixed = fixed_error(bound)
    if chosen:
        fixed = min(max(predicted[0] + margins[0] + at_edge, 0), (1 << 31) - 1)
    assert decide(harness, chosen, fixed) == (predicted, choose_level(predicted, margins, fixed))


def test_every_code_of_a_head_predicts_as_python(harness: Harness) -> None:
    for zero_point in (-128, 0, 127):
        rows = [make_head(0.37, zero_point, 1.5, code) for code in range(-128, 128)]
        for start in range(0, len(rows), 128):
            part = rows[start : start + 128]
            expected = [predicted_error(head.code, head.level) for head in part]
            assert decide(harness, part, 0)[0] == expected


def test_sum_of_error_and_margin_beyond_int32_is_not_within_any_bound(harness: Harness) -> None:
    head = make_head(0.5, -128, 127.9, 127)
    assert decide(harness, [head], (1 << 31) - 1)[1] == 0


def test_a_saturated_prediction_is_within_no_bound_but_the_largest(harness: Harness) -> None:
    head = make_head(0.1, -128, 0.0, 127)
    largest = (1 << 31) - 1
    assert decide(harness, [head], largest - 1) == ([largest], 0)
    assert decide(harness, [head], largest) == ([largest], 1)
