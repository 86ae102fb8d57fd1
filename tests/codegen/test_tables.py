"""The operators that become tables, held against TFLite's reference over all 256 codes."""

import numpy as np
import pytest

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Node, Quantization, Tensor
from dynadeep.codegen.ops import OPERATIONS
from dynadeep.codegen.ops.operation import Pointwise

from .conftest import Int8s, Run
from .tflite_builder import OPS, ModelBuilder, Option, TensorSpec

CODES = np.arange(-128, 128).astype(np.int8)
SHAPE = (1, 256, 1)
Quantizations = tuple[Quantization, Quantization]

KINDS = (
    *("EXP", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE", "RELU"),
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
    found = reference(builder.build(), inputs)
    return [found[builder.tensors[index].name].ravel() for index in builder.outputs]


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


@pytest.mark.filterwarnings("ignore")
def test_elu_is_the_kernel_of_the_interpreter_that_has_one() -> None:
    """No reference kernel is registered for it, so that the interpreter's own is the contract."""
    tf = pytest.importorskip("tensorflow")
    random = np.random.default_rng(12)
    cases = [(draw(random, "TANH", extreme), {}) for extreme in [False, True] * 100]
    builder = model_of("ELU", cases)
    interpreter = tf.lite.Interpreter(
        model_content=builder.build(),
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    for index in builder.inputs:
        interpreter.set_tensor(index, CODES.reshape(SHAPE))
    interpreter.invoke()
    for (scales, also), index in zip(cases, builder.outputs, strict=True):
        expected = interpreter.get_tensor(index).ravel()
        np.testing.assert_array_equal(read("ELU", scales, also).evaluate((CODES,)), expected)


REFUSALS = {
    "a sigmoid of another scale": ("LOGISTIC", 0.1, 0.1, {}, "expected 1/256 and -128"),
    "GELU's approximation": ("GELU", 0.1, 0.1, {"Approximate": 1}, "approximation by tanh"),
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
