"""Reading flatbuffers: what is read, and that no damage ends in a traceback or a hang."""

import random
import re

import numpy as np
import pytest
import tflite

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Graph, Node, Quantization, Tensor
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.ops import checks
from dynadeep.codegen.plan import plan_model
from dynadeep.codegen.tflite import read_graph

from .models import manifest_for, small_encoder
from .tflite_builder import INT8, ModelBuilder, TensorSpec

NET = small_encoder()
CONTENT = NET.model.build()
MANIFEST = manifest_for(NET, CONTENT)
NODE = Node(0, "MEAN", (), ())


def activation_of(shape: tuple[int, ...]) -> Tensor:
    return Tensor(0, "x", shape, "INT8", Quantization((0.1,), (0,)))


def read_damaged(content: bytes) -> Graph | None:
    """Read and plan what may be damaged; only a ModelError may come out."""
    try:
        graph = read_graph(content)
        plan_model(content, MANIFEST)
    except ModelError as error:
        if "\n" in str(error):
            raise
        return None
    return graph


def test_operators_come_with_their_tensors_and_options() -> None:
    node = read_graph(CONTENT).nodes[1]
    assert node.kind == "CONV_2D"
    assert node.layer == "conv1"
    assert node.outputs[0].shape == (1, 1, 40, 3)
    assert node.options["StrideW"] == 1


def test_constants_keep_their_values() -> None:
    weights = read_graph(CONTENT).nodes[1].inputs[1]
    spec = next(spec for spec in NET.model.tensors if spec.name == "conv1/weights")
    assert weights is not None
    assert weights.data is not None
    np.testing.assert_array_equal(weights.data, spec.data)


def test_scales_are_float32_values() -> None:
    tensor = read_graph(CONTENT).nodes[1].outputs[0]
    assert tensor.scale == float(np.float32(0.05))


def test_every_truncation_is_one_clear_error() -> None:
    for length in [*range(40), *range(40, len(CONTENT), 97), len(CONTENT) - 1]:
        with pytest.raises(ModelError, match=r"model\.tflite: "):
            read_graph(CONTENT[:length])


def test_flipped_bits_never_end_in_a_traceback() -> None:
    chance = random.Random(1)
    for _ in range(150):
        damaged = bytearray(CONTENT)
        for _ in range(chance.choice((1, 1, 4))):
            damaged[chance.randrange(8, len(damaged))] ^= 1 << chance.randrange(8)
        read_damaged(bytes(damaged))


def test_overwritten_words_never_end_in_a_traceback() -> None:
    chance = random.Random(2)
    for _ in range(150):
        damaged = bytearray(CONTENT)
        at = chance.randrange(0, len(damaged) - 4) & ~3
        word = chance.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, len(CONTENT)))
        damaged[at : at + 4] = word.to_bytes(4, "little")
        read_damaged(bytes(damaged))


def test_random_bytes_behind_the_identifier_are_refused() -> None:
    chance = random.Random(3)
    for _ in range(100):
        garbage = chance.randbytes(4) + b"TFL3" + chance.randbytes(200)
        assert read_damaged(garbage) is None


def test_a_file_that_is_not_tflite_says_so() -> None:
    with pytest.raises(ModelError, match="not a TFLite file"):
        read_graph(b"PK\x03\x04 a zip file")


def test_an_empty_file_says_so() -> None:
    with pytest.raises(ModelError, match=r"not a TFLite file \(0 bytes"):
        read_graph(b"")


def test_another_schema_version_is_refused() -> None:
    builder = small_encoder().model
    builder.version = 2
    with pytest.raises(ModelError, match="schema version is 2"):
        read_graph(builder.build())


def test_messages_call_the_file_as_the_user_does() -> None:
    with pytest.raises(ModelError, match=r"^my/net\.tflite: not a TFLite file"):
        read_graph(b"", "my/net.tflite")


def test_all_inputs_are_read() -> None:
    builder = small_encoder().model
    builder.inputs = [0, builder.tensor(TensorSpec("more", (1, 1, 40, 1)))]
    assert [tensor.name for tensor in read_graph(builder.build()).inputs] == ["segment", "more"]


@pytest.mark.parametrize(("end", "listed"), [("inputs", []), ("outputs", []), ("inputs", [0, 0])])
def test_ends_that_are_missing_or_listed_twice_are_refused(end: str, listed: list[int]) -> None:
    builder = small_encoder().model
    setattr(builder, end, listed)
    with pytest.raises(ModelError, match=f"has no {end[:-1]}|lists one of its {end} twice"):
        read_graph(builder.build())


@pytest.mark.parametrize("shape", [(1, 1, 40, 1), (0, 1, 40, 1), (-1, 1, 40, 1)])
def test_an_open_batch_is_one(shape: tuple[int, ...]) -> None:
    builder = small_encoder().model
    builder.tensors[0].shape = shape
    builder.tensors[0].signature = (-1, 1, 40, 1)
    assert read_graph(builder.build()).input.shape == (1, 1, 40, 1)


def test_an_open_length_is_refused_by_name() -> None:
    builder = small_encoder().model
    builder.tensors[0].signature = (1, 1, -1, 1)
    with pytest.raises(ModelError, match=r'"segment" has the dynamic shape .*fixed length'):
        read_graph(builder.build())


@pytest.mark.parametrize(
    "shape", [(1, 40, 3), (1, 1, 40, 3), (1, 40, 1, 3), (40, 3), (1, 1, 1, 40, 3)]
)
def test_a_series_may_have_its_time_anywhere(shape: tuple[int, ...]) -> None:
    tensor = checks.series(NODE, activation_of(shape))
    assert (tensor.time, tensor.channels) == (40, 3)
    assert shape[checks.time_axis(tensor)] == 40


def test_one_step_is_a_series_too() -> None:
    tensor = checks.series(NODE, activation_of((1, 7)))
    assert (tensor.time, tensor.channels, checks.time_axis(tensor)) == (1, 7, 0)


def test_a_picture_and_a_batch_are_refused_with_their_shape() -> None:
    for shape in ((1, 8, 8, 3), (2, 40, 3)):
        with pytest.raises(ModelError, match=rf"{re.escape(str(list(shape)))}.*one-dimensional"):
            checks.series(NODE, activation_of(shape))


def test_all_operators_that_cannot_run_are_named_at_once() -> None:
    model = ModelBuilder()
    at = [model.tensor(TensorSpec(name, (1, 1, 9, 1))) for name in ("x", "a/one", "two", "b/three")]
    model.op(tflite.BuiltinOperator.RFFT2D, at[:1], at[1:2])
    model.op(tflite.BuiltinOperator.LOGISTIC, at[1:2], at[2:3])  # of another scale than it must be
    model.op(tflite.BuiltinOperator.RFFT2D, at[2:3], at[3:])
    model.inputs, model.outputs = at[:1], at[3:]
    with pytest.raises(ModelError) as caught:
        lower(read_graph(model.build(), "net.tflite"))
    message = str(caught.value)
    assert message.startswith("net.tflite: 3 operators cannot run.")
    assert (
        'op 0 RFFT2D, layer "a", tensor "a/one"; op 2 RFFT2D, layer "b", tensor "b/three": '
        in message
    )
    assert 'op 1 LOGISTIC, layer "two", tensor "two": its output ' in message
    assert message.count("it is not supported") == 1


def test_a_constant_of_the_wrong_size_is_refused_by_name() -> None:
    builder = small_encoder().model
    spec = next(spec for spec in builder.tensors if spec.name == "conv2/weights")
    spec.data = np.zeros(7, np.int8)
    with pytest.raises(ModelError, match='"conv2/weights" has 7 bytes, its shape needs 75'):
        read_graph(builder.build())


def test_a_scale_that_is_no_number_is_refused_by_name() -> None:
    builder = small_encoder().model
    builder.tensors[0].scales = (float("nan"),)
    with pytest.raises(ModelError, match='"segment" has a scale'):
        read_graph(builder.build())


def test_an_operator_that_reads_what_nothing_wrote_is_refused() -> None:
    builder = small_encoder().model
    orphan = builder.tensor(TensorSpec("orphan", (1, 1, 40, 1), INT8))
    builder.ops[0].inputs[0] = orphan
    with pytest.raises(ModelError, match=r'op 0 PAD, layer "conv1".*reads "orphan"'):
        read_graph(builder.build())


def test_a_tensor_index_out_of_range_is_refused() -> None:
    builder: ModelBuilder = small_encoder().model
    builder.ops[0].inputs[0] = 9999
    with pytest.raises(ModelError, match="names tensor 9999 of"):
        read_graph(builder.build())
