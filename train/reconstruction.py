"""Phase 1: what is minimised where reconstruction is all that counts, and what it is shown."""

import contextlib
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from dynadeep.train.checkpoint import Model
from dynadeep.train.data import augment
from dynadeep.train.data.mitdb import WINDOW_SAMPLES, Samples
from dynadeep.train.input_map import InputMap
from dynadeep.train.layers import as_picture
from dynadeep.train.rounding import rounded

Precision = Literal["float32", "bfloat16"]

LOWEST_VARIANCE = 56.0
"""Of a window in ADC units, for the error to be held against; 7.5 units of deviation."""


class Reconstruction(nn.Module):
    """A compressor whose forward is its mean relative error over all levels.

    Input and codes are rounded as the device will round them. Convolutions run in ``precision``;
    the error is always taken in float32.
    """

    def __init__(self, model: Model, input_map: InputMap, precision: Precision) -> None:
        super().__init__()
        # Not the whole model: its heads take no part in this loss.
        self.encoder, self.decoder = model.encoder, model.decoder
        self.encode, self.decode = model.encode, model.decode
        self.input_map = input_map
        self.precision: Precision = precision

    def forward(self, adc: Tensor) -> Tensor:
        """Return the loss of ADC windows, float [N, T]."""
        mapped = self.input_map.apply_int8(adc)
        with computed_in(self.precision, adc.device.type):
            codes = tuple(rounded(code) for code in self.encode(as_picture(mapped)))
            decoded = self.decode(codes)
        return relative_error((self.input_map.decoded_to_adc(d.float(), adc) for d in decoded), adc)


def computed_in(precision: Precision, device: str) -> contextlib.AbstractContextManager[object]:
    """Return the context in which convolutions are computed in a precision."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device, dtype=torch.bfloat16)


def relative_error(decoded: Iterable[Tensor], adc: Tensor) -> Tensor:
    """Return the mean over levels and windows of the root of squared error over variance.

    That is PRDN as a fraction: every window weighs the same, whatever its gain, and none of the
    quiet ones, whose ratio is largest, drowns the others as it would squared. All [N, T], ADC.
    """
    variance = adc.var(dim=1).clamp(min=LOWEST_VARIANCE)
    errors = [((d - adc).square().mean(dim=1) / variance + 1e-6).sqrt() for d in decoded]
    return torch.stack(errors).mean()


def draw_epoch(recordings: Sequence[Samples], count: int, random: np.random.Generator) -> Tensor:
    """Cut ``count`` windows anew, float32 [count, 2000], each of another recording while they last.

    They are stretched, louder or softer, some upside down: see ``augment.vary_record``.
    """
    rounds = -(-count // len(recordings))
    order = np.concatenate([random.permutation(len(recordings)) for _ in range(rounds)])[:count]
    cuts = [augment.vary_record(recordings[i], WINDOW_SAMPLES, random)[0] for i in order]
    return torch.from_numpy(np.stack(cuts))
