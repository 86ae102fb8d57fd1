"""Any number in a field of the file: a clear refusal, or TFLite's bits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import tflite
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.kernels import LANES
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from tests.codegen.tflite_builder import INT32, ModelBuilder, TensorSpec
from tests.firmware.compiling import build_harness
from tests.firmware.harness import Harness
from tests.graphs.checking import differences
from tests.graphs.networks import SLOW, Streaming

OPS = tflite.BuiltinOperator
SHAPE = (1, 1, 9, 2)
STREAMING = Streaming(tile=0, pushes=(3,))
BARELY_POSITIVE = 1.4e-45

pytestmark = pytest.mark.heavy


def usually(
    ordinary: st.SearchStrategy[Any], any_at_all: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    return st.one_of(ordinary, ordinary, ordinary, ordinary, any_at_all)


SCALES = usually(
    st.floats(2**-9, 0.5, width=32),
    st.one_of(
        st.floats(width=32),
        st.floats(0, exclude_min=True, width=32),
        st.sampled_from((BARELY_POSITIVE, 1e-40, 1e-38, 1e38, 3e38)),
    ),
)
POINTS = usually(st.integers(-128, 127), st.integers(-(1 << 63), (1 << 63) - 1))
NAMES = usually(
    st.sampled_from(("a", "a/b", "conv", "Conv", "segment")), st.text(max_size=20).filter(str)
)
BIASES = usually(st.integers(-(1 << 12), 1 << 12), st.integers(-(1 << 31), (1 << 31) - 1))


@dataclass(frozen=True)
class Fields:
    """What a file says of a convolution, its sigmoid, the product of both, and one more behind."""

    scales: tuple[float, ...]  # of input, weights (2), first output, sigmoid, product, the last
    points: tuple[int, ...]  # of input, first output, sigmoid, product, the last
    weight_point: int
    activations: tuple[int, int, int]
    names: tuple[str, ...]  # of input, first output, sigmoid, product, the last
    bias: tuple[int, int]
    sigmoid_as_specified: bool
    seed: int


FIELDS = st.builds(
    Fields,
    scales=st.tuples(*[SCALES] * 7),
    points=st.tuples(*[POINTS] * 5),
    weight_point=usually(st.just(0), st.integers(-(1 << 63), (1 << 63) - 1)),
    activations=st.tuples(*[usually(st.sampled_from((0, 1, 3)), st.integers(0, 127))] * 3),
    names=st.tuples(*[NAMES] * 5),
    bias=st.tuples(BIASES, BIASES),
    sigmoid_as_specified=usually(st.just(True), st.just(False)),
    seed=st.integers(0, 1 << 30),
)


def build(fields: Fields) -> bytes:
    model = ModelBuilder()
    rng = np.random.default_rng(fields.seed)
    source, first, second, conv, sigmoid, product, last = fields.scales
    points = list(fields.points)
    if fields.sigmoid_as_specified:
        sigmoid, points[2] = 1 / 256, -128

    def activation(number: int, scale: float) -> int:
        name, point = fields.names[number], points[number]
        return model.tensor(TensorSpec(name, SHAPE, scales=(scale,), zero_points=(point,)))

    def convolve(at: int, scales: tuple[float, ...], to: int, activation: int) -> None:
        weights = rng.integers(-127, 128, (2, 1, 3, 2)).astype(np.int8)
        spec = TensorSpec("w", weights.shape, scales=scales, data=weights)
        spec.zero_points = (fields.weight_point,) * len(scales)
        bias = np.array(fields.bias, np.int32)
        constants = [model.tensor(spec), model.tensor(TensorSpec("w", (2,), INT32, (), data=bias))]
        options = {"Padding": tflite.Padding.SAME, "FusedActivationFunction": activation}
        model.op(OPS.CONV_2D, [at, *constants], [to], **options)

    at = [activation(number, scale) for number, scale in enumerate((source, conv, sigmoid))]
    at += [activation(3, product), activation(4, last)]
    convolve(at[0], (first, second), at[1], fields.activations[0])
    model.op(OPS.LOGISTIC, [at[1]], [at[2]])
    model.op(OPS.MUL, at[1:3], [at[3]], FusedActivationFunction=fields.activations[1])
    convolve(at[3], (first,), at[4], fields.activations[2])
    model.inputs, model.outputs = at[:1], at[4:]
    return model.build()


ORDINARY = Fields(
    scales=(0.02, 0.01, 0.02, 0.1, 1 / 256, 0.05, 0.2),
    points=(3, -5, -128, 7, 0),
    weight_point=0,
    activations=(0, 0, 0),
    names=("input", "conv", "sigmoid", "product", "last"),
    bias=(100, -100),
    sigmoid_as_specified=True,
    seed=1,
)


def with_scale(number: int, scale: float, activation: int = 0) -> Fields:
    scales = list(ORDINARY.scales)
    scales[number] = scale
    return replace(ORDINARY, scales=tuple(scales), activations=(activation,) * 3)


HUGE = replace(ORDINARY, scales=(2.0**100, 2.0**110, 0.02, 2.0**-41, 1 / 256, 0.05, 0.2))
"""Its first multiplier is 2^251, whose shift is -4 in eight bits."""

TINY = replace(ORDINARY, scales=(1e-20, 1e-20, 1e-20, 1e-40, 1 / 256, 1e-40, 0.2))
"""Its multipliers are ordinary."""


@pytest.fixture(scope="module")
def lanes() -> Iterator[Harness]:
    with Harness(build_harness(LANES), LANES) as running:
        yield running


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(fields=FIELDS)
@example(fields=ORDINARY)
@example(fields=HUGE)
@example(fields=with_scale(3, BARELY_POSITIVE))
@example(fields=TINY)
@example(fields=replace(TINY, activations=(3, 0, 0)))
@example(fields=with_scale(5, 1e-40, activation=3))
@example(fields=with_scale(5, BARELY_POSITIVE))
@example(fields=with_scale(1, BARELY_POSITIVE))
@example(fields=replace(ORDINARY, names=("a",) * 5))
def test_any_field_is_refused_or_gives_tflites_bits(lanes: Harness, fields: Fields) -> None:
    content = build(fields)
    codes = np.random.default_rng(fields.seed).integers(-128, 128, SHAPE[2:]).astype(np.int8)
    try:
        problems = differences(content, [codes], STREAMING, [lanes])
    except ModelError:
        return
    assert problems == []


def test_a_tensor_whose_offsets_would_overflow_is_refused_by_its_size() -> None:
    model = ModelBuilder()
    shape = (1, 1, 60_000, 60_000)
    at = [model.tensor(TensorSpec(name, shape)) for name in ("x", "y")]
    model.op(OPS.LOGISTIC, at[:1], at[1:])
    model.inputs, model.outputs = at[:1], at[1:]
    with pytest.raises(ModelError, match=r'"x" is .* 3600000000 values, at most 16777216'):
        lower(read_graph(model.build()))


def test_ordinary_fields_are_no_refusal() -> None:
    assert len(lower(read_graph(build(ORDINARY))).layers) == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (HUGE, "its scales give the multiplier"),
        (with_scale(3, BARELY_POSITIVE), "its scales give the multiplier"),
        (replace(TINY, activations=(3, 0, 0)), "the code of 6 at scale .*e-41 is beyond int32"),
        (with_scale(5, BARELY_POSITIVE), "its scales give the multiplier inf"),
    ],
)
def test_scales_that_overflow_are_refused_with_what_overflows(fields: Fields, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        lower(read_graph(build(fields)))
