"""What the phases minimise."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

from dynadeep.train.input_map import InputMap, to_unit


def reconstruction_loss(decoded: Iterable[Tensor], adc: Tensor, input_map: InputMap) -> Tensor:
    """Sum the mean squared errors of all levels, on the scale where each window is [0, 1].

    ``decoded`` are [N, 1, T] in input units, ``adc`` the windows [N, T] as recorded, not clipped.
    On that scale every window weighs the same, whatever its gain, and the loss is what PRD sees.
    """
    target = to_unit(adc, adc)
    levels = [functional.mse_loss(input_map.decoded_to_unit(d, adc), target) for d in decoded]
    return torch.stack(levels).sum()
