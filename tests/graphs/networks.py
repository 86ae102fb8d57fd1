"""Random networks over all operators, as .tflite files.

A network is drawn as a few numbers a step, so that a failing one shrinks; its weights come from a
seed.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import hypothesis
import numpy as np
import numpy.typing as npt
import tflite
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.codegen.tflite_builder import FLOAT32, INT8, ModelBuilder, TensorSpec
from tests.graphs.canvas import OPS, Canvas, Codes, Form, Shape
from tests.graphs.draws import DRAWS
from tests.graphs.draws.blocks import BLOCKS
from tests.graphs.draws.draw import Draw, any_of, often

UINT8 = tflite.TensorType.UINT8
Int8s = npt.NDArray[np.int8]
Names = Literal["all", "one", "none"]

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
"""What hypothesis says of an example that a whole engine runs on, which is no fault."""

Ends = Literal["int8", "float32", "uint8"]


@dataclass(frozen=True)
class Step:
    """An operator in a network."""

    back: int  # how many tensors ahead of the last one its input is
    draw: Draw
    output: bool  # what it makes is an output of the network


@dataclass(frozen=True)
class Drawn:
    """A network as it was drawn."""

    inputs: tuple[tuple[int, int], ...]  # steps and channels of each
    steps: tuple[Step, ...]
    form: Form
    expands: bool
    flat: bool  # the outputs are reshaped to one dimension
    ends: Ends  # what inputs and outputs are
    input_scale: float
    any_batch: bool  # the shapes' signature leaves the batch open
    names: Names  # of the tensors: one each, all the same, none
    seed: int  # of weights, biases, zero points and inputs

    def content(self) -> bytes:
        """Return the .tflite file."""
        return build(self).build()

    def codes(self) -> tuple[Int8s, ...]:
        """Return the inputs, each [time, channels]."""
        rng = np.random.default_rng([self.seed, 1])
        return tuple(rng.integers(-128, 128, size).astype(np.int8) for size in self.inputs)


@dataclass(frozen=True)
class Streaming:
    """How a network is streamed."""

    tile: int  # 0: the kernel set's own
    pushes: tuple[int, ...]  # values that come at a time, again and again


def build(drawn: Drawn) -> ModelBuilder:
    """Draw a network's .tflite file."""
    canvas = Canvas(np.random.default_rng(drawn.seed), drawn.form, drawn.expands)
    for number, size in enumerate(drawn.inputs):
        canvas.readable.append(_input(canvas, drawn, f"input{number}", size))
    outputs: list[int] = []
    for step in drawn.steps:
        tensors = list(step.draw.add(canvas, canvas.pick(step.back)))
        canvas.readable += tensors
        outputs += tensors if step.output else []
    canvas.model.outputs = [_output(canvas, drawn, at) for at in outputs or canvas.readable[-1:]]
    _describe(canvas, drawn)
    return canvas.model


def _input(canvas: Canvas, drawn: Drawn, name: str, size: tuple[int, int]) -> int:
    shape, codes = canvas.whole_shape(*size), canvas.any_codes(drawn.input_scale)
    source = canvas.model.tensor(_end(drawn, name, shape, codes))
    canvas.model.inputs.append(source)
    return source if drawn.ends == "int8" else canvas.op(OPS.QUANTIZE, [source], shape, codes)


def _output(canvas: Canvas, drawn: Drawn, at: int) -> int:
    if drawn.flat:
        at = canvas.reshaped(at, (1, math.prod(canvas.shape(at))))
    if drawn.ends == "int8":
        return at
    name = f"t{len(canvas.model.tensors)}"
    output = canvas.model.tensor(_end(drawn, name, canvas.shape(at), canvas.codes(at)))
    code = OPS.DEQUANTIZE if drawn.ends == "float32" else OPS.QUANTIZE
    canvas.model.op(code, [at], [output])
    return output


def _end(drawn: Drawn, name: str, shape: Shape, codes: Codes) -> TensorSpec:
    """Return an input or output; of uint8 the codes are 128 higher, for the same values."""
    if drawn.ends == "float32":
        return TensorSpec(name, shape, FLOAT32, (), ())
    higher = 128 if drawn.ends == "uint8" else 0
    kind = UINT8 if drawn.ends == "uint8" else INT8
    return TensorSpec(name, shape, kind, (codes.scale,), (codes.zero_point + higher,))


def _describe(canvas: Canvas, drawn: Drawn) -> None:
    """Give the tensors the names and signatures that were drawn."""
    for spec in canvas.model.tensors:
        if drawn.names != "all":
            spec.name = "t" if drawn.names == "one" else ""
        if drawn.any_batch and spec.data is None and spec.shape[0] == 1:
            spec.signature = (-1, *spec.shape[1:])


SIZES = any_of(
    st.tuples(st.integers(1, 24), st.sampled_from((1, 1, 2, 3, 7, 16))),
    st.tuples(st.integers(1, 80), st.sampled_from((1, 1, 2, 3, 7, 16))),
    st.tuples(st.integers(1, 500), st.integers(1, 3)),
    st.tuples(st.integers(1, 40), st.integers(1, 70)),
)


def steps_of(draws: Sequence[st.SearchStrategy[Draw]]) -> st.SearchStrategy[Step]:
    """Return steps of some operators."""
    return st.builds(
        Step,
        back=often(0, st.integers(0, 6)),
        draw=any_of(*draws),
        output=st.sampled_from((False, False, False, True)),
    )


def networks_of(steps: st.SearchStrategy[Step]) -> st.SearchStrategy[Drawn]:
    """Return networks of one to eight steps."""
    return st.builds(
        Drawn,
        inputs=any_of(*[st.tuples(SIZES)] * 7, st.tuples(SIZES, SIZES)),
        steps=st.lists(steps, min_size=1, max_size=8).map(tuple),
        form=st.sampled_from(("1TC", "11TC", "1T1C")),
        expands=st.booleans(),
        flat=st.booleans(),
        ends=often("int8", st.sampled_from(("float32", "uint8"))),
        input_scale=often(0.02, st.floats(-20, 15).map(lambda x: 2.0**x)),
        any_batch=st.sampled_from((False, False, False, True)),
        names=st.sampled_from(("all", "all", "one", "none")),
        seed=st.integers(0, 1 << 30),
    )


def only(operators: Iterable[str]) -> st.SearchStrategy[Drawn]:
    """Return networks of some operators, and of what it takes to use them."""
    return networks_of(steps_of([DRAWS[name] for name in operators]))


NETWORKS = networks_of(steps_of([*DRAWS.values(), *[DRAWS["CONV_2D"]] * 3, *BLOCKS * 2]))
STREAMINGS = st.builds(
    Streaming,
    tile=st.integers(0, 13),
    pushes=st.lists(st.integers(1, 90), min_size=1, max_size=5).map(tuple),
)


def generating(count: int) -> settings:
    """Return the settings of a run that tries ``count`` examples, shrinks none and keeps none."""
    return settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def sample(
    networks: st.SearchStrategy[Drawn], count: int, seed: int
) -> list[tuple[Drawn, Streaming]]:
    """Return ``count`` random networks, the same ones for the same seed."""
    drawn: list[tuple[Drawn, Streaming]] = []

    @hypothesis.seed(seed)
    @generating(count)
    @given(network=networks, streaming=STREAMINGS)
    def draw(network: Drawn, streaming: Streaming) -> None:
        drawn.append((network, streaming))

    draw()
    return drawn
