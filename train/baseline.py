"""The single-level auto-encoders that Dynamic-Deep is held against (Yildirim et al. 2018).

Layer table in paper 1.1. The activation is not named there: SiLU, as everywhere else. Level 32 is
the table; level 64 pools once more and stretches once more, which adds no parameter.
"""

from torch import Tensor, nn

from dynadeep.train.layers import (
    ConvSiLU,
    Pool,
    Stretch,
    as_signal,
    start_glorot,
    start_interpolating,
)


def cae_encoder(level: int) -> nn.Sequential:
    """Compress [N, 1, 2000] to [N, 1, 62] or [N, 1, 31]; the pool after 125 samples drops one."""
    return nn.Sequential(
        ConvSiLU(1, 8, 3),
        Pool(2),
        ConvSiLU(8, 32, 5, normalise=True),
        Pool(2),
        ConvSiLU(32, 16, 3, normalise=True),
        Pool(2),
        ConvSiLU(16, 64, 11),
        ConvSiLU(64, 128, 13),
        Pool(2),
        ConvSiLU(128, 32, 3),
        ConvSiLU(32, 1, 7),
        Pool(level // 16),
    )


def cae_decoder(level: int) -> nn.Sequential:
    """Reconstruct [N, 2000] from [N, 1, 62] or [N, 1, 31]."""
    dense = nn.Linear(992 * 8, 2000)
    start_glorot(dense)
    last = ConvSiLU(32, 8, 3)
    start_interpolating(last, dense)
    return nn.Sequential(
        ConvSiLU(1, 1, 7),
        ConvSiLU(1, 32, 3),
        Stretch(level // 16),
        ConvSiLU(32, 64, 11),
        ConvSiLU(64, 128, 13),
        Stretch(2),
        ConvSiLU(128, 16, 3),
        ConvSiLU(16, 32, 5),
        Stretch(2),
        ConvSiLU(32, 32, 3),
        Stretch(2),
        last,
        nn.Flatten(),
        dense,
    )


class CAE(nn.Module):
    """The baseline: one level, 32 or 64, and no error head."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self.levels = (str(level),)
        self.encoder = cae_encoder(level)
        self.decoder = cae_decoder(level)

    def forward(self, x: Tensor) -> Tensor:
        """Return the latent, [N, 1, 62] or [N, 1, 31], of mapped segments [N, 1, 2000]."""
        latent: Tensor = self.encoder(x)
        return latent

    def encode(self, x: Tensor) -> tuple[Tensor]:
        """Compress [N, 1, 2000]; one entry per level."""
        return (self(x),)

    def decode(self, latents: tuple[Tensor, ...]) -> tuple[Tensor]:
        """Reconstruct [N, 1, 2000]; one entry per level."""
        return (as_signal(self.decoder(latents[0])).unsqueeze(1),)

    def reconstruct(self, x: Tensor) -> tuple[Tensor]:
        """Compress and decode [N, 1, 2000]; one entry per level."""
        return self.decode(self.encode(x))
