"""Operators that pool, reduce and move: what they become, and what they refuse."""

from collections.abc import Callable

import numpy as np
import pytest
import tflite

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.layers import Window
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from tests.codegen.tflite_builder import INT8, OPS, ModelBuilder, TensorSpec
from tests.firmware.moving import OneOperator

Make = Callable[[OneOperator], ModelBuilder]


def operator() -> OneOperator:
    return OneOperator(np.random.default_rng(0))


def windows_of(model: ModelBuilder) -> tuple[Window, ...]:
    (layer,) = lower(read_graph(model.build())).layers
    return layer.windows


def concatenation(op: OneOperator, *, scale: float | None = None) -> ModelBuilder:
    inputs = [op.series((1, 4, 2)), op.series((1, 4, 3), scale)]
    return op.add(OPS.CONCATENATION, inputs, [op.series((1, 4, 5))], Axis=2)


def pool(op: OneOperator, height: int, width: int, output: tuple[int, ...]) -> ModelBuilder:
    return op.unary(
        OPS.MAX_POOL_2D,
        (1, 1, 8, 2),
        [],
        output,
        FilterHeight=height,
        FilterWidth=width,
        StrideW=2,
        Padding=tflite.Padding.VALID,
    )


def padv2(op: OneOperator, value: TensorSpec) -> ModelBuilder:
    inputs = [op.series((1, 4, 2)), op.integers([[0, 0], [1, 1], [0, 0]]), op.model.tensor(value)]
    return op.add(OPS.PADV2, inputs, [op.series((1, 6, 2))])


def sliced(op: OneOperator, **options: int) -> ModelBuilder:
    numbers: list[object] = [[0, 0, 0], [1, 4, 2], [1, -1, 1]]
    return op.unary(OPS.STRIDED_SLICE, (1, 4, 2), numbers, (1, 4, 2), **options)


def split(op: OneOperator, axis: int) -> ModelBuilder:
    outputs = [op.series((1, 2, 2)) for _ in range(2)]
    return op.add(OPS.SPLIT, [op.integers(axis), op.series((1, 5, 2))], outputs, NumSplits=2)


def stacked(op: OneOperator) -> ModelBuilder:
    inputs = [op.series((1, 4)), op.series((1, 4))]
    return op.add(OPS.PACK, inputs, [op.series((1, 2, 4))], Axis=1, ValuesCount=2)


REFUSED: dict[str, tuple[Make, str]] = {
    "a pool across a second dimension": (
        lambda op: pool(op, 2, 2, (1, 1, 4, 2)),
        "windows of 2 steps, 2 apart, and 2 across cannot make",
    ),
    "a pool wider than its input": (
        lambda op: pool(op, 1, 9, (1, 1, 1, 2)),
        "windows of 9 steps, 2 apart.*Pool along time alone",
    ),
    "a concatenation that would have to rescale": (
        lambda op: concatenation(op, scale=0.5),
        "differ in scale or zero point",
    ),
    "a concatenation whose steps differ": (
        lambda op: op.add(
            OPS.CONCATENATION,
            [op.series((1, 4, 2)), op.series((1, 5, 2))],
            [op.series((1, 4, 4))],
            Axis=2,
        ),
        r"\[\[1, 4, 2\], \[1, 5, 2\]\] on axis 2 do not make \[1, 4, 4\]",
    ),
    "a stack of two": (stacked, "stacks 2 tensors.*Only one can be: concatenate them"),
    "steps backward": (sliced, "its stride 1 is -1. Only steps forward"),
    "a slice of nothing": (
        lambda op: op.unary(
            OPS.STRIDED_SLICE, (1, 4, 2), [[0, 3, 0], [1, 2, 2], [1, 1, 1]], (1, 1, 2)
        ),
        "it takes 3 to 2 of a dimension of 4",
    ),
    "a slice beyond the end": (
        lambda op: op.unary(OPS.SLICE, (1, 4, 2), [[0, 3, 0], [1, 2, 2]], (1, 2, 2)),
        r"it takes \[1, 2, 2\] from \[0, 3, 0\] on",
    ),
    "parts that do not add up": (
        lambda op: split(op, 1),
        r"\[1, 5, 2\] on axis 1 does not come apart into \[2, 2\]",
    ),
    "an axis that is not there": (lambda op: split(op, 3), "its axis is 3"),
    "a mean of its own axis": (
        lambda op: op.unary(OPS.MEAN, (1, 4, 2), [[1]], (1, 3)),
        r"over the axes \[1\] is not \[1, 3\]",
    ),
    "a sum": (
        lambda op: op.unary(OPS.SUM, (1, 4, 2), [[1]], (1, 2)),
        "clamps to the codes of uint8",
    ),
    "a padding of another scale": (
        lambda op: padv2(op, TensorSpec("v", (1,), scales=(9.0,), data=np.zeros(1, np.int8))),
        "differ in scale or zero point",
    ),
    "a padding of two values": (
        lambda op: padv2(op, TensorSpec("v", (2,), data=np.zeros(2, np.int8))),
        "the value that it pads with is not one INT8 constant",
    ),
    "a mirror longer than the input": (
        lambda op: op.unary(OPS.MIRROR_PAD, (1, 4, 2), [[[0, 0], [4, 0], [0, 0]]], (1, 8, 2)),
        "it mirrors 4 and 0 of 4 steps",
    ),
    "a mirror of channels": (
        lambda op: op.unary(OPS.MIRROR_PAD, (1, 4, 2), [[[0, 0], [0, 0], [1, 0]]], (1, 4, 3)),
        r"and \(1, 0\) channels.*Mirror along time alone",
    ),
    "an order that does not fit": (
        lambda op: op.unary(OPS.TRANSPOSE, (1, 4, 2), [[0, 2, 1]], (1, 4, 2)),
        r"in the order \[0, 2, 1\] is not \[1, 4, 2\]",
    ),
    "a size that is not the output's": (
        lambda op: op.unary(OPS.RESIZE_NEAREST_NEIGHBOR, (1, 1, 4, 2), [[1, 9]], (1, 1, 8, 2)),
        r"resized to \(1, 9\) is not \[1, 1, 8, 2\]",
    ),
    "steps that float32 rounds otherwise": (
        lambda op: op.unary(OPS.RESIZE_NEAREST_NEIGHBOR, (1, 1, 2, 1), [[1, 82]], (1, 1, 82, 1)),
        "it resizes 2 steps to 82, of which float32 rounds some.*by a smaller integer factor",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_kernels_cannot_do_is_refused_with_what_to_do(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises(ModelError, match=rf'op 0 [A-Z0-9_]+, layer "\w+".*{message}'):
        lower(read_graph(make(operator()).build()))


def test_a_computed_operand_is_refused_by_what_it_is() -> None:
    op = operator()
    axes = op.model.tensor(TensorSpec("axes", (1,), INT8))
    model = op.add(OPS.MEAN, [op.series((1, 4, 2)), axes], [op.series((1, 2))])
    with pytest.raises(ModelError, match="its axes is not an INT32 constant"):
        lower(read_graph(model.build()))


WINDOWS: dict[str, tuple[Make, tuple[Window, ...]]] = {
    "a mean over time reads all of it": (
        lambda op: op.unary(OPS.MEAN, (1, 6, 2), [[1]], (1, 2)),
        (Window(6, 6, 0),),
    ),
    "a mean over channels reads a step": (
        lambda op: op.unary(OPS.MEAN, (1, 6, 2), [[2]], (1, 6, 1), KeepDims=True),
        (Window(1, 1, 0),),
    ),
    "a concatenation reads a step of each": (concatenation, (Window(1, 1, 0), Window(1, 1, 0))),
    "a slice begins later": (
        lambda op: op.unary(OPS.SLICE, (1, 6, 2), [[0, 2, 0], [1, 3, 2]], (1, 3, 2)),
        (Window(1, 1, -2),),
    ),
    "a resize reads each step three times": (
        lambda op: op.unary(OPS.RESIZE_NEAREST_NEIGHBOR, (1, 1, 4, 2), [[1, 12]], (1, 1, 12, 2)),
        (Window(1, 1, 0, 3),),
    ),
    "a reshape reads the steps that it cuts": (
        lambda op: op.unary(OPS.RESHAPE, (1, 6, 4), [[1, 4, 6]], (1, 4, 6)),
        (Window(2, 6, 0, 4),),
    ),
    "a transposition reads all, always": (
        lambda op: op.unary(OPS.TRANSPOSE, (1, 6, 4), [[0, 2, 1]], (1, 4, 6)),
        (Window(6, 0, 0),),
    ),
}


@pytest.mark.parametrize("case", WINDOWS)
def test_a_layer_says_what_it_reads(case: str) -> None:
    make, windows = WINDOWS[case]
    assert windows_of(make(operator())) == windows


def test_only_the_parts_that_are_read_are_made() -> None:
    op = operator()
    outputs = [op.series((1, 2, 2)) for _ in range(3)]
    model = op.add(OPS.SPLIT, [op.integers(1), op.series((1, 6, 2))], outputs, NumSplits=3)
    model.outputs = outputs[1:2]
    network = lower(read_graph(model.build()))
    assert [layer.output.name for layer in network.layers] == ["t1"]
    assert network.unread == ("t0", "t2")


@pytest.mark.parametrize("count", [9, 20])
def test_a_concatenation_may_have_more_inputs_than_most_layers(count: int) -> None:
    op = operator()
    inputs = [op.series((1, 2, 1)) for _ in range(count)]
    model = op.add(OPS.CONCATENATION, inputs, [op.series((1, 2, count))], Axis=-1)
    (layer,) = lower(read_graph(model.build())).layers
    assert layer.words == f"concatenation of {count}"
