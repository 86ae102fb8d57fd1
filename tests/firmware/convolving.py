"""Convolutions of every kind and fully connected layers, as models of one operator."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.codegen.tflite_builder import INT32, OPS, ModelBuilder, TensorSpec

Int8s = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Drawn:
    """What is drawn of a layer, whichever operator it is."""

    time: int = 20
    channels: int = 4
    groups: int = 1
    filters: int = 1  # of a group, or of a channel
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    same: bool = True
    upright: bool = False  # time is the height
    activation: int = 0
    per_channel: bool = True
    bias: bool = True
    table: bool = False
    extreme: bool = False
    gain: float = 1.0  # of the requantised codes, against what keeps them within int8
    seed: int = 3

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    def codes(self, count: int) -> Int8s:
        """Return an input, one value behind the other."""
        if self.extreme:
            return self.rng.choice(np.array([-128, 127], np.int8), count)
        return self.rng.integers(-128, 128, count).astype(np.int8)


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
