"""What converters write, brought into the forms that the operators' readers know."""

from pathlib import Path

import numpy as np
import pytest
import tflite

from dynadeep.codegen.canonical import canonical, ends
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Graph
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph

from .tflite_builder import FLOAT32, INT32, OPS, ModelBuilder, TensorSpec

DATA = Path(__file__).parents[1] / "data"


def graph_of(name: str) -> Graph:
    return canonical(read_graph((DATA / name).read_bytes(), name))


def kinds(graph: Graph) -> list[str]:
    return [node.kind for node in graph.nodes]


def test_shapes_that_an_open_batch_leaves_to_run_time_are_computed() -> None:
    operators = kinds(graph_of("keras/flatten_dense.tflite"))
    assert {"SHAPE", "STRIDED_SLICE", "PACK"}.isdisjoint(operators)
    reshape = [n for n in graph_of("keras/flatten_dense.tflite").nodes if n.kind == "RESHAPE"][-1]
    assert reshape.inputs[1].data.tolist() == [1, 60]


def test_a_dense_layer_over_time_gets_the_steps_that_the_file_leaves_open() -> None:
    graph = graph_of("keras/dense3d.tflite")
    dense = [node for node in graph.nodes if node.kind == "FULLY_CONNECTED"]
    assert [node.outputs[0].shape for node in dense] == [(16, 8), (16, 4)]
    assert (graph.outputs[0].time, graph.outputs[0].channels) == (16, 4)


@pytest.mark.parametrize(("name", "dilations"), [("causal", [2, 4]), ("samedil", [3])])
def test_batches_of_every_nth_step_are_a_dilated_convolution(
    name: str, dilations: list[int]
) -> None:
    graph = graph_of(f"keras/{name}.tflite")
    convolutions = [node for node in graph.nodes if node.kind == "CONV_2D"]
    assert [node.options["DilationWFactor"] for node in convolutions] == dilations
    assert {"SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"}.isdisjoint(kinds(graph))


def test_an_input_that_is_cut_into_steps_may_be_read_by_batches_of_every_nth_step() -> None:
    model = ModelBuilder()
    sizes = {"x": (1, 2, 1, 10), "steps": (1, 10, 1, 2), "batches": (2, 7, 1, 2)}
    sizes |= {"sums": (2, 5, 1, 2), "y": (1, 10, 1, 2)}
    x, steps, batches, sums, y = (model.tensor(TensorSpec(*item)) for item in sizes.items())
    weights = TensorSpec("w", (2, 3, 1, 2), data=np.ones((2, 3, 1, 2), np.int8))
    bias = TensorSpec("b", (2,), INT32, scales=(1.0,), data=np.zeros(2, np.int32))
    block, borders = constant(model, 2, 1), constant(model, [4, 0], [0, 0])
    model.op(OPS.RESHAPE, [x, constant(model, 1, 10, 1, 2)], [steps])
    model.op(OPS.SPACE_TO_BATCH_ND, [steps, block, borders], [batches])
    model.op(
        OPS.CONV_2D, [batches, model.tensor(weights), model.tensor(bias)], [sums],
        Padding=1, StrideW=1, StrideH=1, DilationWFactor=1, DilationHFactor=1,
    )  # fmt: skip
    model.op(OPS.BATCH_TO_SPACE_ND, [sums, block, constant(model, [0, 0], [0, 0])], [y])
    model.inputs, model.outputs = [x], [y]
    network = lower(read_graph(model.build()))
    (convolution,) = network.layers
    assert convolution.inputs[0].name == network.input.name == "x"
    assert network.input.shape == (1, 10, 1, 2)


def test_causal_padding_and_zero_padding_become_the_convolutions_border() -> None:
    for name in ("causal", "zeropad"):
        content = (DATA / "keras" / f"{name}.tflite").read_bytes()
        layers = lower(read_graph(content)).layers
        assert not [layer for layer in layers if "pad" in layer.words]


def test_steps_that_are_tiled_are_resized() -> None:
    assert "RESIZE_NEAREST_NEIGHBOR" in kinds(graph_of("keras/up.tflite"))
    assert "TILE" not in kinds(graph_of("keras/repeat.tflite"))


def test_a_function_in_float_is_one_between_int8_tensors() -> None:
    graph = graph_of("operators/elu.tflite")
    assert kinds(graph) == ["CONV_2D", "ELU"]
    assert graph.nodes[1].inputs[0].type == graph.nodes[1].outputs[0].type == "INT8"


def test_float_ends_are_stripped_and_remembered() -> None:
    graph = graph_of("operators/float_in_out.tflite")
    assert kinds(graph) == ["CONV_2D"]
    assert [graph.file_ends[end.index].type for end in (*graph.inputs, *graph.outputs)] == [
        "FLOAT32",
        "FLOAT32",
    ]


def test_a_float_input_that_two_operators_read_stays_and_is_refused() -> None:
    model = ModelBuilder()
    source = model.tensor(TensorSpec("x", (1, 9, 1), FLOAT32, ()))
    codes = [model.tensor(TensorSpec(name, (1, 9, 1))) for name in ("one", "two")]
    for tensor in codes:
        model.op(OPS.QUANTIZE, [source], [tensor])
    model.inputs, model.outputs = [source], codes
    with pytest.raises(ModelError, match='"x" is FLOAT32, expected INT8'):
        ends(model.build())


def constant(model: ModelBuilder, *values: int | list[int]) -> int:
    data = np.array(values, np.int32)
    return model.tensor(TensorSpec(f"c{len(model.tensors)}", data.shape, INT32, (), data=data))


@pytest.mark.parametrize(
    ("code", "values", "message"),
    [
        (OPS.FILL, ([1 << 30], [7]), "1073741824 values"),
        (OPS.GATHER, ([1, 2], [5]), "out of bounds"),
        (OPS.RESHAPE, ([1, 2, 3], [2, 2]), "cannot reshape"),
        (OPS.FLOOR_DIV, ([1], [0]), ""),
    ],
)
def test_constants_that_do_not_fit_together_are_refused_and_not_made(
    code: int, values: tuple[list[int], list[int]], message: str
) -> None:
    model = ModelBuilder()
    source = model.tensor(TensorSpec("x", (1, 9, 1)))
    shape = model.tensor(TensorSpec("shape", (1,), INT32, ()))
    output = model.tensor(TensorSpec("y", (1, 9, 1)))
    model.op(code, [constant(model, *value) for value in values], [shape])
    model.op(OPS.RESHAPE, [source, shape], [output])
    model.inputs, model.outputs = [source], [output]
    with np.errstate(all="ignore"), pytest.raises(ModelError, match=rf"net\.tflite: .*{message}"):
        lower(read_graph(model.build(), "net.tflite"))


def test_a_length_that_stays_open_is_refused_by_operator() -> None:
    model = ModelBuilder()
    source = model.tensor(TensorSpec("x", (1, 9, 1)))
    output = model.tensor(TensorSpec("y", (1, 1, 1), signature=(1, -1, 1)))
    model.op(tflite.BuiltinOperator.WHERE, [source], [output])
    model.inputs, model.outputs = [source], [output]
    with pytest.raises(ModelError, match=r'op 0 WHERE.*"y" has the dynamic shape \[1, -1, 1\]'):
        canonical(read_graph(model.build()))
