"""The layers that every network of the kit is made of, with the initialisation they train from."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ConvSiLU(nn.Conv1d):
    """Convolve, normalise if asked, then apply SiLU: float [N, C, T] -> [N, F, T'].

    Normalisation stands before the activation, so that it folds exactly into the convolution.
    Padding defaults to half the kernel, which keeps T at stride 1. Weights start Glorot-uniform,
    biases at zero: PyTorch's own default does not train this network.
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
    ) -> None:
        side = kernel // 2 if padding is None else padding
        super().__init__(channels, filters, kernel, stride, side)
        self.norm: nn.Module = nn.BatchNorm1d(filters) if normalise else nn.Identity()
        start_glorot(self)

    # torch calls its one argument "input", which is a built-in's name.
    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return SiLU(norm(conv(x)))."""
        return functional.silu(self.norm(super().forward(x)))


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
    points = dense.in_features // signals
    position = torch.linspace(0, points - 1, dense.out_features)
    distance = (position[:, None] - torch.arange(points)[None, :]).abs()
    weights = (1 - distance).clamp(min=0) * (2 / signals)
    with torch.no_grad():
        conv.weight[1::2] = -conv.weight[::2]
        dense.weight.mul_(noise).add_(torch.cat([weights, -weights] * (signals // 2), dim=1))


def parameter_count(module: nn.Module) -> int:
    """Count weights, biases and normalisation parameters, running statistics included.

    That is how Keras counts, hence the papers: four values per normalised channel.
    """
    statistics = (b for name, b in module.named_buffers() if name.endswith(("_mean", "_var")))
    return sum(t.numel() for t in (*module.parameters(), *statistics))
