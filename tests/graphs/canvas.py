"""What a network is drawn on: the .tflite file so far, and the tensors that a step may read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import tflite

from tests.codegen.tflite_builder import INT32, ModelBuilder, Option, TensorSpec

OPS = tflite.BuiltinOperator
Int8s = npt.NDArray[np.int8]
Form = Literal["1TC", "11TC", "1T1C"]
Shape = tuple[int, ...]

MACS = 100_000
"""The most of a layer: narrower than drawn if it would have more."""

VALUES = 6_000
"""The most of a tensor: a step that would make a larger one is left out."""

TIME_AXIS = {"1TC": 1, "11TC": 2, "1T1C": 1}


@dataclass(frozen=True)
class Codes:
    """What the codes of a tensor stand for."""

    scale: float
    zero_point: int


@dataclass
class Canvas:
    """Draws operators one behind the other. ``readable`` are the tensors that a step may read."""

    rng: np.random.Generator
    form: Form
    expands: bool  # EXPAND_DIMS and SQUEEZE add and remove dimensions, as Keras does; else RESHAPE
    model: ModelBuilder = field(default_factory=ModelBuilder)
    readable: list[int] = field(default_factory=list)

    def shape(self, at: int) -> Shape:
        """Return a tensor's shape."""
        return self.model.tensors[at].shape

    def size(self, at: int) -> tuple[int, int]:
        """Return a tensor's steps and channels."""
        shape = self.shape(at)
        return math.prod(shape[:-1]), shape[-1]

    def codes(self, at: int) -> Codes:
        """Return what a tensor's codes stand for."""
        spec = self.model.tensors[at]
        return Codes(spec.scales[0], spec.zero_points[0])

    def any_codes(self, scale: float) -> Codes:
        """Return codes of any zero point and a scale that TFLite takes, RELU6 included."""
        return Codes(float(np.clip(scale, 1e-8, 1e36)), int(self.rng.integers(-128, 128)))

    def activation(self, shape: Shape, codes: Codes, name: str = "") -> int:
        """Add a tensor that is computed."""
        spec = TensorSpec(name or f"t{len(self.model.tensors)}", shape)
        spec.scales, spec.zero_points = (codes.scale,), (codes.zero_point,)
        return self.model.tensor(spec)

    def constant(self, values: Int8s, codes: Codes) -> int:
        """Add an int8 constant."""
        at = self.activation(values.shape, codes)
        self.model.tensors[at].data = values
        return at

    def numbers(self, *values: object) -> int:
        """Add an int32 constant of one dimension or two: axes, sizes, paddings."""
        array = np.array(values, np.int32)
        name = f"n{len(self.model.tensors)}"
        return self.model.tensor(TensorSpec(name, array.shape, INT32, (), data=array))

    def op(
        self, code: int, inputs: Sequence[int], shape: Shape, codes: Codes, **options: Option
    ) -> int:
        """Add an operator of one output; return that."""
        output = self.activation(shape, codes)
        self.model.op(code, list(inputs), [output], **options)
        return output

    def moved(self, code: int, inputs: Sequence[int], shape: Shape, **options: Option) -> int:
        """Add an operator that leaves the codes of its first activation alone."""
        source = next(at for at in inputs if self.model.tensors[at].type != INT32)
        return self.op(code, inputs, shape, self.codes(source), **options)

    def whole_shape(self, time: int, channels: int) -> Shape:
        """Return the shape of a series in the network's form."""
        shapes: dict[Form, Shape] = {
            "1TC": (1, time, channels),
            "11TC": (1, 1, time, channels),
            "1T1C": (1, time, 1, channels),
        }
        return shapes[self.form]

    def reshaped(self, at: int, shape: Shape) -> int:
        """Return a tensor's values in another shape."""
        if self.shape(at) == shape:
            return at
        return self.moved(OPS.RESHAPE, [at, self.numbers(*shape)], shape)

    def formed(self, at: int) -> int:
        """Return a tensor in the network's form."""
        return self.reshaped(at, self.whole_shape(*self.size(at)))

    def four(self, at: int) -> int:
        """Return a tensor in four dimensions, as convolutions and pools take it."""
        at = self.formed(at)
        if self.form != "1TC":
            return at
        _, time, channels = self.shape(at)
        if not self.expands:
            return self.reshaped(at, (1, 1, time, channels))
        return self.moved(OPS.EXPAND_DIMS, [at, self.numbers(1)], (1, 1, time, channels))

    def home(self, at: int) -> int:
        """Return what a convolution or pool made in the network's form."""
        if self.form != "1TC":
            return at
        _, _, time, channels = self.shape(at)
        if not self.expands:
            return self.reshaped(at, (1, time, channels))
        return self.moved(OPS.SQUEEZE, [at], (1, time, channels), SqueezeDims=(1,))

    def along_time(
        self, stride: int, *, dilation: int | None = None, window: int | None = None
    ) -> dict[str, Option]:
        """Return an operator's options along the axis of time; across it all are 1 by default."""
        letter, word = ("H", "Height") if self.form == "1T1C" else ("W", "Width")
        options: dict[str, Option] = {f"Stride{letter}": stride}
        if dilation is not None:
            options[f"Dilation{letter}Factor"] = dilation
        if window is not None:
            options[f"Filter{word}"] = window
        return options

    def four_shape(self, first: int, time: int, last: int) -> Shape:
        """Return the shape of weights or of four-dimensional activations."""
        if self.form == "1T1C":
            return (first, time, 1, last)
        return (first, 1, time, last)

    def quantized_like(self, at: int, codes: Codes) -> int:
        """Return a tensor's values in other codes."""
        if self.codes(at) == codes:
            return at
        return self.op(OPS.QUANTIZE, [at], self.shape(at), codes)

    def random(self, shape: Shape, *, extreme: bool = False) -> Int8s:
        """Return random int8 values; extreme: the lowest and the highest alone."""
        if extreme:
            return self.rng.choice(np.array([-128, 127], np.int8), shape)
        return self.rng.integers(-128, 128, shape).astype(np.int8)

    def pick(self, back: int) -> int:
        """Return the tensor ``back`` ahead of the last one that was made."""
        return self.readable[-1 - back % len(self.readable)]
