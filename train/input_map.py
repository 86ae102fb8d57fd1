"""Map ADC samples to the network's input, and what it decodes back to the window's own scale.

``affine``: x = (adc - offset) / scale, the same for every window, so that a board can stream.
``minmax``: each window on [0, 1] by its own minimum and maximum, as published.
The int8 input of the device covers x in [-1, 1) as q = 128 x (affine), x in [0, 1] as
q = 255 x - 128 (minmax); training clips where int8 will.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynadeep.train.errors import TrainError

MapKind = Literal["affine", "minmax"]
HIGHEST = 127 / 128


@dataclass(frozen=True)
class InputMap:
    """The input map of a model; ``offset`` and ``scale`` in ADC units, unused by minmax."""

    kind: MapKind
    offset: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(MapKind):
            known = ", ".join(get_args(MapKind))
            raise TrainError(f"input map is {self.kind!r}: choose one of {known}.")
        if not (math.isfinite(self.offset) and 0 < self.scale < math.inf):
            raise TrainError(
                f"input map has offset {self.offset} and scale {self.scale}: "
                "both must be finite, the scale positive."
            )

    def apply(self, adc: Tensor) -> Tensor:
        """Map ADC windows, float [N, T], to the network's input [N, 1, T]."""
        if self.kind == "minmax":
            return to_unit(adc, adc).unsqueeze(1)
        return ((adc - self.offset) / self.scale).clamp(-1, HIGHEST).unsqueeze(1)

    def apply_int8(self, adc: Tensor) -> Tensor:
        """Map ADC windows as ``apply`` does and round them to the codes that the device has."""
        steps = 255 if self.kind == "minmax" else 128
        return (self.apply(adc) * steps).round() / steps

    def decoded_to_adc(self, decoded: Tensor, adc: Tensor) -> Tensor:
        """Bring decoder output [N, 1, T] of windows ``adc`` [N, T] to ADC units, [N, T]."""
        decoded = decoded.squeeze(1)
        if self.kind == "minmax":
            low = adc.amin(dim=1, keepdim=True)
            return decoded * _span(adc) + low
        return decoded * self.scale + self.offset

    def decoded_to_unit(self, decoded: Tensor, adc: Tensor) -> Tensor:
        """Bring decoder output [N, 1, T] to the scale on which window ``adc`` is [0, 1]: [N, T]."""
        if self.kind == "minmax":
            return decoded.squeeze(1)
        return to_unit(self.decoded_to_adc(decoded, adc), adc)


def to_unit(signal: Tensor, window: Tensor) -> Tensor:
    """Scale signals [N, T] by the minimum and maximum of their original windows [N, T].

    A constant window counts as one ADC unit high, so nothing is divided by zero.
    """
    return (signal - window.amin(dim=1, keepdim=True)) / _span(window)


def _span(window: Tensor) -> Tensor:
    """Return the height of windows [N, T], at least one ADC unit: [N, 1]."""
    return (window.amax(dim=1, keepdim=True) - window.amin(dim=1, keepdim=True)).clamp(min=1)


def fit_input_map(
    kind: MapKind, windows: NDArray[np.int16], percentiles: tuple[float, float]
) -> InputMap:
    """Fix a map's constants from training windows, int16 [N, T], in whole ADC units.

    The affine map spans the samples between the ``percentiles``; rarer ones are clipped.
    """
    if kind != "affine":
        return InputMap(kind)
    low, high = np.percentile(windows, percentiles)
    return InputMap(
        "affine", float(round((low + high) / 2)), float(max(round((high - low) / 2), 1))
    )


def as_tensor(windows: NDArray[np.int16], device: str = "cpu") -> Tensor:
    """Return ADC windows as float32 [N, T] on a device."""
    return torch.from_numpy(windows.astype(np.float32)).to(device)
