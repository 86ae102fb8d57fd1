"""A small bundle for all that stands behind the export: ``python -m tests.small_bundle`` makes it.

Its network has the shipped one's shape (two levels that share an encoder, a head for each), but
segments of 320 samples and a few thousand weights. No training makes it: the convolutions are drawn
at random and scaled until every layer is alive, the decoder and the heads are fitted to them by
least squares. ONNX, int8 TFLite and golden vectors come from the kit's own export.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from dynadeep.codegen.bundle import (
    BUNDLE_FILES,
    DECODER_ONNX,
    ENCODER_ONNX,
    ENCODER_TFLITE,
    GOLDEN,
    MANIFEST,
    Codec,
    InputMap,
    Level,
    Manifest,
    model_id_of,
    sha256_of,
    write_manifest,
)
from dynadeep.codegen.canonical import ends
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.numerics import map_input
from dynadeep.codegen.version import __version__
from dynadeep.export import calibration, flatbuffer, golden, quantize
from dynadeep.export import onnx as export_onnx
from dynadeep.export.input_map import integer_map
from dynadeep.export.reference import Reference
from dynadeep.export.replace import replaced
from dynadeep.train.data.windows import KEPT_PERCENT
from dynadeep.train.input_map import as_tensor, fit_input_map
from tests.caching import SMALL_BUNDLE

Floats = npt.NDArray[np.float32]
Samples = npt.NDArray[np.int16]

SEGMENT = 320
SEED = 7
TRUNK = {  # filters, kernel, stride; from 320 samples to 10
    "conv1": (4, 3, 2),
    "conv2": (8, 5, 2),
    "conv3": (4, 1, 1),
    "conv4": (8, 7, 2),
    "conv5": (8, 3, 1),
    "conv6": (8, 1, 1),
    "conv7": (8, 5, 2),
    "conv8": (16, 3, 1),
    "conv9": (8, 5, 2),
}
CODES = {"32": 10, "64": 5}
MARGIN_BOUNDS = (16.0, 40.0)  # percent, as if a promise had been measured; so are the margins
MARGINS = {"32": (2.5, 1.0), "64": (1.0, 0.625)}
BOUND, LARGEST_ERROR = 32.0, 50.0  # percent


class Convolution(nn.Conv1d):
    """A convolution that keeps T at stride 1, and its SiLU."""

    def __init__(self, channels: int, filters: int, kernel: int, stride: int) -> None:
        super().__init__(channels, filters, kernel, stride, kernel // 2)

    # torch calls its one argument "input", which is a built-in's name.
    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return functional.silu(super().forward(x))


class SmallEncoder(nn.Module):
    """Compress [N, 1, 320] at two levels, and foresee each one's error."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential()
        channels = 1
        for name, (filters, kernel, stride) in TRUNK.items():
            self.trunk.add_module(name, Convolution(channels, filters, kernel, stride))
            channels = filters
        self.latent32 = Convolution(channels, 1, 3, 1)
        self.branch64 = Convolution(channels, 8, 3, 2)
        self.latent64 = Convolution(8, 1, 3, 1)
        self.head32 = nn.Linear(CODES["32"], 1)
        self.head64 = nn.Linear(CODES["64"], 1)

    def latents(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes of both levels, [N, 1, 10] and [N, 1, 5]."""
        x = self.trunk(x)
        return self.latent32(x), self.latent64(self.branch64(x))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the codes of both levels and their foreseen errors, [N, 1] each."""
        mild, strong = self.latents(x)
        errors = self.head32(mild.flatten(1)), self.head64(strong.flatten(1))
        return mild, strong, functional.relu(errors[0]), functional.relu(errors[1])


def _enliven(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Scale a layer so that each of its filters has mean 0 and deviation 1 on what it is given."""
    assert isinstance(layer, Convolution)
    assert layer.bias is not None
    layer.bias.zero_()
    output = layer._conv_forward(inputs[0], layer.weight, None)
    deviation = output.std(dim=(0, 2))
    layer.weight /= deviation[:, None, None]
    layer.bias.copy_(-output.mean(dim=(0, 2)) / deviation)


def fitted(wanted: Floats, inputs: Floats) -> tuple[Floats, Floats]:
    """Return weights and biases of the linear layer that comes nearest to ``wanted``."""
    with_one = np.column_stack([inputs, np.ones(len(inputs))]).astype(np.float64)
    solved = np.linalg.lstsq(with_one, wanted.astype(np.float64), rcond=1e-6)[0]
    return solved[:-1].T.astype(np.float32), solved[-1].astype(np.float32)


def percent(exact: Floats, decoded: Floats) -> Floats:
    """Return the PRD of each window, cut where no bound lies: what heads are fitted to."""
    error = np.sqrt(((exact - decoded) ** 2).sum(axis=1) / (exact**2).sum(axis=1))
    found: Floats = np.minimum(100 * error, LARGEST_ERROR).astype(np.float32)
    return found


def make_networks(inputs: Floats) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """Return encoder and decoder of windows as the network sees them, float [N, 1, 320]."""
    torch.manual_seed(SEED)
    model = SmallEncoder().eval()
    layers = [module for module in model.modules() if isinstance(module, Convolution)]
    hooks = [layer.register_forward_pre_hook(_enliven) for layer in layers]
    with torch.no_grad():
        latents = model.latents(torch.from_numpy(inputs))
    for hook in hooks:
        hook.remove()
    windows = inputs[:, 0]
    decoders = {}
    for level, latent, head in zip(CODES, latents, (model.head32, model.head64), strict=True):
        codes = latent[:, 0].numpy()
        weights, biases = decoders[level] = fitted(windows, codes)
        foreseen = fitted(percent(windows, codes @ weights.T + biases)[:, None], codes)
        with torch.no_grad():
            head.weight.copy_(torch.from_numpy(foreseen[0]))
            head.bias.copy_(torch.from_numpy(foreseen[1]))
    return encoder_of(model), decoder_of(decoders)


def encoder_of(model: SmallEncoder) -> onnx.ModelProto:
    """Return the encoder as the export makes ONNX of the shipped one."""
    outputs = ("latent32", "latent64", "error32", "error64")
    example = (torch.zeros(1, 1, SEGMENT),)
    proto = export_onnx._export(model, example, (flatbuffer.INPUT,), outputs, dynamic=False)
    export_onnx._name_nodes(proto)
    return proto


def decoder_of(levels: dict[str, tuple[Floats, Floats]]) -> onnx.ModelProto:
    """Return a linear decoder for each level."""
    nodes, inputs, outputs, constants = [], [], [], []
    one = numpy_helper.from_array(np.array([1], np.int64), "channel")
    for level, (weights, biases) in levels.items():
        latent, flat, segment = f"latent{level}", f"flat{level}", f"segment{level}"
        batch, codes = f"batch{level}", weights.shape[1]
        inputs.append(helper.make_tensor_value_info(latent, TensorProto.FLOAT, [batch, 1, codes]))
        outputs.append(
            helper.make_tensor_value_info(segment, TensorProto.FLOAT, [batch, 1, SEGMENT])
        )
        nodes += [
            helper.make_node("Flatten", [latent], [flat]),
            helper.make_node("Gemm", [flat, f"w{level}", f"b{level}"], [f"x{level}"], transB=1),
            helper.make_node("Unsqueeze", [f"x{level}", one.name], [segment]),
        ]
        arrays = {f"w{level}": weights, f"b{level}": biases}
        constants += [numpy_helper.from_array(values, name) for name, values in arrays.items()]
    graph = helper.make_graph(nodes, "decoder", inputs, outputs, [one, *constants])
    opset = [helper.make_opsetid("", 18)]
    proto = helper.make_model(graph, opset_imports=opset, ir_version=10)
    onnx.checker.check_model(proto)
    return proto


def cut(windows: Samples) -> Samples:
    """Cut windows [N, 2000] into segments [6 N, 320]."""
    whole = windows.shape[1] // SEGMENT * SEGMENT
    return windows[:, :whole].reshape(-1, SEGMENT)


def levels_of(content: bytes) -> Iterator[Level]:
    """Describe both levels of a model."""
    scales = quantize.quantizations(content)
    for name, codes in CODES.items():
        latent, error = f"latent{name}/silu", f"head{name}/conv"
        yield Level(
            name=f"cg{name}",
            codes=codes,
            gain=SEGMENT / codes,
            latent_tensor=latent,
            latent=scales[latent],
            error_tensor=error,
            error=scales[error],
            margins=MARGINS[name],
            record_margins=tuple(margin / 2 for margin in MARGINS[name]),
        )


def make_small_bundle(out: Path) -> None:
    """Write the bundle into ``out``, whole; an earlier one there is replaced."""
    recordings = calibration.read_recordings("cinc2017", None)
    training, unseen = cut(recordings.training), cut(recordings.unseen)
    real_map = fit_input_map("affine", training, KEPT_PERCENT["cinc2017"])
    input_map, scales = integer_map(real_map), calibration.INPUT_QUANTIZATION["affine"]
    encoder, decoder = make_networks(real_map.apply(as_tensor(training)).numpy())
    content = quantize.quantize(encoder, map_input(training, input_map), scales)
    with replaced(out, (*BUNDLE_FILES, MANIFEST)) as folder:
        export_onnx.write(encoder, folder / ENCODER_ONNX)
        export_onnx.write(decoder, folder / DECODER_ONNX)
        write_whole(folder / ENCODER_TFLITE, content)
        chosen = golden.segments(unseen)
        tensors = golden.write_golden(folder / GOLDEN, chosen, input_map, Reference(content))
        write_manifest(folder, manifest_of(content, recordings, input_map, folder))
    assert len(tensors) > len(TRUNK)


def manifest_of(
    content: bytes,
    recordings: calibration.Recordings,
    input_map: InputMap,
    folder: Path,
) -> Manifest:
    """Describe the bundle's files; its record names the recordings, and no checkpoint."""
    inputs, outputs = ends(content)
    return Manifest(
        model_id=model_id_of(content),
        kit_version=__version__,
        sample_rate_hz=recordings.rate_hz,
        inputs=inputs,
        outputs=outputs,
        codec=Codec(
            adc_gain=recordings.adc_gain,
            adc_baseline=recordings.adc_baseline,
            error_unit="PRD %",
            default_bound=BOUND,
            margin_bounds=MARGIN_BOUNDS,
            input_map=input_map,
            levels=tuple(levels_of(content)),
        ),
        files={name: sha256_of(folder / name) for name in BUNDLE_FILES},
        record={"training": {"dataset": "cinc2017"}},
    )


if __name__ == "__main__":
    make_small_bundle(SMALL_BUNDLE)
