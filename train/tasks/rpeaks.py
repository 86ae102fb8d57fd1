"""R peaks: RPNet of paper section 3, a one-dimensional U-Net, at any width and rate.

It draws the curve of the distance to the nearest R peak, whose zeros are the peaks. Published are
the blocks (8 on the way down, 10 up), the taps of their convolutions and the 51,098,337 parameters,
not the filters: the layout here is our own, with filters that meet that number exactly.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.nn import functional

from dynadeep.train.tasks import peaks
from dynadeep.train.tasks.base import UNINFORMED_LOSS

RATE_HZ = 300
"""Of the records, as CinC-2017 has them; the paper's were recorded at 500 Hz."""
HALVINGS = 8
KERNELS = (15, 17, 19, 21)
STEM_KERNEL = 15
TOP_BLOCKS = 2
"""Blocks on the way up after the last doubling."""
LEVEL_S, SPREAD_S = 1.0, 4.0
"""The spans over which a record's level and its spread are taken away."""
LOWEST_SPREAD = 0.1
"""A quiet stretch is not made louder than a record whose overall spread is this part of it."""


@dataclass(frozen=True)
class RPeaksConfig:
    """What the network is built from: filters at the full rate, and the input's decimation.

    Decimation 2, 4, ... averages as many neighbouring samples first and leaves out as many of the
    lowest levels, so that the deepest still sees 256 samples as one. Filters double from the second
    halving on, up to ``widest``. Both are multiples of 4.
    """

    width: Annotated[int, Meta(ge=1, le=1024)] = 48
    decimation: Annotated[int, Meta(ge=1, le=256)] = 1
    widest: Annotated[int, Meta(ge=1, le=4096)] = 448


class InceptionResidual(nn.Module):
    """Four convolutions of 15 to 21 taps side by side and a shortcut, [N, C, 1, T] to [N, F, 1, T].

    The four run as one of 21 taps, the shorter ones with zeros at both ends: the same sums, but
    one pass over the input and no copy to join the outputs.
    """

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.branches = nn.ParameterList(
            nn.Parameter(torch.empty(filters // len(KERNELS), channels, 1, taps))
            for taps in KERNELS
        )
        for weight in self.branches:
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
        self.norm = nn.BatchNorm2d(filters)
        self.shortcut = _conv(channels, filters, 1) if channels != filters else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(shortcut + the normalised branches)."""
        longest = max(KERNELS)
        widened = [
            functional.pad(weight, ((longest - taps) // 2,) * 2)
            for weight, taps in zip(self.branches, KERNELS, strict=True)
        ]
        joined = torch.cat(widened).contiguous(memory_format=torch.channels_last)
        y = self.norm(functional.conv2d(x, joined, padding=(0, longest // 2)))
        return functional.relu(y + self.shortcut(x), inplace=True)


class RPeaksNet(nn.Module):
    """Draw the distance-to-nearest-R curve of records [N, T]."""

    def __init__(self, config: RPeaksConfig) -> None:
        super().__init__()
        self.config = config
        levels = HALVINGS - int(math.log2(config.decimation))
        doubled = (config.width * 2**level for level in range(levels))
        filters = [config.width, *(min(count, config.widest) for count in doubled)]
        steps = list(pairwise(filters))
        top = filters[0]
        self.stem = _conv(1, top, STEM_KERNEL)
        self.halve = nn.ModuleList(_conv(above, below, 2, stride=2) for above, below in steps)
        self.down = nn.ModuleList(InceptionResidual(below, below) for _, below in steps)
        self.narrow = nn.ModuleList(_conv(below, above, 1) for above, below in steps)
        self.up = nn.ModuleList(InceptionResidual(2 * above, above) for above, _ in steps)
        self.top = nn.Sequential(*(InceptionResidual(top, top) for _ in range(TOP_BLOCKS)))
        self.head = nn.Conv2d(top, 1, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        """Return the curve in seconds, [N, T / decimation], of records [N, T] at 300 Hz.

        The records' scale and level do not matter. T is a multiple of the decimation; where it is
        none of 256, some levels get a zero at the end.
        """
        return self.curve(self.levelled(x))[:, 0, 0]

    def levelled(self, x: Tensor) -> Tensor:
        """Return what the convolutions read, [N, 1, 1, T / decimation], of records [N, T]."""
        y = x[:, None, None, :]
        if self.config.decimation > 1:
            y = functional.avg_pool2d(y, (1, self.config.decimation))
        return levelled(y, RATE_HZ / self.config.decimation)

    def curve(self, levelled: Tensor) -> Tensor:
        """Return the curve in seconds, [N, 1, 1, T], of levelled records [N, 1, 1, T]."""
        y = self.stem(levelled)
        skips = []
        for halve, block in zip(self.halve, self.down, strict=True):
            skips.append(y)
            y = block(halve(functional.pad(y, (0, y.shape[-1] % 2))))
        ways = zip(reversed(self.narrow), reversed(self.up), reversed(skips), strict=True)
        for narrow, block, skip in ways:
            doubled = functional.interpolate(narrow(y), scale_factor=(1, 2), mode="nearest")
            y = block(torch.cat([doubled[..., : skip.shape[-1]], skip], dim=1))
        curve: Tensor = self.head(self.top(y))
        return curve


class RPeaksTask(nn.Module):
    """The trained network, frozen; its curve of the raw record is the truth, Huber the loss.

    ``scale`` brings the loss to the common scale of the tasks: see ``uninformed_scale``.
    """

    name = "rpeaks"

    def __init__(self, net: RPeaksNet, scale: float = 1.0) -> None:
        super().__init__()
        self.net = net.eval().requires_grad_(False)
        self.scale = scale

    def train(self, mode: bool = True) -> "RPeaksTask":
        """Stay in evaluation mode, whatever the module around it does."""
        del mode
        return self

    def reference(self, raw: Tensor) -> Tensor:
        """Return the curve [N, T / decimation] of the raw records [N, T]."""
        with torch.no_grad():
            curve: Tensor = self.net(raw)
        return curve

    def losses(self, records: Tensor, labels: Tensor, reference: Tensor) -> Tensor:
        """Return the scaled loss [N, T / decimation] of records [N, T] against the raw ones'."""
        del labels  # the raw record's curve is the truth
        return self.added(records, reference)

    def added(self, records: Tensor, reference: Tensor) -> Tensor:
        """Return the same: the raw record's peaks are the truth, so all of it is added."""
        return self.between(self.net(records).float(), reference)

    def between(self, curves: Tensor, reference: Tensor) -> Tensor:
        """Return the scaled loss between curves and the raw records', [N, T / decimation] all."""
        return self.scale * rr_loss(curves, reference)

    def matches(self, curves: Tensor, reference: Tensor) -> Tensor:
        """Count the peaks that curves keep of the raw records': (tp, fp, fn), int64 [N, 3]."""
        return count_matches(curves, reference, RATE_HZ / self.net.config.decimation)


def rr_loss(decoded: Tensor, raw: Tensor) -> Tensor:
    """Return the Huber loss of each sample between two curves in seconds, all [N, T]."""
    return functional.huber_loss(decoded, raw, reduction="none")


def count_matches(decoded: Tensor, raw: Tensor, rate_hz: float) -> Tensor:
    """Match the peaks of curves [N, T] to those of the raw records' at 75 ms: int64 [N, 3]."""
    pairs = zip(decoded.cpu().numpy(), raw.cpu().numpy(), strict=True)
    return torch.tensor(
        [
            peaks.match(peaks.find_peaks(curve, rate_hz), peaks.find_peaks(raw_curve, rate_hz))
            for curve, raw_curve in pairs
        ]
    )


def uninformed_scale(curves: Tensor) -> float:
    """Return what brings the loss of knowing nothing to ln 4, from raw records' curves [N, T].

    Nothing is known by a curve that stands at its overall mean everywhere.
    """
    mean = curves.mean().expand_as(curves)
    return UNINFORMED_LOSS / float(rr_loss(mean, curves).mean())


def levelled(x: Tensor, rate_hz: float) -> Tensor:
    """Take away the moving level and divide by the moving spread, [N, 1, 1, T] alike.

    It makes the network blind to gain, offset and baseline wander, and lets gradients through.
    """
    centred = x - _moving_mean(x, LEVEL_S, rate_hz)
    power = centred.square()
    floor = LOWEST_SPREAD**2 * power.mean(dim=-1, keepdim=True)
    return centred * (_moving_mean(power, SPREAD_S, rate_hz) + floor + 1e-12).rsqrt()


def _moving_mean(x: Tensor, span_s: float, rate_hz: float) -> Tensor:
    """Average over ``span_s`` around each sample; near the ends over what there is of it."""
    half = round(span_s * rate_hz / 2)
    return functional.avg_pool2d(
        x, (1, 2 * half + 1), stride=1, padding=(0, half), count_include_pad=False
    )


def _conv(channels: int, filters: int, kernel: int, *, stride: int = 1) -> nn.Conv2d:
    """Make a convolution along the last axis without a bias, two-dimensional in form only.

    With one row and channels last PyTorch's CPU kernels run it faster than a one-dimensional one.
    """
    padding = (0, (kernel - 1) // 2)
    conv = nn.Conv2d(channels, filters, (1, kernel), (1, stride), padding, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
    return conv
