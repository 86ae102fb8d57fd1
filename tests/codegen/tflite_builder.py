"""Build small .tflite files for the tests, odd and broken ones included."""

from dataclasses import dataclass, field

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite

INT8 = tflite.TensorType.INT8
INT32 = tflite.TensorType.INT32
INT16 = tflite.TensorType.INT16
FLOAT32 = tflite.TensorType.FLOAT32
OPS = tflite.BuiltinOperator
Option = bool | int | float | tuple[int, ...]

VERSIONS = {
    **dict.fromkeys((OPS.RESHAPE, OPS.PRELU, OPS.HARD_SWISH, OPS.ELU, OPS.EXPAND_DIMS), 1),
    **dict.fromkeys((OPS.RELU_N1_TO_1, OPS.RELU_0_TO_1), 1),
    **dict.fromkeys((OPS.GELU, OPS.EXP), 2),
    **dict.fromkeys((OPS.PAD, OPS.QUANTIZE, OPS.DEQUANTIZE, OPS.LOGISTIC, OPS.RELU), 2),
    **dict.fromkeys((OPS.RELU6, OPS.TANH, OPS.ADD, OPS.SUB, OPS.MUL, OPS.MEAN, OPS.SOFTMAX), 2),
    **dict.fromkeys((OPS.MAX_POOL_2D, OPS.AVERAGE_POOL_2D, OPS.CONCATENATION, OPS.SPLIT), 2),
    **dict.fromkeys((OPS.MINIMUM, OPS.MAXIMUM, OPS.REDUCE_MAX, OPS.TRANSPOSE, OPS.LEAKY_RELU), 2),
    **dict.fromkeys((OPS.STRIDED_SLICE, OPS.RESIZE_NEAREST_NEIGHBOR), 2),
    **dict.fromkeys((OPS.SPACE_TO_BATCH_ND, OPS.BATCH_TO_SPACE_ND), 2),
    **dict.fromkeys((OPS.SQUEEZE, OPS.PACK, OPS.SLICE, OPS.SPLIT_V, OPS.UNPACK), 1),
    **dict.fromkeys((OPS.EXP, OPS.GELU, OPS.RELU_0_TO_1, OPS.RELU_N1_TO_1), 1),
    OPS.FULLY_CONNECTED: 4,
}
"""Versions in which int8 came; 3 where none is given."""


@dataclass
class TensorSpec:
    name: str
    shape: tuple[int, ...]
    type: int = INT8
    scales: tuple[float, ...] = (0.05,)
    zero_points: tuple[int, ...] = (0,)
    axis: int = 0
    data: npt.NDArray[np.generic] | None = None
    signature: tuple[int, ...] | None = None


@dataclass
class OpSpec:
    code: int
    inputs: list[int]
    outputs: list[int]
    options: dict[str, Option] = field(default_factory=dict)


@dataclass
class ModelBuilder:
    """Collect tensors and operators, then write the flatbuffer."""

    tensors: list[TensorSpec] = field(default_factory=list)
    ops: list[OpSpec] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    subgraphs: int = 1
    version: int = 3

    def tensor(self, spec: TensorSpec) -> int:
        self.tensors.append(spec)
        return len(self.tensors) - 1

    def op(self, code: int, inputs: list[int], outputs: list[int], **options: Option) -> None:
        self.ops.append(OpSpec(code, inputs, outputs, options))

    def build(self) -> bytes:
        b = flatbuffers.Builder(4096)
        codes = sorted({op.code for op in self.ops})
        buffers = _vector(b, tflite.ModelStartBuffersVector, self._buffers(b))
        graphs = [self._subgraph(b, codes) for _ in range(self.subgraphs)]
        subgraphs = _vector(b, tflite.ModelStartSubgraphsVector, graphs)
        code_tables = [_operator_code(b, code) for code in codes]
        operator_codes = _vector(b, tflite.ModelStartOperatorCodesVector, code_tables)
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, self.version)
        tflite.ModelAddOperatorCodes(b, operator_codes)
        tflite.ModelAddSubgraphs(b, subgraphs)
        tflite.ModelAddBuffers(b, buffers)
        b.Finish(tflite.ModelEnd(b), b"TFL3")
        return bytes(b.Output())

    def _buffers(self, b: flatbuffers.Builder) -> list[int]:
        tables = [_buffer(b, None)]
        for tensor in self.tensors:
            tables.append(_buffer(b, tensor.data))
        return tables

    def _subgraph(self, b: flatbuffers.Builder, codes: list[int]) -> int:
        tensors = [_tensor(b, i + 1, tensor) for i, tensor in enumerate(self.tensors)]
        ops = [_operator(b, codes.index(op.code), op) for op in self.ops]
        tensor_vector = _vector(b, tflite.SubGraphStartTensorsVector, tensors)
        op_vector = _vector(b, tflite.SubGraphStartOperatorsVector, ops)
        inputs = _ints(b, self.inputs)
        outputs = _ints(b, self.outputs)
        tflite.SubGraphStart(b)
        tflite.SubGraphAddTensors(b, tensor_vector)
        tflite.SubGraphAddInputs(b, inputs)
        tflite.SubGraphAddOutputs(b, outputs)
        tflite.SubGraphAddOperators(b, op_vector)
        return int(tflite.SubGraphEnd(b))


def _vector(b, start, tables):  # type: ignore[no-untyped-def]
    start(b, len(tables))
    for table in reversed(tables):
        b.PrependUOffsetTRelative(table)
    return b.EndVector()


def _ints(b: flatbuffers.Builder, values: list[int] | tuple[int, ...]) -> int:
    return int(b.CreateNumpyVector(np.array(values, np.int32)))


def _buffer(b: flatbuffers.Builder, data: npt.NDArray[np.generic] | None) -> int:
    vector = None
    if data is not None:
        vector = b.CreateNumpyVector(np.frombuffer(data.tobytes(), np.uint8))
    tflite.BufferStart(b)
    if vector is not None:
        tflite.BufferAddData(b, vector)
    return int(tflite.BufferEnd(b))


def _operator_code(b: flatbuffers.Builder, code: int) -> int:
    tflite.OperatorCodeStart(b)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(code, 127))
    tflite.OperatorCodeAddBuiltinCode(b, code)
    tflite.OperatorCodeAddVersion(b, VERSIONS.get(code, 3))
    return int(tflite.OperatorCodeEnd(b))


def _quantization(b: flatbuffers.Builder, spec: TensorSpec) -> int | None:
    if not spec.scales:
        return None
    scale = b.CreateNumpyVector(np.array(spec.scales, np.float32))
    zero_point = b.CreateNumpyVector(np.array(spec.zero_points, np.int64))
    tflite.QuantizationParametersStart(b)
    tflite.QuantizationParametersAddScale(b, scale)
    tflite.QuantizationParametersAddZeroPoint(b, zero_point)
    tflite.QuantizationParametersAddQuantizedDimension(b, spec.axis)
    return int(tflite.QuantizationParametersEnd(b))


def _tensor(b: flatbuffers.Builder, buffer: int, spec: TensorSpec) -> int:
    name = b.CreateString(spec.name)
    shape = _ints(b, spec.shape)
    signature = None if spec.signature is None else _ints(b, spec.signature)
    quantization = _quantization(b, spec)
    tflite.TensorStart(b)
    tflite.TensorAddName(b, name)
    tflite.TensorAddShape(b, shape)
    tflite.TensorAddType(b, spec.type)
    tflite.TensorAddBuffer(b, buffer)
    if quantization is not None:
        tflite.TensorAddQuantization(b, quantization)
    if signature is not None:
        tflite.TensorAddShapeSignature(b, signature)
    return int(tflite.TensorEnd(b))


CONVOLUTION: dict[str, Option] = {
    "StrideW": 1,
    "StrideH": 1,
    "DilationWFactor": 1,
    "DilationHFactor": 1,
}
POOL: dict[str, Option] = {"StrideW": 1, "StrideH": 1, "FilterWidth": 1, "FilterHeight": 1}
OPTIONS: dict[int, tuple[str, dict[str, Option]]] = {
    OPS.ADD: ("AddOptions", {}),
    OPS.AVERAGE_POOL_2D: ("Pool2DOptions", POOL),
    OPS.CONCATENATION: ("ConcatenationOptions", {}),
    OPS.CONV_2D: ("Conv2DOptions", CONVOLUTION),
    OPS.DEPTHWISE_CONV_2D: ("DepthwiseConv2DOptions", {**CONVOLUTION, "DepthMultiplier": 1}),
    OPS.FULLY_CONNECTED: ("FullyConnectedOptions", {}),
    OPS.GELU: ("GeluOptions", {}),
    OPS.LEAKY_RELU: ("LeakyReluOptions", {}),
    OPS.MAX_POOL_2D: ("Pool2DOptions", POOL),
    OPS.MEAN: ("ReducerOptions", {}),
    OPS.MIRROR_PAD: ("MirrorPadOptions", {}),
    OPS.MUL: ("MulOptions", {}),
    OPS.PACK: ("PackOptions", {"ValuesCount": 1}),
    OPS.PAD: ("PadOptions", {}),
    OPS.PADV2: ("PadV2Options", {}),
    OPS.REDUCE_MAX: ("ReducerOptions", {}),
    OPS.REDUCE_MIN: ("ReducerOptions", {}),
    OPS.RESHAPE: ("ReshapeOptions", {}),
    OPS.RESIZE_NEAREST_NEIGHBOR: ("ResizeNearestNeighborOptions", {}),
    OPS.SOFTMAX: ("SoftmaxOptions", {"Beta": 1.0}),
    OPS.SLICE: ("SliceOptions", {}),
    OPS.SPLIT: ("SplitOptions", {}),
    OPS.SPLIT_V: ("SplitVOptions", {}),
    OPS.SQUEEZE: ("SqueezeOptions", {}),
    OPS.STRIDED_SLICE: ("StridedSliceOptions", {}),
    OPS.SUB: ("SubOptions", {}),
    OPS.TRANSPOSE: ("TransposeOptions", {}),
    OPS.UNPACK: ("UnpackOptions", {}),
    OPS.TRANSPOSE_CONV: ("TransposeConvOptions", {"StrideW": 1, "StrideH": 1}),
}


def _operator(b: flatbuffers.Builder, code_index: int, op: OpSpec) -> int:
    inputs, outputs = _ints(b, op.inputs), _ints(b, op.outputs)
    options = None
    if op.code in OPTIONS:
        name, defaults = OPTIONS[op.code]
        options = _options(b, name, {**defaults, **op.options})
    tflite.OperatorStart(b)
    tflite.OperatorAddOpcodeIndex(b, code_index)
    tflite.OperatorAddInputs(b, inputs)
    tflite.OperatorAddOutputs(b, outputs)
    if options is not None:
        tflite.OperatorAddBuiltinOptions(b, options)
        tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, OPTIONS[op.code][0]))
    return int(tflite.OperatorEnd(b))


def _options(b: flatbuffers.Builder, name: str, options: dict[str, Option]) -> int:
    plain = {k: _ints(b, v) if isinstance(v, tuple) else v for k, v in options.items()}
    getattr(tflite, f"{name}Start")(b)
    for key, value in plain.items():
        getattr(tflite, f"{name}Add{key}")(b, value)
    return int(getattr(tflite, f"{name}End")(b))
