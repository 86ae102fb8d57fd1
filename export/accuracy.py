"""What int8 costs: each layer's signal to quantisation noise, and each level's PRD."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
import torch

from dynadeep.codegen.bundle import Quantization
from dynadeep.export.calibration import Samples, dequantize
from dynadeep.export.onnx import INPUT, decoded_of, open_session
from dynadeep.export.reference import Tensors
from dynadeep.train.input_map import InputMap, as_tensor, to_unit
from dynadeep.train.metrics import prd

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LevelLoss:
    """One level over a set of windows: means over the windows."""

    name: str  # "cg32"
    prd_float: float  # percent, windows scaled to [0, 1], the float encoder
    prd_int8: float  # the same through the int8 encoder
    latent_error: float  # root mean square, int8 against float, in units of the latent
    latent_rms: float  # root mean square of the float latent


def float_tensors(proto: onnx.ModelProto, windows: Floats) -> dict[str, Floats]:
    """Return what the float encoder computes at every node, [N, T, C] by node name.

    Args:
        proto: the encoder, from ``export_encoder``.
        windows: float [N, 1, T].
    """
    opened = onnx.ModelProto()
    opened.CopyFrom(proto)
    outputs = {node.name: node.output[0] for node in proto.graph.node}
    del opened.graph.output[:]
    opened.graph.output.extend(
        onnx.helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT, None)
        for value in outputs.values()
    )
    session = open_session(opened)
    runs = [session.run(list(outputs.values()), {INPUT: window[None]}) for window in windows]
    stacks = [np.stack(parts) for parts in zip(*runs, strict=True)]
    return {name: _time_first(stack) for name, stack in zip(outputs, stacks, strict=True)}


def _time_first(stack: Floats) -> Floats:
    """Turn [N, 1, C, T] into [N, T, C]; [N, 1, C] has no time and stays."""
    return stack[:, 0].transpose(0, 2, 1) if stack.ndim == 4 else stack


def layer_sqnr_db(
    floats: dict[str, Floats], tensors: Tensors, quantizations: dict[str, Quantization]
) -> dict[str, float]:
    """Return each layer's signal to quantisation noise, at its last tensor, in decibels."""
    decibels = {}
    last = {name.partition("/")[0]: name for name in floats}
    for layer, name in last.items():
        signal = floats[name]
        if name in tensors:
            noise = _real(tensors[name], quantizations[name]) - signal
            power = float(np.mean(np.square(signal))), float(np.mean(np.square(noise)))
            decibels[layer] = 10 * float(np.log10(power[0] / max(power[1], 1e-30)))
    return decibels


@dataclass(frozen=True)
class Codec:
    """The way back from codes to a PRD."""

    decoder: onnx.ModelProto  # from ``export_decoder``
    input_map: InputMap  # the network's own
    latents: Mapping[str, str]  # the tensor of each level's codes, by the level's name

    def mean_prd(self, level: str, codes: Floats, windows: Samples) -> float:
        """Decode codes [N, T', 1] of a level and compare with ADC windows [N, T], on [0, 1]."""
        latent = np.ascontiguousarray(codes.transpose(0, 2, 1))
        decoded = torch.from_numpy(decoded_of(open_session(self.decoder), level, latent))
        adc = as_tensor(windows)
        on_unit = self.input_map.decoded_to_unit(decoded, adc)
        return float(np.mean(prd(to_unit(adc, adc).numpy(), on_unit.numpy())))


def level_losses(
    codec: Codec,
    windows: Samples,
    floats: dict[str, Floats],
    tensors: Tensors,
    quantizations: dict[str, Quantization],
) -> tuple[LevelLoss, ...]:
    """Compare the float and the int8 encoder through the decoder.

    Args:
        codec: decodes the codes of both.
        windows: ADC samples [N, T].
        floats: what the float encoder computed for them.
        tensors: what the int8 encoder computed for them.
        quantizations: of ``tensors``.
    """
    losses = []
    for level, name in codec.latents.items():
        exact, rounded = floats[name], _real(tensors[name], quantizations[name])
        losses.append(
            LevelLoss(
                name=f"cg{level}",
                prd_float=codec.mean_prd(level, exact, windows),
                prd_int8=codec.mean_prd(level, rounded, windows),
                latent_error=_rms(rounded - exact),
                latent_rms=_rms(exact),
            )
        )
    return tuple(losses)


def _real(codes: npt.NDArray[np.int8], quantization: Quantization) -> Floats:
    """Return the real values of int8 codes of any shape."""
    return dequantize(codes.reshape(1, -1), quantization).reshape(codes.shape)


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
