"""Random networks of one operator that pools, reduces or moves values."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import tflite

from tests.codegen.tflite_builder import INT32, OPS, ModelBuilder, Option, TensorSpec

Shape = tuple[int, ...]
Rng = np.random.Generator


@dataclass
class OneOperator:
    """One operator on series of one scale and zero point."""

    rng: Rng
    model: ModelBuilder = field(default_factory=ModelBuilder)

    def __post_init__(self) -> None:
        self.scale = float(np.float32(self.rng.uniform(0.01, 0.2)))
        self.zero_point = int(self.rng.integers(-128, 128))

    def series(self, shape: Shape, scale: float | None = None, zero_point: int = 0) -> int:
        """Add a tensor, of another quantisation if a scale is given."""
        name = f"t{len(self.model.tensors)}"
        scales, zeros = (self.scale,), (self.zero_point,)
        if scale is not None:
            scales, zeros = (scale,), (zero_point,)
        return self.model.tensor(TensorSpec(name, shape, scales=scales, zero_points=zeros))

    def integers(self, values: object) -> int:
        data = np.array(values, np.int32)
        name = f"c{len(self.model.tensors)}"
        return self.model.tensor(TensorSpec(name, data.shape, INT32, (), data=data))

    def unary(
        self, code: int, shape: Shape, constants: list[object], out_shape: Shape, **options: Option
    ) -> ModelBuilder:
        """Add the operator: one input, constants behind it, one output of the same scale."""
        source = self.series(shape)
        return self.add(
            code, [source, *map(self.integers, constants)], [self.series(out_shape)], **options
        )

    def add(
        self, code: int, inputs: list[int], outputs: list[int], **options: Option
    ) -> ModelBuilder:
        computed = [i for i in inputs if self.model.tensors[i].data is None]
        self.model.op(code, inputs, outputs, **options)
        self.model.inputs, self.model.outputs = computed, outputs
        return self.model


def placed(rng: Rng, time: int, channels: int) -> Shape:
    """Return a shape of four dimensions with time in the second or third."""
    return (1, 1, time, channels) if rng.integers(2) else (1, time, 1, channels)


def size(rng: Rng, largest: int) -> int:
    return int(rng.integers(1, largest + 1))


def channels_of(rng: Rng) -> int:
    return int(rng.choice([1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 20, 33, 70]))


def pool(rng: Rng, code: int) -> ModelBuilder:
    kernel = int(rng.choice([1, 2, 3, 4, 5, 6, 9, 11, 12, 40, 127, 128, 129, 200]))
    stride, channels = size(rng, 5), channels_of(rng)
    same = bool(rng.integers(2))
    time = size(rng, 30) if same else kernel + size(rng, 20)
    steps = -(-time // stride) if same else (time - kernel) // stride + 1
    shape, out_shape = (1, 1, time, channels), (1, 1, steps, channels)
    names = ("FilterWidth", "StrideW")
    if rng.integers(2):
        shape, out_shape = (1, time, 1, channels), (1, steps, 1, channels)
        names = ("FilterHeight", "StrideH")
    return OneOperator(rng).unary(
        code,
        shape,
        [],
        out_shape,
        Padding=tflite.Padding.SAME if same else tflite.Padding.VALID,
        FusedActivationFunction=int(rng.choice([0, 0, 1, 3])),
        **{names[0]: kernel, names[1]: stride},
    )


def plain_pool(rng: Rng, name: str, kernel: int, stride: int, channels: int) -> ModelBuilder:
    """Return a pool of 240 steps without padding or activation."""
    code = OPS.MAX_POOL_2D if name == "max_pool" else OPS.AVERAGE_POOL_2D
    out_shape = (1, 1, (240 - kernel) // stride + 1, channels)
    valid: dict[str, Option] = {"Padding": tflite.Padding.VALID}
    window: dict[str, Option] = {"FilterWidth": kernel, "StrideW": stride}
    return OneOperator(rng).unary(code, (1, 1, 240, channels), [], out_shape, **valid, **window)


def max_pool(rng: Rng) -> ModelBuilder:
    return pool(rng, OPS.MAX_POOL_2D)


def average_pool(rng: Rng) -> ModelBuilder:
    return pool(rng, OPS.AVERAGE_POOL_2D)


def reduction(rng: Rng, code: int, *, rescale: bool) -> ModelBuilder:
    time, channels = size(rng, 300) if rng.integers(2) else size(rng, 20), channels_of(rng)
    shape: Shape = placed(rng, time, channels) if rng.integers(2) else (1, time, channels)
    rank, along = len(shape), shape.index(time, 1) if time > 1 else 1
    axes = [[along], [rank - 1], [along, rank - 1], [1, 2], [along - rank], [-1]][rng.integers(6)]
    keep = bool(rng.integers(2))
    reduced = {axis % rank for axis in axes}
    reduced_shape = tuple(1 if i in reduced else n for i, n in enumerate(shape))
    out_shape = reduced_shape if keep else tuple(n for i, n in enumerate(shape) if i not in reduced)
    builder = OneOperator(rng)
    output = builder.series(out_shape)
    if rescale:
        scale = builder.scale * float(rng.choice([0.1, 0.7, 1.0, 1.3, 20.0]))
        output = builder.series(out_shape, float(np.float32(scale)), int(rng.integers(-128, 128)))
    source = builder.series(shape)
    return builder.add(code, [source, builder.integers(axes)], [output], KeepDims=keep)


def mean(rng: Rng) -> ModelBuilder:
    return reduction(rng, OPS.MEAN, rescale=True)


def largest(rng: Rng) -> ModelBuilder:
    return reduction(rng, OPS.REDUCE_MAX, rescale=False)


def smallest(rng: Rng) -> ModelBuilder:
    return reduction(rng, OPS.REDUCE_MIN, rescale=False)


def concatenation(rng: Rng) -> ModelBuilder:
    builder, count = OneOperator(rng), size(rng, 8)
    time, channels = size(rng, 20), channels_of(rng)
    if rng.integers(2):
        sizes = [(time, channels_of(rng)) for _ in range(count)]
        axis, out_shape = int(rng.choice([3, -1])), (time, sum(c for _, c in sizes))
    else:
        sizes = [(size(rng, 20), channels) for _ in range(count)]
        axis, out_shape = int(rng.choice([2, -2])), (sum(t for t, _ in sizes), channels)
    inputs = [builder.series((1, 1, *shape)) for shape in sizes]
    return builder.add(OPS.CONCATENATION, inputs, [builder.series((1, 1, *out_shape))], Axis=axis)


def split(rng: Rng) -> ModelBuilder:
    builder, parts = OneOperator(rng), size(rng, 4)
    time, channels = size(rng, 10), channels_of(rng)
    axis = int(rng.choice([1, 2]))
    part = (1, time, channels)
    whole = (1, time * parts, channels) if axis == 1 else (1, time, channels * parts)
    source, along = builder.series(whole), builder.integers(axis)
    outputs = [builder.series(part) for _ in range(parts)]
    return builder.add(OPS.SPLIT, [along, source], outputs, NumSplits=parts)


def split_v(rng: Rng) -> ModelBuilder:
    builder, parts = OneOperator(rng), size(rng, 4)
    time, channels = size(rng, 10), channels_of(rng)
    sizes = [size(rng, 6) for _ in range(parts)]
    along_time = bool(rng.integers(2))
    shapes = [(1, 1, n, channels) if along_time else (1, 1, time, n) for n in sizes]
    whole = (1, 1, sum(sizes), channels) if along_time else (1, 1, time, sum(sizes))
    inputs = [
        builder.series(whole),
        builder.integers(sizes),
        builder.integers(-2 if along_time else -1),
    ]
    return builder.add(
        OPS.SPLIT_V, inputs, [builder.series(shape) for shape in shapes], NumSplits=parts
    )


def unpack(rng: Rng) -> ModelBuilder:
    builder, time, channels = OneOperator(rng), size(rng, 8), size(rng, 8)
    axis = int(rng.choice([0, 1, 2]))
    out_shape = [(time, channels), (1, channels), (1, time)][axis]
    outputs = [builder.series(out_shape) for _ in range((1, time, channels)[axis])]
    source = builder.series((1, time, channels))
    return builder.add(OPS.UNPACK, [source], outputs, Axis=axis, Num=len(outputs))


def padding(rng: Rng) -> ModelBuilder:
    time, channels = size(rng, 20), channels_of(rng)
    shape = placed(rng, time, channels)
    amounts = np.zeros((4, 2), np.int32)
    amounts[shape.index(time, 1) if time > 1 else 2] = rng.integers(0, 6, 2)
    amounts[3] = rng.integers(0, 4, 2) * rng.integers(2)
    out_shape = tuple(int(n) for n in np.array(shape) + amounts.sum(axis=1))
    builder = OneOperator(rng)
    inputs = [builder.series(shape), builder.integers(amounts)]
    if rng.integers(2):
        value = TensorSpec(
            "value", (1,), scales=(builder.scale,), zero_points=(builder.zero_point,)
        )
        value.data = rng.integers(-128, 128, 1).astype(np.int8)
        return builder.add(
            OPS.PADV2, [*inputs, builder.model.tensor(value)], [builder.series(out_shape)]
        )
    return builder.add(OPS.PAD, inputs, [builder.series(out_shape)])


def mirror_pad(rng: Rng) -> ModelBuilder:
    edge = int(rng.integers(2))  # 0: reflect, 1: symmetric
    time, channels = size(rng, 12) + 1, channels_of(rng)
    before, after = (int(n) for n in rng.integers(0, time + edge, 2))
    amounts = [[0, 0], [before, after], [0, 0]]
    out_shape = (1, before + time + after, channels)
    return OneOperator(rng).unary(
        OPS.MIRROR_PAD, (1, time, channels), [amounts], out_shape, Mode=edge
    )


def reshape(rng: Rng) -> ModelBuilder:
    time, channels = size(rng, 20), channels_of(rng)
    count = time * channels
    width = int(rng.choice([n for n in range(1, count + 1) if count % n == 0]))
    out_shape = (1, count // width, width)
    return OneOperator(rng).unary(OPS.RESHAPE, (1, 1, time, channels), [out_shape], out_shape)


def transpose(rng: Rng) -> ModelBuilder:
    time, channels = size(rng, 12), channels_of(rng)
    out_shape = (1, 1, channels, time)
    return OneOperator(rng).unary(OPS.TRANSPOSE, (1, 1, time, channels), [[0, 1, 3, 2]], out_shape)


def slices(rng: Rng) -> ModelBuilder:
    shape = (1, size(rng, 20), channels_of(rng))
    begin = [0, *(int(rng.integers(0, n)) for n in shape[1:])]
    out_shape = [
        1,
        *(int(rng.integers(1, n - b + 1)) for n, b in zip(shape[1:], begin[1:], strict=True)),
    ]
    sizes = [-1 if b + m == n else m for n, b, m in zip(shape, begin, out_shape, strict=True)]
    return OneOperator(rng).unary(OPS.SLICE, shape, [begin, sizes], tuple(out_shape))


def strided_slice(rng: Rng) -> ModelBuilder:
    shape = (1, size(rng, 20), channels_of(rng))
    begin, end, strides, ranges = [0], [1], [1], [range(1)]
    masks = [int(mask) for mask in rng.integers(0, 8, 2)]
    shrink = int(rng.choice([0, 0, 0, 2, 4]))
    for axis, whole in enumerate(shape[1:], start=1):
        first, last = sorted(rng.choice(whole + 1, 2, replace=False).tolist())
        step, bit = size(rng, 3), 1 << axis
        indices = range(0 if masks[0] & bit else first, whole if masks[1] & bit else last, step)
        if shrink & bit:
            step, indices = 1, range(first, first + 1)
        ranges.append(indices)
        begin.append(first - whole if rng.integers(2) and first < whole else first)
        end.append(last - whole if rng.integers(2) and last < whole else last)
        strides.append(step)
    out_shape = tuple(len(indices) for i, indices in enumerate(ranges) if not shrink >> i & 1)
    return OneOperator(rng).unary(
        OPS.STRIDED_SLICE,
        shape,
        [begin, end, strides],
        out_shape,
        BeginMask=masks[0],
        EndMask=masks[1],
        ShrinkAxisMask=shrink,
    )


def resize(rng: Rng) -> ModelBuilder:
    time, channels = size(rng, 20), channels_of(rng)
    factor = size(rng, 5)
    steps = time * factor if rng.integers(4) else max(time // factor, 1)
    shape = placed(rng, time, channels)
    out_shape = tuple(steps if n == time and i in (1, 2) else n for i, n in enumerate(shape))
    if time == 1:
        out_shape = (1, 1, steps, channels)
    align, half = [(False, False), (True, False), (False, True)][rng.integers(3)]
    options: dict[str, Option] = {"AlignCorners": align, "HalfPixelCenters": half}
    constants: list[object] = [list(out_shape[1:3])]
    return OneOperator(rng).unary(
        OPS.RESIZE_NEAREST_NEIGHBOR, shape, constants, out_shape, **options
    )


OPERATORS: dict[str, Callable[[Rng], ModelBuilder]] = {
    function.__name__: function
    for function in (
        max_pool,
        average_pool,
        mean,
        largest,
        smallest,
        concatenation,
        split,
        split_v,
        unpack,
        padding,
        mirror_pad,
        reshape,
        transpose,
        slices,
        strided_slice,
        resize,
    )
}


def codes(shape: Shape, rng: Rng) -> npt.NDArray[np.int8]:
    """Return input codes: any, or only the extremes."""
    if rng.integers(4) == 0:
        return rng.choice(np.array([-128, 127], np.int8), shape)
    return rng.integers(-128, 128, shape).astype(np.int8)
