"""The layers that every network of the kit is made of, with the initialisation they train from.

Signals are [N, C, T], or [N, C, 1, T] in channels-last order: PyTorch's CPU kernels run the latter
nearly twice as fast, and give the same values but for rounding. What is exported is the former.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from dynadeep.train.rounding import rounded_silu, rounded_values, rounded_weights


def as_picture(x: Tensor) -> Tensor:
    """Return a signal [N, C, T] as [N, C, 1, T] in channels-last order."""
    return x.unsqueeze(2).contiguous(memory_format=torch.channels_last)


def as_signal(x: Tensor) -> Tensor:
    """Return [N, C, 1, T] as [N, C, T]; what already is a signal stays."""
    return x.squeeze(2) if x.ndim == 4 else x


class Norm(nn.BatchNorm1d):
    """Batch normalisation of [N, C, T] and of [N, C, 1, T]."""

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002  # PyTorch's name
        """Take both forms."""


class LevelNorm(nn.ModuleDict):
    """A normalisation for each level: one running mean cannot stand for all their distributions."""

    def __init__(self, levels: Sequence[str], channels: int) -> None:
        super().__init__({level: Norm(channels) for level in levels})


class ConvSiLU(nn.Conv1d):
    """Convolve, normalise if asked, then apply SiLU unless it is linear: [N, C, T] -> [N, F, T'].

    Normalisation stands before the activation, so that it folds exactly into the convolution.
    Padding defaults to half the kernel, which keeps T at stride 1. Weights start Glorot-uniform,
    biases at zero: PyTorch's own default does not train this network. ``level_norms`` gives the
    layer a normalisation for each of these levels; it must then be told the level. ``int8`` is set
    by ``as_int8``.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int | None = None,
        normalise: bool = False,
        level_norms: Sequence[str] = (),
        activated: bool = True,
    ) -> None:
        side = kernel // 2 if padding is None else padding
        super().__init__(channels, filters, kernel, stride, side)
        self.norm: nn.Module = Norm(filters) if normalise else nn.Identity()
        if level_norms:
            self.norm = LevelNorm(level_norms, filters)
        self.activated = activated
        self.int8 = False
        start_glorot(self)

    # torch calls its one argument "input", which is a built-in's name.
    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, x: Tensor, level: str = ""
    ) -> Tensor:
        """Return SiLU(norm(conv(x))), or norm(conv(x)) if linear, normalised as ``level`` is."""
        norm = self.norm[level] if isinstance(self.norm, LevelNorm) else self.norm
        weight = rounded_weights(self.weight) if self.int8 else self.weight
        y: Tensor = norm(self._convolve(x, weight))
        if self.int8:
            return rounded_silu(y) if self.activated else rounded_values(y)
        return functional.silu(y) if self.activated else y

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        """Convolve along the last axis, in the form that the input has."""
        (stride,), side = self.stride, self.padding[0]
        assert isinstance(side, int)
        if x.ndim == 3:
            return functional.conv1d(x, weight, self.bias, stride, side)
        return functional.conv2d(x, weight.unsqueeze(2), self.bias, (1, stride), (0, side))


@contextmanager
def as_int8(module: nn.Module, *, enabled: bool = True) -> Iterator[None]:
    """Within it a module's convolutions compute as int8 will, with the gradient passed on.

    A filter's normalisation is a factor of its weights, so they round alike before and behind it.
    """
    layers = [m for m in module.modules() if isinstance(m, ConvSiLU)]
    for layer in layers:
        layer.int8 = enabled
    try:
        yield
    finally:
        for layer in layers:
            layer.int8 = False


class Stretch(nn.Module):
    """Repeat every step: [N, C, T] -> [N, C, factor T]."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Return the signal at the higher rate, in the form that it has."""
        if x.ndim == 3:
            return functional.interpolate(x, scale_factor=float(self.factor))
        return functional.interpolate(x, scale_factor=(1.0, float(self.factor)))


class Pool(nn.Module):
    """Keep the largest of every ``factor`` steps: [N, C, T] -> [N, C, T / factor]."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Return the signal at the lower rate, in the form that it has."""
        if x.ndim == 3:
            return functional.max_pool1d(x, self.factor)
        return functional.max_pool2d(x, (1, self.factor))


def start_glorot(layer: nn.Conv1d | nn.Linear) -> None:
    """Fill a layer with Glorot-uniform weights and a zero bias."""
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def start_interpolating(conv: nn.Conv1d, dense: nn.Linear, noise: float = 0.05) -> None:
    """Let a decoder's last two layers begin as linear interpolation of the signals before them.

    The convolution's filters are made pairs of opposites, and the dense layer subtracts the
    second of each pair: SiLU(a) - SiLU(-a) = a, so negative values pass too. It interpolates
    [filters, T] to its outputs and keeps ``noise`` times the Glorot weights that it holds.
    Without such a start the decoder stays at the mean of all windows for tens of epochs.
    """
    signals = conv.out_channels
    weights = _interpolation(dense, signals) * 2
    with torch.no_grad():
        conv.weight[1::2] = -conv.weight[::2]
        dense.weight.mul_(noise).add_(torch.cat([weights, -weights] * (signals // 2), dim=1))


def start_interpolating_linear(
    conv: nn.Conv1d, dense: nn.Linear, gain: float, noise: float = 0.05
) -> None:
    """Let a dense layer behind a linear convolution begin as interpolation of its signals' mean."""
    weights = _interpolation(dense, conv.out_channels)
    with torch.no_grad():
        conv.weight.mul_(gain)
        dense.weight.mul_(noise).add_(torch.cat([weights] * conv.out_channels, dim=1))


def _interpolation(dense: nn.Linear, signals: int) -> Tensor:
    """Return weights [outputs, T] that interpolate a signal linearly, divided by their number."""
    points = dense.in_features // signals
    position = torch.linspace(0, points - 1, dense.out_features)
    distance = (position[:, None] - torch.arange(points)[None, :]).abs()
    return (1 - distance).clamp(min=0) / signals


def parameter_count(module: nn.Module) -> int:
    """Count weights, biases and normalisation parameters, running statistics included.

    That is how Keras counts, hence the papers: four values per normalised channel.
    """
    statistics = (b for name, b in module.named_buffers() if name.endswith(("_mean", "_var")))
    return sum(t.numel() for t in (*module.parameters(), *statistics))
