"""The operators that become tables, held against TFLite's reference over all 256 codes."""

import numpy as np
import pytest

from dynadeep.codegen.canonical import canonical
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Node, Quantization, Tensor
from dynadeep.codegen.ops import OPERATIONS
from dynadeep.codegen.ops.operation import Pointwise
from dynadeep.codegen.passes import understand
from dynadeep.codegen.tflite import read_graph

from .conftest import Int8s, Run
from .tflite_builder import FLOAT32, INT8, OPS, ModelBuilder, Option, TensorSpec

CODES = np.arange(-128, 128).astype(np.int8)
SHAPE = (1, 256, 1)
Quantizations = tuple[Quantization, Quantization]

KINDS = (
    *("ABS", "EXP", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE", "RELU"),
    *("RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "TANH"),
)
ORDINARY, EXTREME = ((-7, -1), (-2, 2)), ((-12, 2), (-6, 9))
COUNT = 250


def quantization(scale: float, zero_point: int) -> Quantization:
    return Quantization((float(np.float32(scale)),), (zero_point,))


def draw(random: np.random.Generator, kind: str, extreme: bool) -> Quantizations:
    """Return random scales and zero points of an input and an output."""
    of_input, of_output = EXTREME if extreme else ORDINARY
    scale = np.exp(random.uniform(*of_input))
    target = scale * np.exp(random.uniform(*of_output))
    if kind in ("TANH", "EXP", "GELU") and random.random() < 0.5:
        target = np.exp(random.uniform(-9, 0))  # so that not all codes saturate
    edges = [-128, 127, 0, int(random.integers(-128, 128))]
    zero, zero_out = (int(random.choice(edges)) for _ in range(2))
    if kind == "LOGISTIC":
        target, zero_out = 1 / 256, -128
    return quantization(scale, zero), quantization(target, zero_out)


def options(random: np.random.Generator, kind: str) -> dict[str, float]:
    if kind == "GELU":
        return {"Approximate": bool(random.integers(2))}
    if kind != "LEAKY_RELU":
        return {}
    return {"Alpha": float(np.float32(random.choice([0.01, 0.3, 1.5, -0.2, random.uniform(0, 1)])))}


def read(kind: str, scales: Quantizations, also: dict[str, float]) -> Pointwise:
    x, y = (Tensor(i, "xy"[i], SHAPE, "INT8", scales[i]) for i in range(2))
    op = OPERATIONS[kind].read(Node(0, kind, (x,), (y,), also))
    assert isinstance(op, Pointwise)
    return op


def model_of(kind: str, cases: list[tuple[Quantizations, dict[str, float]]]) -> ModelBuilder:
    builder = ModelBuilder()
    for i, (scales, also) in enumerate(cases):
        x, y = (
            builder.tensor(
                TensorSpec(f"{name}{i}", SHAPE, scales=q.scales, zero_points=q.zero_points)
            )
            for name, q in zip("xy", scales, strict=True)
        )
        choices: dict[str, Option] = dict(also)
        builder.op(getattr(OPS, kind), [x], [y], **choices)
        builder.inputs.append(x)
        builder.outputs.append(y)
    return builder


def run(reference: Run, builder: ModelBuilder) -> list[Int8s]:
    inputs = {builder.tensors[index].name: CODES for index in builder.inputs}
    outputs = reference(builder.build(), inputs)
    return [outputs[builder.tensors[index].name].ravel() for index in builder.outputs]


@pytest.mark.parametrize("extreme", [False, True], ids=["ordinary", "extreme"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_the_reference_on_every_code(reference: Run, kind: str, extreme: bool) -> None:
    random = np.random.default_rng(11)
    cases, ops = [], []
    for _ in range(COUNT):
        scales, also = draw(random, kind, extreme), options(random, kind)
        try:
            ops.append(read(kind, scales, also))
        except ModelError:
            assert extreme  # what a quantised network has is never refused
            continue
        cases.append((scales, also))
    assert len(ops) > COUNT // 2
    for op, expected in zip(ops, run(reference, model_of(kind, cases)), strict=True):
        np.testing.assert_array_equal(op.evaluate((CODES,)), expected)


ELUS: list[tuple[Quantizations, dict[str, float]]] = [
    (draw(np.random.default_rng(seed), "TANH", extreme=bool(seed % 2)), {}) for seed in range(200)
]


def run_elu(builder: ModelBuilder) -> list[Int8s]:
    """Run a model on the kernels of the interpreter: no reference kernel is registered for ELU."""
    tf = pytest.importorskip("tensorflow")
    kinds = tf.lite.experimental.OpResolverType
    interpreter = tf.lite.Interpreter(
        model_content=builder.build(),
        experimental_op_resolver_type=kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    for index in builder.inputs:
        interpreter.set_tensor(index, CODES.reshape(SHAPE))
    interpreter.invoke()
    return [interpreter.get_tensor(index).ravel() for index in builder.outputs]


@pytest.mark.filterwarnings("ignore")
def test_elu_is_the_interpreters_only_kernel_on_every_code() -> None:
    for (scales, also), expected in zip(ELUS, run_elu(model_of("ELU", ELUS)), strict=True):
        np.testing.assert_array_equal(read("ELU", scales, also).evaluate((CODES,)), expected)


@pytest.mark.filterwarnings("ignore")
def test_elu_between_dequantize_and_quantize_is_one_table() -> None:
    builder = ModelBuilder()
    for i, ((of_x, of_y), _) in enumerate(ELUS):
        x, y = (
            builder.tensor(TensorSpec(f"{name}{i}", SHAPE, INT8, q.scales, q.zero_points))
            for name, q in (("x", of_x), ("y", of_y))
        )
        real, elu = (
            builder.tensor(TensorSpec(f"{name}{i}", SHAPE, FLOAT32, ())) for name in ("real", "elu")
        )
        builder.op(OPS.DEQUANTIZE, [x], [real])
        builder.op(OPS.ELU, [real], [elu])
        builder.op(OPS.QUANTIZE, [elu], [y])
        builder.inputs.append(x)
        builder.outputs.append(y)
    ops = understand(canonical(read_graph(builder.build())))
    for op, expected in zip(ops, run_elu(builder), strict=True):
        assert isinstance(op, Pointwise)
        np.testing.assert_array_equal(op.evaluate((CODES,)), expected)


@pytest.mark.filterwarnings("ignore")
def test_floats_in_the_middle_are_refused_with_what_brings_them() -> None:
    builder = ModelBuilder()
    doubled = (*SHAPE[:-1], 2 * SHAPE[-1])
    x = builder.tensor(TensorSpec("x", SHAPE))
    y = builder.tensor(TensorSpec("y", doubled))
    real = builder.tensor(TensorSpec("real", SHAPE, FLOAT32, ()))
    elu = builder.tensor(TensorSpec("elu", SHAPE, FLOAT32, ()))
    joined = builder.tensor(TensorSpec("joined", doubled, FLOAT32, ()))
    builder.op(OPS.DEQUANTIZE, [x], [real])
    builder.op(OPS.ELU, [real], [elu])
    builder.op(OPS.CONCATENATION, [real, elu], [joined])
    builder.op(OPS.QUANTIZE, [joined], [y])
    builder.inputs.append(x)
    builder.outputs.append(y)
    with pytest.raises(
        ModelError, match=r"op 0 DEQUANTIZE, .*no int8 form of.*an ELU whose values"
    ):
        understand(canonical(read_graph(builder.build())))


REFUSALS: dict[str, tuple[str, float, float, dict[str, float], str]] = {
    "a sigmoid of another scale": ("LOGISTIC", 0.1, 0.1, {}, "expected 1/256 and -128"),
    "a swish whose output is far coarser": ("HARD_SWISH", 1e-5, 0.1, {}, "from 1/512 to 128"),
    "a swish whose output is far finer": ("HARD_SWISH", 1.0, 1e-3, {}, "from 1/512 to 128"),
    "an output beyond int32": ("QUANTIZE", 1.0, 1e-9, {}, "overflows int32"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_no_table_can_hold_is_refused_by_name(case: str) -> None:
    kind, scale, target, also, message = REFUSALS[case]
    with pytest.raises(ModelError, match=f'op 0 {kind}, .*tensor "y": .*{message}'):
        read(kind, (quantization(scale, 3), quantization(target, 4)), also)


def test_a_table_operator_must_keep_the_shape() -> None:
    scales = quantization(0.1, 0)
    x = Tensor(0, "x", (1, 8, 2), "INT8", scales)
    y = Tensor(1, "y", (1, 2, 8), "INT8", scales)
    with pytest.raises(ModelError, match=r"\[1, 8, 2\] becomes \[1, 2, 8\]"):
        OPERATIONS["RELU"].read(Node(0, "RELU", (x,), (y,)))
