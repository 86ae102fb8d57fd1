"""A file in pieces, for networks with an operator that has no reference kernel."""

from dynadeep.export import flatbuffer
from dynadeep.export.op_by_op import pieces
from tests.codegen.tflite_builder import OPS, ModelBuilder, TensorSpec

SCALES = ((0.07, 3), (0.031, -20), (0.05, 10))


def model(*codes: int) -> bytes:
    """Return operators behind each other, each of one input and one output of another scale."""
    builder = ModelBuilder()
    for i in range(len(codes) + 1):
        scale, zero_point = SCALES[i]
        spec = TensorSpec(f"t{i}", (1, 256, 1), scales=(scale,), zero_points=(zero_point,))
        builder.tensor(spec)
    for i, code in enumerate(codes):
        builder.op(code, [i], [i + 1])
    builder.inputs, builder.outputs = [0], [len(codes)]
    return builder.build()


def test_a_piece_holds_its_own_operator_and_no_other_code() -> None:
    models = [flatbuffer.parse(piece.content) for piece in pieces(model(OPS.HARD_SWISH, OPS.ELU))]
    codes = [[code.builtinCode for code in single.operatorCodes] for single in models]
    assert codes == [[OPS.HARD_SWISH], [OPS.ELU]]
