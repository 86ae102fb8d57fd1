"""The operators that pool, reduce, move or combine values: TFLite's bits, in any tiles."""

import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dynadeep.codegen import passes
from dynadeep.codegen.kernels import DSP, KERNELS, KernelSet
from dynadeep.codegen.layers import Layer
from dynadeep.codegen.tflite import read_graph
from tests.codegen.tflite_builder import ModelBuilder
from tests.firmware import elementwise, moving
from tests.firmware.emulated import CORES, Core
from tests.firmware.kernel_program import Case, random_tiles, run_on_core, run_on_host
from tests.firmware.moving import codes, plain_pool

Int8 = npt.NDArray[np.int8]
CASES = 8  # of each operator
OPERATORS = moving.OPERATORS | elementwise.OPERATORS


def reference(content: bytes, inputs: list[Int8]) -> list[Int8]:
    """Return what TFLite's reference kernels make."""
    tf = pytest.importorskip("tensorflow", reason="the export extra is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # announces that the interpreter will move
        interpreter: Any = tf.lite.Interpreter(
            model_content=content,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        )
    interpreter.allocate_tensors()
    for detail, values in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], values)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def layers_of(model: ModelBuilder) -> list[Layer]:
    """Return the layers of one operator, one for each output."""
    return [op.lower() for op in passes.understand(read_graph(model.build()))]


def drawn(name: str, seed: int) -> tuple[list[Case], list[Int8]]:
    """Return the cases of one random operator, and what is right."""
    rng = np.random.default_rng([seed, *name.encode()])
    model = OPERATORS[name](rng)
    inputs = [codes(model.tensors[i].shape, rng) for i in model.inputs]
    expected = reference(model.build(), inputs)
    flat = tuple(x.reshape(-1, x.shape[-1]) for x in inputs)
    layers = layers_of(model)
    cases = [Case(layer, flat, random_tiles(layer.output.time, rng)) for layer in layers]
    return cases, expected


Drawn = dict[str, list[tuple[Case, Int8]]]


@pytest.fixture(scope="module")
def all_drawn() -> Drawn:
    """Cases of every operator, with what is right."""
    found: Drawn = {}
    for name in OPERATORS:
        made = [drawn(name, seed) for seed in range(CASES)]
        cases = [case for several, _ in made for case in several]
        found[name] = list(
            zip(cases, [values for _, several in made for values in several], strict=True)
        )
    return found


@pytest.fixture(scope="module", params=KERNELS.values(), ids=list(KERNELS))
def made(request: pytest.FixtureRequest, all_drawn: Drawn) -> dict[Case, Int8]:
    """What a kernel set's C makes of all cases, in one program."""
    kernels: KernelSet = request.param
    cases = [case for pairs in all_drawn.values() for case, _ in pairs]
    return dict(zip(cases, run_on_host(cases, kernels), strict=True))


@pytest.mark.parametrize("name", OPERATORS)
def test_a_kernel_gives_tflites_bits_in_any_tiles(
    name: str, all_drawn: Drawn, made: dict[Case, Int8]
) -> None:
    for case, right in all_drawn[name]:
        assert made[case].ravel().tolist() == right.ravel().tolist(), case.layer


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
def test_a_core_gives_the_same_bits(tmp_path: Path, all_drawn: Drawn, core: Core) -> None:
    pairs = [pair for several in all_drawn.values() for pair in several]
    results = run_on_core([case for case, _ in pairs], core, tmp_path)
    for (case, right), (crc, _) in zip(pairs, results, strict=True):
        assert crc == zlib.crc32(right.tobytes()), case.layer


BUDGET = {  # instructions for a value of the input, with the DSP extension
    ("max_pool", 2, 2, 16): 1.1,
    ("max_pool", 3, 2, 32): 1.5,
    ("max_pool", 3, 3, 8): 1.1,
    ("average_pool", 2, 2, 16): 1.5,
    ("average_pool", 2, 2, 64): 1.5,
    ("average_pool", 12, 12, 16): 1.5,
}


BUDGET_OF_PAIRS = {"add": 5.5, "multiply": 14.5, "maximum": 3.5}  # for a value of the output


@pytest.mark.emulator
def test_kernels_keep_to_their_budgets_on_an_m4(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    models = [plain_pool(rng, *key) for key in BUDGET]
    models += [elementwise.plain(name, 100, 32) for name in BUDGET_OF_PAIRS]
    layers = [layers_of(model)[0] for model in models]
    cases = [
        Case(
            layer,
            tuple(codes((x.time, x.channels), rng) for x in layer.inputs),
            (layer.output.time,),
        )
        for layer in layers
    ]
    (core,) = (core for core in CORES if core.kernels is DSP and not core.traps)
    counts = [instructions for _, instructions in run_on_core(cases, core, tmp_path)]
    sizes = [layer.inputs[0].size for layer in layers]  # of a pair it is the output's as well
    budgets = (BUDGET | BUDGET_OF_PAIRS).items()
    for (key, most), count, size in zip(budgets, counts, sizes, strict=True):
        assert count / size <= most, key
