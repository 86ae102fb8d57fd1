"""Convolutions of every kind and fully connected layers, in tiles, against TFLite's reference."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.kernels import KERNELS
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from tests.firmware.compiling import build_harness
from tests.firmware.harness import Harness
from tests.graphs.reference import tflite_tensors
from tests.graphs.tiles import tiles_differ

from .tflite_builder import INT32, OPS, ModelBuilder, TensorSpec

Int8s = npt.NDArray[np.int8]
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
MACS = 60_000


@dataclass(frozen=True)
class Drawn:
    """What is drawn of a layer, whichever operator it is."""

    time: int
    channels: int
    groups: int
    filters: int  # of a group, or of a channel
    kernel: int
    stride: int
    dilation: int
    same: bool
    upright: bool  # time is the height
    activation: int
    per_channel: bool
    bias: bool
    table: bool
    extreme: bool
    gain: float  # of the requantised codes, against what keeps them within int8
    seed: int

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)


SIZES = st.one_of(st.integers(1, 6), st.integers(1, 40))
DRAWN = st.builds(
    Drawn,
    time=st.integers(1, 40),
    channels=SIZES,
    groups=st.sampled_from((1, 1, 2, 3)),
    filters=SIZES,
    kernel=st.one_of(st.integers(1, 5), st.integers(1, 30)),
    stride=st.one_of(st.integers(1, 3), st.integers(1, 12)),
    dilation=st.one_of(st.just(1), st.integers(1, 9)),
    same=st.booleans(),
    upright=st.booleans(),
    activation=st.sampled_from((0, 0, 1, 2, 3)),
    per_channel=st.booleans(),
    bias=st.booleans(),
    table=st.booleans(),
    extreme=st.booleans(),
    gain=st.one_of(st.just(0.0), st.floats(-30, 12)).map(lambda power: 2.0**power),
    seed=st.integers(0, 1 << 30),
)


@pytest.fixture(scope="module")
def harnesses() -> Iterator[list[Harness]]:
    with ExitStack() as running:
        yield [
            running.enter_context(Harness(build_harness(kernels), kernels))
            for kernels in KERNELS.values()
        ]


class Model:
    """One layer as a .tflite, and a sigmoid behind it if one is drawn."""

    def __init__(self, drawn: Drawn, size: tuple[int, int]) -> None:
        self.drawn, self.rng, self.builder = drawn, drawn.rng, ModelBuilder()
        self.size = size
        self.scale = 0.02
        point = (int(self.rng.integers(-128, 128)),)
        x = TensorSpec("x", self.shape(*size), scales=(self.scale,), zero_points=point)
        self.builder.inputs = [self.builder.tensor(x)]

    def shape(self, time: int, channels: int) -> tuple[int, ...]:
        return (1, time, 1, channels) if self.drawn.upright else (1, 1, time, channels)

    def across(self, first: int, kernel: int, last: int) -> tuple[int, ...]:
        """Return the shape of weights."""
        return (first, kernel, 1, last) if self.drawn.upright else (first, 1, kernel, last)

    def constants(
        self, shape: tuple[int, ...], axis: int, taps: int, *, bias: bool = False
    ) -> list[int]:
        """Add weights and biases; return their numbers. TFLite runs no CONV_2D without biases."""
        count, rng = shape[axis], self.rng
        drawn = rng.integers(-128, 128, shape)
        if self.drawn.extreme:
            drawn = rng.choice(np.array([-128, 127]), shape)
        scales = rng.uniform(0.5, 2.0, count if self.drawn.per_channel else 1) * 0.004
        self.step = 0.02 * 0.004 * 128 * 128 * np.sqrt(taps) / 128 / self.drawn.gain
        points = (0,) * len(scales)
        weights = TensorSpec("w", shape, scales=tuple(scales.tolist()), zero_points=points)
        weights.axis, weights.data = axis, drawn.astype(np.int8)
        numbers = [self.builder.tensor(weights)]
        if self.drawn.bias or bias:
            products = tuple((self.scale * scales).tolist())
            spec = TensorSpec("b", (count,), INT32, products, points)
            spec.data = rng.integers(-(1 << 15), 1 << 15, count).astype(np.int32)
            numbers.append(self.builder.tensor(spec))
        return numbers

    def output(self, shape: tuple[int, ...]) -> int:
        point = int(self.rng.integers(-128, 128))
        step = float(self.step)
        return self.builder.tensor(TensorSpec("y", shape, scales=(step,), zero_points=(point,)))

    def finish(self, code: int, inputs: list[int], shape: tuple[int, ...], **options: int) -> bytes:
        y = self.output(shape)
        self.builder.op(code, inputs, [y], FusedActivationFunction=self.drawn.activation, **options)
        self.builder.outputs = [y]
        if self.drawn.table:
            sigmoid = TensorSpec("s", shape, scales=(1 / 256,), zero_points=(-128,))
            self.builder.outputs = [self.builder.tensor(sigmoid)]
            self.builder.op(OPS.LOGISTIC, [y], self.builder.outputs)
        return self.builder.build()

    def strides(self, stride: int, dilation: int | None = None) -> dict[str, int]:
        letter = "H" if self.drawn.upright else "W"
        options = {f"Stride{letter}": stride, "Padding": 0 if self.drawn.same else 1}
        return options if dilation is None else {**options, f"Dilation{letter}Factor": dilation}

    def windows(self) -> int:
        time, stride = self.size[0], self.drawn.stride
        span = (self.drawn.kernel - 1) * self.drawn.dilation + 1
        return -(-time // stride) if self.drawn.same else (time - span) // stride + 1


def conv_2d(drawn: Drawn) -> bytes:
    model = Model(drawn, (drawn.time, drawn.channels * drawn.groups))
    count = drawn.filters * drawn.groups
    shape = model.across(count, drawn.kernel, drawn.channels)
    inputs = [0, *model.constants(shape, 0, drawn.kernel * drawn.channels, bias=True)]
    options = model.strides(drawn.stride, drawn.dilation)
    return model.finish(OPS.CONV_2D, inputs, model.shape(model.windows(), count), **options)


def depthwise(drawn: Drawn) -> bytes:
    model = Model(drawn, (drawn.time, drawn.channels))
    times = min(drawn.filters, 4)
    shape = model.across(1, drawn.kernel, drawn.channels * times)
    inputs = [0, *model.constants(shape, 3, drawn.kernel)]
    options = {**model.strides(drawn.stride, drawn.dilation), "DepthMultiplier": times}
    output = model.shape(model.windows(), drawn.channels * times)
    return model.finish(OPS.DEPTHWISE_CONV_2D, inputs, output, **options)


def transposed(drawn: Drawn) -> bytes:
    model = Model(drawn, (drawn.time, drawn.channels))
    shape = model.across(drawn.filters, drawn.kernel, drawn.channels)
    weights, *bias = model.constants(shape, 0, drawn.kernel * drawn.channels)
    time = drawn.time * drawn.stride
    if not drawn.same:
        time += max(drawn.kernel - drawn.stride, 0)
    output = model.shape(time, drawn.filters)
    size = TensorSpec("size", (4,), INT32, (), data=np.array(output, np.int32))
    inputs = [model.builder.tensor(size), weights, 0, *bias]
    return model.finish(OPS.TRANSPOSE_CONV, inputs, output, **model.strides(drawn.stride))


def fully_connected(drawn: Drawn) -> bytes:
    """Over all values at once, or each step by itself."""
    size = (drawn.time if drawn.same else 1, drawn.channels * drawn.groups * drawn.kernel)
    model = Model(drawn, size)
    model.builder.tensors[0].shape = size
    weights = model.constants((drawn.filters, size[1]), 0, size[1])
    return model.finish(OPS.FULLY_CONNECTED, [0, *weights], (size[0], drawn.filters))


MODELS: dict[str, Callable[[Drawn], bytes]] = {
    "conv_2d": conv_2d,
    "depthwise": depthwise,
    "transposed": transposed,
    "fully_connected": fully_connected,
}


def check(content: bytes, drawn: Drawn, harnesses: list[Harness]) -> None:
    graph = read_graph(content)
    codes = drawn.rng.integers(-128, 128, graph.input.size).astype(np.int8)
    if drawn.extreme:
        codes = drawn.rng.choice(np.array([-128, 127], np.int8), graph.input.size)
    expected = tflite_tensors(content, [codes])
    network = lower(graph)
    for harness in harnesses:
        assert list(tiles_differ(harness, network, expected, drawn.seed)) == []


@pytest.mark.parametrize("kind", MODELS)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(drawn=DRAWN)
def test_any_layer_makes_the_references_bits(
    harnesses: list[Harness], kind: str, drawn: Drawn
) -> None:
    size = drawn.time * drawn.channels * drawn.groups * drawn.filters * drawn.kernel
    if size > MACS:
        reject()
    if kind in ("conv_2d", "depthwise") and Model(drawn, (drawn.time, 1)).windows() < 1:
        reject()
    try:
        check(MODELS[kind](drawn), drawn, harnesses)
    except ModelError as error:
        assert "int32" in str(error)  # noqa: PT017
