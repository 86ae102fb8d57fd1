"""Random networks of one operator that goes value by value, or step by step."""

from collections.abc import Callable

import numpy as np

from tests.codegen.tflite_builder import OPS, ModelBuilder, Option, TensorSpec
from tests.firmware.moving import Rng, Shape, channels_of, placed, size

FUSED = (0, 0, 1, 3)


def log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(np.float32(np.exp(rng.uniform(np.log(low), np.log(high)))))


def tensor(rng: Rng, model: ModelBuilder, shape: Shape, scale: float) -> int:
    zero_point = int(rng.choice([-128, 127, int(rng.integers(-128, 128))]))
    spec = TensorSpec(f"t{len(model.tensors)}", shape, scales=(scale,), zero_points=(zero_point,))
    return model.tensor(spec)


def broadcast(rng: Rng, shape: Shape) -> Shape:
    """Return the shape, or that of an operand which is the same in some dimensions."""
    keeps = [(True, True), (True, True), (True, False), (False, True), (False, False)]
    time, channels = keeps[rng.integers(len(keeps))]
    sizes = [n if time else 1 for n in shape[:-1]]
    return (*sizes, shape[-1] if channels else 1)


def pair(
    rng: Rng, code: int, scales: tuple[float, float, float], **options: Option
) -> ModelBuilder:
    """Return an operator on two operands of any shapes that go together."""
    model = ModelBuilder()
    shape = placed(rng, size(rng, 40), channels_of(rng))
    shapes = [shape, broadcast(rng, shape)]
    if rng.integers(2) and code != OPS.PRELU:
        shapes.reverse()
    operands = [tensor(rng, model, *operand) for operand in zip(shapes, scales[:2], strict=True)]
    output = tensor(rng, model, shape, scales[2])
    if code in (OPS.MAXIMUM, OPS.MINIMUM):
        for spec in model.tensors:
            spec.zero_points = model.tensors[0].zero_points
    small = 1 if len(shapes) == 2 and shapes[1] != shape else int(rng.integers(2))
    small = 1 if code == OPS.PRELU else small
    if rng.integers(2) and model.tensors[1 - small].shape == shape:
        constant = model.tensors[small]
        if np.prod(constant.shape) > 1:  # else it is a table
            constant.data = rng.integers(-128, 128, constant.shape).astype(np.int8)
    model.op(code, operands, [output], **options)
    model.inputs = [i for i in operands if model.tensors[i].data is None]
    model.outputs = [output]
    return model


def sum_of(rng: Rng, code: int) -> ModelBuilder:
    first = log_uniform(rng, 1e-4, 0.5)
    second = first * float(
        rng.choice([1.0, log_uniform(rng, 0.1, 10), log_uniform(rng, 1e-4, 1e4)])
    )
    output = (first + second) * log_uniform(rng, 0.2, 1.5)
    return pair(rng, code, (first, second, output), FusedActivationFunction=int(rng.choice(FUSED)))


def add(rng: Rng) -> ModelBuilder:
    return sum_of(rng, OPS.ADD)


def subtract(rng: Rng) -> ModelBuilder:
    return sum_of(rng, OPS.SUB)


def multiply(rng: Rng) -> ModelBuilder:
    first, second = log_uniform(rng, 1e-3, 0.5), log_uniform(rng, 1e-3, 0.5)
    output = (
        first * second * log_uniform(rng, *((0.01, 1e4) if rng.integers(3) == 0 else (10, 300)))
    )
    fused = int(rng.choice(FUSED))
    return pair(rng, OPS.MUL, (first, second, output), FusedActivationFunction=fused)


def maximum(rng: Rng) -> ModelBuilder:
    return pair(rng, OPS.MAXIMUM, (log_uniform(rng, 1e-3, 0.5),) * 3)


def minimum(rng: Rng) -> ModelBuilder:
    return pair(rng, OPS.MINIMUM, (log_uniform(rng, 1e-3, 0.5),) * 3)


def prelu(rng: Rng) -> ModelBuilder:
    scale = log_uniform(rng, 1e-3, 0.5)
    slope, output = log_uniform(rng, 1e-4, 0.1), scale * log_uniform(rng, 0.1, 10)
    return pair(rng, OPS.PRELU, (scale, slope, output))


def softmax(rng: Rng) -> ModelBuilder:
    model = ModelBuilder()
    shape = placed(rng, size(rng, 20), channels_of(rng))
    source = tensor(rng, model, shape, log_uniform(rng, 1e-5, 20))
    output = model.tensor(TensorSpec("y", shape, scales=(1 / 256,), zero_points=(-128,)))
    model.op(OPS.SOFTMAX, [source], [output], Beta=float(rng.choice([1.0, 1.0, 0.5, 3.0])))
    model.inputs, model.outputs = [source], [output]
    return model


OPERATORS: dict[str, Callable[[Rng], ModelBuilder]] = {
    function.__name__: function
    for function in (add, subtract, multiply, maximum, minimum, prelu, softmax)
}


def plain(name: str, time: int, channels: int) -> ModelBuilder:
    """Return an operator on two tensors of one shape, with ordinary scales."""
    first, second, output = {
        "add": (0.05, 0.07, 0.09),
        "multiply": (0.05, 0.07, 0.2),
        "maximum": (0.05, 0.05, 0.05),
    }[name]
    model = ModelBuilder()
    for at, scale in enumerate((first, second, output)):
        model.tensor(TensorSpec(f"t{at}", (1, time, channels), scales=(scale,)))
    model.op({"add": OPS.ADD, "multiply": OPS.MUL, "maximum": OPS.MAXIMUM}[name], [0, 1], [2])
    model.inputs, model.outputs = [0, 1], [2]
    return model
