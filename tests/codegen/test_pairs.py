"""The operators on two operands, held against TFLite's reference over all pairs of codes."""

import numpy as np
import pytest

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Node, Quantization, Tensor
from dynadeep.codegen.layers import Window
from dynadeep.codegen.ops import OPERATIONS
from dynadeep.codegen.ops.add import Add, SteppedSum, Sum
from dynadeep.codegen.ops.lookup import Lookup
from dynadeep.codegen.ops.operation import Pointwise
from dynadeep.codegen.ops.pair import Pair

from .conftest import Int8s, Run
from .tflite_builder import OPS, ModelBuilder, Option, TensorSpec

CODES = np.arange(-128, 128).astype(np.int8)
FIRST, SECOND = np.repeat(CODES, 256), np.tile(CODES, 256)
Scales = tuple[Quantization, Quantization, Quantization]
Case = tuple[Scales, dict[str, int]]
COUNT = 25


def quantization(scale: float, zero_point: int) -> Quantization:
    return Quantization((float(np.float32(scale)),), (zero_point,))


def draw(random: np.random.Generator, kind: str, extreme: bool) -> Scales:
    """Return random scales and zero points of two operands and an output."""
    wide = 4.0 if extreme else 1.0
    first = float(np.exp(random.uniform(-6 * wide, -1)))
    second = first * float(np.exp(random.uniform(-1.5 * wide, 1.5 * wide)))
    if random.random() < 0.2:
        second = first
    if kind in ("ADD", "SUB"):
        output = (first + second) * float(np.exp(random.uniform(-1 * wide, 0.3 * wide)))
        output = first if random.random() < 0.2 else output
    elif kind == "MUL":
        output = first * second * float(np.exp(random.uniform(2 - wide, 6 * wide)))
    else:
        second, output = float(np.exp(random.uniform(-6, -3))), first
        output *= float(np.exp(random.uniform(-0.7 * wide, 0.7 * wide)))
    edges = [-128, 127, 0, int(random.integers(-128, 128))]
    zeros = [int(random.choice(edges)) for _ in range(3)]
    if kind in ("MAXIMUM", "MINIMUM"):
        return (quantization(first, zeros[0]),) * 3
    first_scale, second_scale, output_scale = map(quantization, (first, second, output), zeros)
    return first_scale, second_scale, output_scale


def options(random: np.random.Generator, kind: str) -> dict[str, int]:
    fused = kind in ("ADD", "SUB", "MUL")
    return {"FusedActivationFunction": int(random.choice([0, 0, 1, 3]))} if fused else {}


def read(
    kind: str,
    scales: Scales,
    also: dict[str, int] | None = None,
    shapes: tuple[tuple[int, ...], ...] = ((1, 256, 256),) * 3,
    constant: int | None = None,
) -> Pair:
    """Read an operator; operand ``constant`` is one, of ones."""
    tensors = [Tensor(i, "xwy"[i], shapes[i], "INT8", scales[i]) for i in range(3)]
    if constant is not None:
        data = np.ones(shapes[constant], np.int8)
        tensors[constant] = Tensor(
            constant, "c", shapes[constant], "INT8", scales[constant], data=data
        )
    op = OPERATIONS[kind].read(Node(0, kind, tuple(tensors[:2]), (tensors[2],), also or {}))
    assert isinstance(op, Pair)
    return op


def run(reference: Run, kind: str, cases: list[Case]) -> list[Int8s]:
    """Return what the reference makes of all pairs of codes, [first, second]."""
    builder = ModelBuilder()
    inputs: dict[str, Int8s] = {}
    for i, (scales, also) in enumerate(cases):
        specs = [
            TensorSpec(f"{name}{i}", (1, 256, 256), scales=q.scales, zero_points=q.zero_points)
            for name, q in zip("xwy", scales, strict=True)
        ]
        x, w, y = map(builder.tensor, specs)
        choices: dict[str, Option] = dict(also)
        builder.op(getattr(OPS, kind), [x, w], [y], **choices)
        builder.inputs += [x, w]
        builder.outputs.append(y)
        inputs |= {f"x{i}": FIRST, f"w{i}": SECOND}
    outputs = reference(builder.build(), inputs)
    return [outputs[f"y{i}"].reshape(256, 256) for i in range(len(cases))]


def draw_cases(kind: str, extreme: bool) -> tuple[list[Case], list[Pair]]:
    random = np.random.default_rng(21)
    cases: list[Case] = []
    ops: list[Pair] = []
    while len(ops) < COUNT:
        case = draw(random, kind, extreme), options(random, kind)
        try:
            ops.append(read(kind, *case))
        except ModelError:
            assert extreme  # what a quantised network has is never refused
            continue
        cases.append(case)
    return cases, ops


def all_pairs(op: Pair) -> Int8s:
    return op.compute(CODES[:, np.newaxis], CODES[np.newaxis])


@pytest.mark.parametrize("extreme", [False, True], ids=["ordinary", "extreme"])
@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU"])
def test_the_arithmetic_is_the_references_on_every_pair(
    reference: Run, kind: str, extreme: bool
) -> None:
    cases, ops = draw_cases(kind, extreme)
    for op, expected in zip(ops, run(reference, kind, cases), strict=True):
        np.testing.assert_array_equal(all_pairs(op), expected)


@pytest.mark.parametrize("kind", ["ADD", "SUB"])
@pytest.mark.parametrize("extreme", [False, True], ids=["ordinary", "extreme"])
def test_a_linear_form_gives_every_pair_the_same_code(kind: str, extreme: bool) -> None:
    linear = 0
    for op in draw_cases(kind, extreme)[1]:
        layer = op.lower()
        if isinstance(layer, SteppedSum):
            continue
        linear += 1
        np.testing.assert_array_equal(formed(layer), all_pairs(op))
    assert linear >= COUNT - 2  # most sums have one


def formed(layer: object) -> Int8s:
    """Return what dd_add_s8 makes of all pairs, and check that it stays in int32."""
    assert isinstance(layer, Sum)
    fields = {name: int(value) for name, value in layer.fields().items()}
    wide = CODES.astype(np.int64)
    sums = fields["first_factor"] * wide[:, np.newaxis] + fields["second_factor"] * wide
    sums = sums + fields["offset"]
    assert -(1 << 31) <= sums.min() <= sums.max() < 1 << 31
    return np.clip(sums >> fields["shift"], fields["out_min"], fields["out_max"]).astype(np.int8)


def highs(layer: object) -> Int8s | None:
    """Return what the DSP extension makes of all pairs, if it has numbers for it."""
    assert isinstance(layer, Sum)
    first, second, offset = (
        int(layer.fields()[name]) for name in ("first_high", "second_high", "high_offset")
    )
    if (first, second) == (0, 0):
        return None
    wide = CODES.astype(np.int64)
    sums = ((first * wide) >> 8)[:, np.newaxis] + ((second * wide) >> 8) + offset
    assert -(1 << 31) <= sums.min() <= sums.max() < 1 << 31
    low, high = (int(layer.fields()[name]) for name in ("out_min", "out_max"))
    return np.clip((sums >> 16) - 128, low, high).astype(np.int8)


@pytest.mark.parametrize("kind", ["ADD", "SUB"])
@pytest.mark.parametrize("extreme", [False, True], ids=["ordinary", "extreme"])
def test_the_form_for_the_dsp_extension_gives_every_pair_the_same_code(
    kind: str, extreme: bool
) -> None:
    count = 0
    for op in draw_cases(kind, extreme)[1]:
        layer = op.lower()
        codes = highs(layer) if isinstance(layer, Sum) else None
        if codes is not None:
            count += 1
            np.testing.assert_array_equal(codes, all_pairs(op))
    assert count >= COUNT - 3  # most sums have one


def test_scales_without_a_linear_form_take_tflites_steps() -> None:
    first, second = quantization(0.2780152083032709, 83), quantization(1.0394669964974121, -89)
    op = read("ADD", (first, second, quantization(0.911438589013391, 37)))
    assert isinstance(op.lower(), SteppedSum)


@pytest.mark.parametrize("kind", ["ADD", "SUB"])
def test_a_scale_that_tflite_ends_the_process_at_is_refused(kind: str) -> None:
    most = quantization(3.2e32, 0)
    read(kind, (most, most, most))
    with pytest.raises(ModelError, match=r"scale 3\.3e\+32, expected one of at most 3\.24519e\+32"):
        read(kind, (most, most, quantization(3.3e32, 0)))


X, C1, T1, ONE = (1, 8, 4), (1, 1, 4), (1, 8, 1), (1, 1, 1)
QUANTIZED = (quantization(0.1, 3), quantization(0.2, -5), quantization(0.3, 7))
SHAPES = {
    "two tensors of one shape": ((X, X, X), None, (1, 1), (4, 4, 1, 1)),
    "one for all steps": ((X, C1, X), None, (1, 0), (4, 0, 1, 1)),
    "one for all channels": ((X, T1, X), None, (1, 1), (4, 1, 1, 0)),
    "one value": ((X, ONE, X), None, (1, 0), (4, 0, 1, 0)),
    "steps by channels": ((T1, C1, X), None, (1, 0), (1, 0, 0, 1)),
    "a constant for each channel": ((X, (4,), X), 1, (1,), (4, 0, 1, 1)),
    "a constant for each step": ((X, (8, 1), X), 1, (1,), (4, 1, 1, 0)),
    "a constant for each value": ((X, X, X), 1, (1,), (4, 4, 1, 1)),
    "a constant in front": ((X, X, X), 0, (1,), (4, 4, 1, 1)),
    "one step": (((1, 1, 4), (1, 1, 4), (1, 1, 4)), None, (1, 1), (4, 4, 1, 1)),
}


@pytest.mark.parametrize("case", SHAPES)
@pytest.mark.parametrize("kind", ["SUB", "MUL"])
def test_operands_are_walked_through_as_they_are_broadcast(kind: str, case: str) -> None:
    shapes, constant, strides, walk = SHAPES[case]
    layer = read(kind, QUANTIZED, shapes=shapes, constant=constant).lower()
    names = ("first_step", "second_step", "first_channel", "second_channel")
    assert layer.windows == tuple(Window(1, stride, 0) for stride in strides)
    assert tuple(layer.fields()[f"pair.{name}"] for name in names) == walk


def test_a_scalar_constant_makes_a_table() -> None:
    op = read("MUL", QUANTIZED, shapes=(X, (), X), constant=1)
    assert isinstance(op, Pointwise)
    codes = op.evaluate((CODES,))
    assert isinstance(op.lookup([op], codes), Lookup)
    np.testing.assert_array_equal(codes, op.compute(CODES, np.ones(1, np.int8)))


def test_two_tensors_of_one_shape_can_end_up_in_one_table_and_others_cannot() -> None:
    assert isinstance(read("ADD", QUANTIZED, shapes=(X, X, X)), Pointwise)
    assert not isinstance(read("ADD", QUANTIZED, shapes=(X, C1, X)), Pointwise)


def test_a_constant_in_front_is_what_is_subtracted_from() -> None:
    op = read("SUB", QUANTIZED, shapes=(X, (4,), X), constant=0)
    assert isinstance(op, Add)
    assert op.scaling.first[0] < 0 < op.scaling.second[0]


REFUSALS = {
    "shapes that do not go together": (
        "ADD",
        (X, (1, 7, 4), X),
        QUANTIZED,
        r"\[1, 8, 4\] and \[1, 7, 4\] do not give \[1, 8, 4\]",
    ),
    "an output of another shape": (
        "MUL",
        (X, C1, (1, 4, 8)),
        QUANTIZED,
        r"do not give \[1, 4, 8\]",
    ),
    "a product beyond int32": (
        "MUL",
        (X, X, X),
        (QUANTIZED[0], QUANTIZED[1], quantization(1e-7, 0)),
        "overflows int32",
    ),
    "a sum of far finer steps": (
        "ADD",
        (X, X, X),
        (QUANTIZED[0], QUANTIZED[1], quantization(1e-8, 0)),
        "overflows int32",
    ),
    "a maximum of two scales": ("MAXIMUM", (X, X, X), QUANTIZED, "differ in scale or zero point"),
    "slopes for more than there is": ("PRELU", (C1, X, X), QUANTIZED, "smaller than its output"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_no_kernel_can_run_is_refused_by_name(case: str) -> None:
    kind, shapes, scales, message = REFUSALS[case]
    with pytest.raises(ModelError, match=f'op 0 {kind}, .*tensor "y": .*{message}'):
        read(kind, scales, shapes=shapes)


def test_two_constants_are_refused() -> None:
    data = np.ones(X, np.int8)
    x, w = (Tensor(i, "xw"[i], X, "INT8", QUANTIZED[i], data=data) for i in range(2))
    y = Tensor(2, "y", X, "INT8", QUANTIZED[2])
    with pytest.raises(ModelError, match="both its operands are constants"):
        OPERATIONS["ADD"].read(Node(0, "ADD", (x, w), (y,)))


def test_a_constant_with_many_scales_is_refused() -> None:
    many = Quantization((0.1, 0.2, 0.3, 0.4), (0, 0, 0, 0), 2)
    with pytest.raises(ModelError, match='the constant "c" is not quantised by one scale'):
        read("ADD", (QUANTIZED[0], many, QUANTIZED[2]), shapes=(X, (1, 1, 4), X), constant=1)
