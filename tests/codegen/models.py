"""Small quantised encoders for the tests, and the manifest that goes with each."""

from dataclasses import dataclass, field

import numpy as np
import tflite

from dynadeep.codegen.bundle import Codec, InputMap, Level, Manifest, Quantization, model_id_of
from dynadeep.codegen.canonical import ends

from .tflite_builder import INT32, ModelBuilder, TensorSpec

OPS = tflite.BuiltinOperator
AFFINE = InputMap("affine", offset=12, multiplier=9000, shift=15)

# The encoder of the paper: name, filters, kernel, stride, (pad before, pad after).
TRUNK = (
    ("conv1", 8, 3, 1, (1, 1)),
    ("conv2", 16, 3, 2, (1, 1)),
    ("conv3", 8, 1, 1, (0, 0)),
    ("conv4", 32, 5, 1, (2, 2)),
    ("conv5", 64, 5, 2, (2, 2)),
    ("conv6", 32, 1, 1, (0, 0)),
    ("conv7", 16, 3, 1, (1, 1)),
    ("conv8", 32, 3, 2, (1, 1)),
    ("conv9", 16, 1, 1, (0, 0)),
    ("conv10", 32, 11, 1, (5, 5)),
    ("conv11", 64, 7, 2, (3, 3)),
    ("conv12", 64, 1, 1, (0, 0)),
    ("conv13", 32, 7, 1, (3, 3)),
    ("conv14", 64, 5, 2, (1, 1)),
    ("conv15", 32, 1, 1, (0, 0)),
)


@dataclass
class Net:
    """Grow a model layer by layer; ``at`` is the tensor that the next layer reads."""

    length: int
    seed: int = 0
    model: ModelBuilder = field(default_factory=ModelBuilder)
    at: int = 0

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        segment = TensorSpec("segment", (1, 1, self.length, 1), scales=(1 / 128,))
        self.at = self.model.tensor(segment)
        self.model.inputs = [self.at]

    def pad(self, name: str, before: int, after: int) -> None:
        source = self.model.tensors[self.at]
        _, _, time, channels = source.shape
        amounts = np.array([[0, 0], [0, 0], [before, after], [0, 0]], np.int32)
        paddings = TensorSpec(f"{name}/paddings", (4, 2), INT32, (), data=amounts)
        shape = (1, 1, time + before + after, channels)
        padded = TensorSpec(f"{name}/pad", shape, source.type, source.scales, source.zero_points)
        self._op(OPS.PAD, [self.model.tensor(paddings)], padded)

    def conv(
        self,
        name: str,
        filters: int,
        kernel: int,
        stride: int = 1,
        *,
        padding: int = tflite.Padding.VALID,
        activation: int = tflite.ActivationFunctionType.NONE,
    ) -> None:
        _, _, time, channels = self.model.tensors[self.at].shape
        values = self.random.integers(-127, 128, (filters, 1, kernel, channels)).astype(np.int8)
        scales = self.random.uniform(0.001, 0.004, filters)
        out = (time - kernel) // stride + 1
        if padding == tflite.Padding.SAME:
            out = -(-time // stride)
        inputs = [
            self._weights(name, values, scales),
            self._bias(name, scales),
        ]
        result = self._activation(f"{name}/conv", (1, 1, out, filters), 0.05)
        self._op(
            OPS.CONV_2D,
            inputs,
            result,
            Padding=padding,
            StrideW=stride,
            DilationWFactor=1,
            DilationHFactor=1,
            FusedActivationFunction=activation,
        )

    def silu(self, name: str) -> None:
        convolved = self.at
        shape = self.model.tensors[convolved].shape
        self._op(
            OPS.LOGISTIC,
            [],
            TensorSpec(f"{name}/sigmoid", shape, scales=(1 / 256,), zero_points=(-128,)),
        )
        self.at, sigmoid = convolved, self.at
        self._op(OPS.MUL, [sigmoid], self._activation(f"{name}/silu", shape, 0.03))

    def layer(
        self, name: str, filters: int, kernel: int, stride: int, pad: tuple[int, int]
    ) -> None:
        if any(pad):
            self.pad(name, *pad)
        self.conv(name, filters, kernel, stride)
        self.silu(name)

    def head(self, name: str) -> None:
        """Add a filter as long as what it reads, which gives one value from 0 on."""
        length = self.model.tensors[self.at].shape[2]
        self.conv(name, 1, length, activation=tflite.ActivationFunctionType.RELU)
        error = self.model.tensors[self.at]
        error.scales, error.zero_points = (0.2,), (-128,)

    def reshape(self, name: str, *shape: int) -> int:
        """Add a RESHAPE called ``name``/reshape and return its tensor."""
        source = self.model.tensors[self.at]
        sizes = np.array(shape, np.int32)
        constant = TensorSpec(f"{name}/shape", sizes.shape, INT32, (), data=sizes)
        reshaped = TensorSpec(
            f"{name}/reshape", shape, source.type, source.scales, source.zero_points
        )
        self._op(OPS.RESHAPE, [self.model.tensor(constant)], reshaped)
        return self.at

    def _op(self, code: int, constants: list[int], result: TensorSpec, **options: int) -> None:
        output = self.model.tensor(result)
        self.model.op(code, [self.at, *constants], [output], **options)
        self.at = output

    def _weights(self, name: str, values: np.ndarray, scales: np.ndarray) -> int:
        return self.model.tensor(
            TensorSpec(
                f"{name}/weights",
                values.shape,
                scales=tuple(scales.tolist()),
                zero_points=(0,) * len(scales),
                data=values,
            )
        )

    def _bias(self, name: str, scales: np.ndarray) -> int:
        values = self.random.integers(-3000, 3000, len(scales)).astype(np.int32)
        products = tuple((self.model.tensors[self.at].scales[0] * scales).tolist())
        spec = TensorSpec(f"{name}/bias", values.shape, INT32, products, (0,) * len(scales))
        spec.data = values
        return self.model.tensor(spec)

    def _activation(self, name: str, shape: tuple[int, ...], scale: float) -> TensorSpec:
        zero_point = int(self.random.integers(-60, 20))
        return TensorSpec(name, shape, scales=(scale,), zero_points=(zero_point,))


def branch(net: Net, level: str, at: int, kernel: int = 3) -> tuple[int, int]:
    """Add a level's latent and its head; return both."""
    net.at = at
    net.layer(f"latent{level}", 1, kernel, 1, (kernel // 2, kernel // 2))
    latent = net.at
    net.head(f"head{level}")
    return latent, net.at


def small_encoder(length: int = 40, seed: int = 0) -> Net:
    """Two levels behind a short trunk that has a stride, odd widths and every folded operator."""
    net = Net(length, seed)
    net.layer("conv1", 3, 3, 1, (1, 1))
    net.layer("conv2", 5, 5, 2, (2, 2))
    trunk = net.at
    latent32, error32 = branch(net, "32", trunk)
    net.at = trunk
    net.layer("branch64", 6, 7, 2, (3, 3))
    latent64, error64 = branch(net, "64", net.at)
    net.model.outputs = [latent32, latent64, error32, error64]
    return net


def reshaped_encoder() -> Net:
    """Two levels with flat outputs, and every place where a RESHAPE can be dropped."""
    net = Net(40)
    net.layer("conv1", 3, 3, 1, (1, 1))
    net.layer("conv2", 5, 5, 2, (2, 2))  # 20 x 5
    trunk = net.reshape("folded", 1, 1, 10, 10)
    latent, error = branch(net, "32", trunk)
    net.at = latent
    latent32 = net.reshape("latent32", 1, 10)
    net.at = error
    error32 = net.reshape("head32", 1, 1)
    net.at = trunk
    net.conv("latent64", 2, 5, 2)  # 3 x 2
    net.reshape("flat64", 1, 6)
    net.silu("latent64")
    latent64 = net.at
    net.reshape("series64", 1, 6, 1)
    net.reshape("tall64", 1, 1, 6, 1)
    net.pad("head64", 1, 0)
    net.head("head64")
    error64 = net.reshape("head64", 1, 1)
    net.model.outputs = [latent32, latent64, error32, error64]
    return net


def paper_encoder() -> Net:
    """The paper's shapes with random weights."""
    net = Net(2000)
    for layer in TRUNK:
        net.layer(*layer)
    trunk = net.at
    latent32, error32 = branch(net, "32", trunk, kernel=7)
    net.at = trunk
    net.layer("branch64", 64, 7, 2, (3, 3))
    latent64, error64 = branch(net, "64", net.at)
    net.model.outputs = [latent32, latent64, error32, error64]
    return net


def manifest_for(net: Net, content: bytes, input_map: InputMap = AFFINE) -> Manifest:
    """Return the manifest of a model made by one of the functions above."""
    tensors = net.model.tensors
    latent32, latent64, error32, error64 = (tensors[index] for index in net.model.outputs)
    levels = tuple(
        Level(
            name=name,
            codes=int(np.prod(latent.shape)),
            gain=net.length / int(np.prod(latent.shape)),
            latent_tensor=latent.name,
            latent=quantization_of(latent),
            error_tensor=error.name,
            error=quantization_of(error),
            margins=margins,
            record_margins=margins,
        )
        for name, latent, error, margins in (
            ("cg32", latent32, error32, (0.5, 0.25, -0.75)),
            ("cg64", latent64, error64, (1.25, 2.0, 0.5)),
        )
    )
    inputs, outputs = ends(content)
    return Manifest(
        model_id=model_id_of(content),
        kit_version="0.1.0",
        sample_rate_hz=360,
        inputs=inputs,
        outputs=outputs,
        codec=Codec(
            adc_gain=200.0,
            adc_baseline=1024,
            error_unit="PRD %",
            default_bound=9.0,
            margin_bounds=(1.0, 3.5, 12.0),
            input_map=input_map,
            levels=levels,
        ),
        files={},
        record={},
    )


def quantization_of(tensor: TensorSpec) -> Quantization:
    return Quantization(float(np.float32(tensor.scales[0])), tensor.zero_points[0])
