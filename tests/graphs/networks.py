"""Random networks: any graph of convolutions that the kit should run, as .tflite files.

A network is drawn as a few numbers a layer, so that a failing one shrinks; its weights come from a
seed.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import tflite
from hypothesis import HealthCheck
from hypothesis import strategies as st

from tests.codegen.tflite_builder import INT32, ModelBuilder, TensorSpec

OPS = tflite.BuiltinOperator
Int8s = npt.NDArray[np.int8]
Table = Literal["none", "sigmoid", "silu", "square"]

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
"""What hypothesis says of an example that a whole engine runs on, which is no fault."""

MACS = 200_000
"""The most of a layer: narrower than drawn if it would have more."""


@dataclass(frozen=True)
class LayerDraw:
    """What is drawn of a layer."""

    back: int  # how many tensors ahead of the last one its input is
    channels: int
    kernel: int
    stride: int
    pad: tuple[int, int]  # by an operator of its own
    same: bool
    activation: int
    table: Table
    gain: float  # of the requantised codes, against what keeps them within int8
    extreme: bool  # weights and biases
    output: bool  # of the model


@dataclass(frozen=True)
class Drawn:
    """A network as it was drawn."""

    time: int
    channels: int
    layers: tuple[LayerDraw, ...]
    flat: bool  # the outputs are reshaped to one dimension
    seed: int  # of weights, biases, zero points and input

    def content(self) -> bytes:
        """Return the .tflite file."""
        return build(self, np.random.default_rng(self.seed))

    def codes(self) -> Int8s:
        """Return an input, [time, channels]."""
        rng = np.random.default_rng([self.seed, 1])
        return rng.integers(-128, 128, (self.time, self.channels)).astype(np.int8)


@dataclass(frozen=True)
class Streaming:
    """How a network is streamed."""

    tile: int  # 0: the kernel set's own
    pushes: tuple[int, ...]  # values that come at a time, again and again


LAYERS = st.builds(
    LayerDraw,
    back=st.one_of(st.just(0), st.integers(0, 6)),
    channels=st.one_of(st.integers(1, 9), st.integers(1, 70)),
    kernel=st.one_of(st.integers(1, 9), st.integers(1, 40)),
    stride=st.one_of(st.integers(1, 4), st.integers(1, 12)),
    pad=st.one_of(
        st.just((0, 0)),
        st.tuples(st.integers(0, 9), st.integers(0, 9)),
        st.tuples(st.integers(0, 60), st.integers(0, 60)),
    ),
    same=st.booleans(),
    activation=st.sampled_from((0, 1, 3)),
    table=st.sampled_from(("none", "sigmoid", "silu", "square")),
    gain=st.one_of(st.just(0.0), st.floats(-30, 25)).map(lambda power: 2.0**power),
    extreme=st.booleans(),
    output=st.booleans(),
)


NETWORKS = st.builds(
    Drawn,
    time=st.integers(1, 80),
    channels=st.sampled_from((1, 1, 2, 3, 7)),
    layers=st.lists(LAYERS, min_size=1, max_size=7).map(tuple),
    flat=st.booleans(),
    seed=st.integers(0, 1 << 30),
)
STREAMINGS = st.builds(
    Streaming,
    tile=st.integers(0, 13),
    pushes=st.lists(st.integers(1, 90), min_size=1, max_size=5).map(tuple),
)


def build(drawn: Drawn, rng: np.random.Generator) -> bytes:
    """Build the .tflite file of a network."""
    model = ModelBuilder()
    shape = (1, 1, drawn.time, drawn.channels)
    made = [model.tensor(TensorSpec("input", shape, scales=(0.02,), zero_points=(_point(rng),)))]
    model.inputs = made[:1]
    for number, layer in enumerate(drawn.layers):
        at = made[-1 - layer.back % len(made)]
        made.append(_add_layer(model, f"layer{number}", at, layer, rng))
        if layer.output:
            model.outputs.append(made[-1])
    model.outputs = model.outputs or made[-1:]
    if drawn.flat:
        model.outputs = [_flatten(model, at) for at in model.outputs]
    return model.build()


def _point(rng: np.random.Generator) -> int:
    return int(rng.integers(-128, 128))


def _scale(value: float) -> float:
    """Return a scale that TFLite takes, RELU6 included, whatever the layers before made of it."""
    return float(np.clip(value, 1e-8, 1e36))


def _add_layer(
    model: ModelBuilder, name: str, at: int, layer: LayerDraw, rng: np.random.Generator
) -> int:
    """Add a convolution and all that belongs to it; return the tensor that it makes."""
    if any(layer.pad):
        at = _pad(model, name, at, layer.pad)
    at = _convolve(model, name, at, layer, rng)
    if layer.table == "none":
        return at
    if layer.table == "square":
        return _multiply(model, name, (at, at), layer, rng)
    sigmoid = model.tensor(
        TensorSpec(
            f"{name}/sigmoid", model.tensors[at].shape, scales=(1 / 256,), zero_points=(-128,)
        )
    )
    model.op(OPS.LOGISTIC, [at], [sigmoid])
    return (
        sigmoid if layer.table == "sigmoid" else _multiply(model, name, (at, sigmoid), layer, rng)
    )


def _pad(model: ModelBuilder, name: str, at: int, pad: tuple[int, int]) -> int:
    source = model.tensors[at]
    _, _, time, channels = source.shape
    amounts = np.array([[0, 0], [0, 0], pad, [0, 0]], np.int32)
    constant = model.tensor(TensorSpec(f"{name}/paddings", (4, 2), INT32, (), data=amounts))
    shape = (1, 1, time + sum(pad), channels)
    padded = TensorSpec(f"{name}/pad", shape, scales=source.scales, zero_points=source.zero_points)
    model.op(OPS.PAD, [at, constant], [model.tensor(padded)])
    return len(model.tensors) - 1


def _convolve(
    model: ModelBuilder, name: str, at: int, layer: LayerDraw, rng: np.random.Generator
) -> int:
    source = model.tensors[at]
    _, _, time, channels = source.shape
    same = layer.same or time < layer.kernel
    steps = -(-time // layer.stride) if same else (time - layer.kernel) // layer.stride + 1
    count = min(layer.channels, max(1, MACS // (layer.kernel * channels * steps)))
    shape = (count, 1, layer.kernel, channels)
    weights = _weights(rng, shape, extreme=layer.extreme)
    scales = tuple(rng.uniform(0.001, 0.004, count).tolist())
    limit = 1 << 24 if layer.extreme else 1 << 12
    bias = rng.integers(-limit, limit, count).astype(np.int32)
    spread = 64 * 64 * float(np.sqrt(layer.kernel * channels))
    target = _scale(source.scales[0] * 0.002 * spread / 60 / layer.gain)
    zeros = (0,) * count
    inputs = [
        at,
        model.tensor(
            TensorSpec(f"{name}/weights", shape, scales=scales, zero_points=zeros, data=weights)
        ),
        model.tensor(TensorSpec(f"{name}/bias", (count,), INT32, scales, zeros, data=bias)),
    ]
    output = model.tensor(
        TensorSpec(
            f"{name}/conv", (1, 1, steps, count), scales=(target,), zero_points=(_point(rng),)
        )
    )
    model.op(
        OPS.CONV_2D,
        inputs,
        [output],
        Padding=tflite.Padding.SAME if same else tflite.Padding.VALID,
        StrideW=layer.stride,
        DilationWFactor=1,
        DilationHFactor=1,
        FusedActivationFunction=layer.activation,
    )
    return output


def _weights(rng: np.random.Generator, shape: tuple[int, ...], *, extreme: bool) -> Int8s:
    if extreme:
        return rng.choice(np.array([-127, 127], np.int8), shape)
    return rng.integers(-127, 128, shape).astype(np.int8)


def _multiply(
    model: ModelBuilder,
    name: str,
    factors: tuple[int, int],
    layer: LayerDraw,
    rng: np.random.Generator,
) -> int:
    first, second = (model.tensors[at] for at in factors)
    target = _scale(first.scales[0] * second.scales[0] * 128 / min(layer.gain, 2.0**12))
    product = model.tensor(
        TensorSpec(f"{name}/product", first.shape, scales=(target,), zero_points=(_point(rng),))
    )
    model.op(OPS.MUL, list(factors), [product], FusedActivationFunction=layer.activation)
    return product


def _flatten(model: ModelBuilder, at: int) -> int:
    source = model.tensors[at]
    size = int(np.prod(source.shape))
    constant = TensorSpec(
        f"{source.name}/shape", (2,), INT32, (), data=np.array([1, size], np.int32)
    )
    flat = TensorSpec(
        f"{source.name}/flat", (1, size), scales=source.scales, zero_points=source.zero_points
    )
    model.op(OPS.RESHAPE, [at, model.tensor(constant)], [model.tensor(flat)])
    return len(model.tensors) - 1
