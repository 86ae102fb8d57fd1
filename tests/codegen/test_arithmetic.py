"""The arithmetic that codegen does itself, held against TFLite's interpreters to the bit."""

import numpy as np
import numpy.typing as npt
import pytest

from dynadeep.codegen.fixed_point import (
    activation_range,
    is_rounded_once,
    quantize_multiplier,
    requantize,
    requantize_once,
    round_half_away,
    split_multiplier,
)
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.ops.operation import Pointwise
from dynadeep.codegen.passes import understand
from dynadeep.codegen.tflite import read_graph

from .conftest import Run
from .models import OPS, Net, small_encoder
from .tflite_builder import INT32, ModelBuilder, TensorSpec

CODES = np.arange(-128, 128).astype(np.int8)


def pointwise_model(random: np.random.Generator, count: int) -> ModelBuilder:
    """LOGISTIC and MUL, as behind a convolution, for ``count`` random quantisations."""
    builder = ModelBuilder()
    shape = (1, 1, 256, 1)

    def add(name: str, scale: float, zero_point: int) -> int:
        return builder.tensor(TensorSpec(name, shape, scales=(scale,), zero_points=(zero_point,)))

    for i in range(count):
        scale = float(np.exp(random.uniform(np.log(1e-4), np.log(0.3))))
        x = add(f"x{i}", scale, int(random.integers(-128, 128)))
        sigmoid = add(f"sigmoid{i}", 1 / 256, -128)
        target = scale * float(np.exp(random.uniform(-2, 0.5)))
        y = add(f"y{i}", target, int(random.integers(-128, 128)))
        builder.op(OPS.LOGISTIC, [x], [sigmoid])
        builder.op(
            OPS.MUL, [x, sigmoid], [y], FusedActivationFunction=int(random.choice([0, 1, 3]))
        )
        builder.inputs.append(x)
        builder.outputs.append(y)
    return builder


def test_sigmoid_and_product_are_tflites_on_every_code(reference: Run) -> None:
    builder = pointwise_model(np.random.default_rng(7), 250)
    inputs = {builder.tensors[index].name: CODES for index in builder.inputs}
    expected = reference(builder.build(), inputs)
    for i in range(250):
        codes = {f"x{i}": CODES}
        for op in only(builder, i):
            codes[op.output.name] = op.evaluate(tuple(codes[t.name] for t in op.inputs))
            np.testing.assert_array_equal(codes[op.output.name], expected[op.output.name].ravel())


def only(builder: ModelBuilder, i: int) -> list[Pointwise]:
    """Read the i-th pair of operators as a model of its own."""
    logistic, mul = builder.ops[2 * i : 2 * i + 2]
    model = ModelBuilder(builder.tensors[3 * i : 3 * i + 3], inputs=[0], outputs=[2])
    model.op(logistic.code, [0], [1])
    model.op(mul.code, [0, 1], [2], **mul.options)
    return [op for op in understand(read_graph(model.build())) if isinstance(op, Pointwise)]


def test_the_folded_table_is_what_the_reference_computes(reference: Run) -> None:
    net = small_encoder()
    content = net.model.build()
    segment = np.random.default_rng(3).integers(-128, 128, 40).astype(np.int8)
    tensors = reference(content, {"segment": segment})
    for layer in lower(read_graph(content)).layers:
        if layer.table is not None:
            looked_up = layer.table[tensors[layer.computed.name].astype(int) + 128]
            np.testing.assert_array_equal(looked_up, tensors[layer.output.name])


def near_ties(real: float) -> npt.NDArray[np.int64]:
    """Accumulators around every tie of the requantised code, where rounding rules show."""
    ties = np.round((np.arange(-130, 130) + 0.5) / real).astype(np.int64)
    return np.unique((ties[:, None] + np.arange(-8, 9)).ravel())


def biased(accumulators: npt.NDArray[np.int64], scales: tuple[float, ...]) -> bytes:
    """A convolution of zero weights, whose accumulators are its biases."""
    source, weight, target = scales
    count = len(accumulators)
    builder = ModelBuilder()
    x = builder.tensor(TensorSpec("x", (1, 1, 1, 1), scales=(source,)))
    filters = (count, 1, 1, 1)
    weights = TensorSpec("w", filters, scales=(weight,) * count, zero_points=(0,) * count)
    weights.data = np.zeros(filters, np.int8)
    bias = TensorSpec("b", (count,), INT32, (source * weight,) * count, (0,) * count)
    bias.data = accumulators.astype(np.int32)
    y = builder.tensor(TensorSpec("y", (1, 1, 1, count), scales=(target,)))
    inputs = [x, builder.tensor(weights), builder.tensor(bias)]
    builder.op(OPS.CONV_2D, inputs, [y], DilationWFactor=1, DilationHFactor=1)
    builder.inputs, builder.outputs = [x], [y]
    return builder.build()


def multiplied(content: bytes) -> npt.NDArray[np.int64]:
    """What codegen's multipliers make of the biases."""
    layer = lower(read_graph(content)).layers[0]
    rows = zip(layer.bias.tolist(), layer.multiplier.tolist(), layer.shift.tolist(), strict=True)
    values = [int(requantize(np.array([b]), m, s)[0]) for b, m, s in rows]
    return np.clip(np.array(values), -128, 127)


def random_scales(random: np.random.Generator) -> tuple[float, float, float]:
    source, weight = (float(np.float32(v)) for v in np.exp(random.uniform(-6, -2, 2)))
    target = float(np.float32(source * weight * np.exp(random.uniform(3, 14))))
    return source, weight, target


def test_multipliers_are_both_interpreters_at_every_tie(reference: Run, micro: Run) -> None:
    random = np.random.default_rng(5)
    for _ in range(12):
        scales = random_scales(random)
        accumulators = near_ties(scales[0] * scales[1] / scales[2])
        content = biased(accumulators, scales)
        x = {"x": np.zeros((1, 1, 1, 1), np.int8)}
        expected = multiplied(content)
        np.testing.assert_array_equal(reference(content, x)["y"].ravel(), expected)
        np.testing.assert_array_equal(micro(content, x)["output"].ravel(), expected)


@pytest.mark.parametrize("kind", ["RELU", "RELU6"])
def test_fused_activations_clamp_as_tflite_does(reference: Run, kind: str) -> None:
    random = np.random.default_rng(8)
    for _ in range(10):
        net = Net(16, seed=int(random.integers(1000)))
        net.conv("conv1", 4, 3, activation={"RELU": 1, "RELU6": 3}[kind])
        net.model.tensors[net.at].scales = (float(np.exp(random.uniform(-5, -2))),)
        net.model.outputs = [net.at]
        content = net.model.build()
        layer = lower(read_graph(content)).layers[0]
        tensors = reference(content, {"segment": random.integers(-128, 128, 16).astype(np.int8)})
        values = tensors["conv1/conv"]
        assert layer.low <= values.min()
        assert values.max() <= layer.high
        assert layer.low in values or layer.high in values


def test_a_multiplier_is_a_mantissa_of_31_bits_and_a_shift() -> None:
    assert quantize_multiplier(0.5) == (1 << 30, 0)
    assert quantize_multiplier(0.75) == (3 << 29, 0)
    assert quantize_multiplier(2.0) == (1 << 30, 2)


def test_a_mantissa_that_rounds_up_to_a_power_of_two_moves_the_shift() -> None:
    assert quantize_multiplier(1.0 - 2**-40) == (1 << 30, 1)


def test_a_multiplier_too_small_for_the_shift_is_zero() -> None:
    assert quantize_multiplier(2.0**-40) == (0, 0)
    assert quantize_multiplier(0.0) == (0, 0)


def test_halves_round_away_from_zero() -> None:
    assert [round_half_away(v) for v in (0.5, -0.5, 1.49, -2.5)] == [1, -1, 1, -3]


def test_the_second_rounding_is_away_from_zero() -> None:
    values = np.array([3, -3, 5, -5])
    assert requantize(values, 1 << 30, 0).tolist() == [2, -1, 3, -2]
    assert requantize(values * 4, 1 << 30, -2).tolist() == [2, -2, 3, -3]


def test_no_activation_is_the_whole_of_int8() -> None:
    assert activation_range("NONE", 0.1, 3) == (-128, 127)


def test_a_split_multiplier_rounds_as_a_double_does() -> None:
    random = np.random.default_rng(4)
    for exponent in random.uniform(-30, 3, 200):
        real = float(2.0**exponent)
        split = split_multiplier(real)
        largest = int(min(2**31 - 1, 2**20 / real))
        for value in random.integers(-largest, largest + 1, 50).tolist():
            assert requantize_once(value, *split) == round_half_away(value * real)
        assert is_rounded_once(real, largest)


def test_halves_leave_zero_where_a_multiplier_is_rounded_once() -> None:
    split = split_multiplier(0.25)
    assert [requantize_once(value, *split) for value in (-6, -2, 2, 6)] == [-2, -1, 1, 2]
    assert split_multiplier(2.0**-33) == (0, 0, 0)
