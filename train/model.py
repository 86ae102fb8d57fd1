"""The Dynamic-Deep network: one shared encoder, its compression levels, one shared decoder."""

from collections.abc import Collection

from torch import Tensor, nn

from dynadeep.train.decoder import Decoder
from dynadeep.train.encoder import HEADS, Encoded, Heads, SharedEncoder
from dynadeep.train.layers import LevelNorm
from dynadeep.train.levels import SEGMENT_SAMPLES, ModelConfig

__all__ = ["SEGMENT_SAMPLES", "DynamicDeep", "ModelConfig"]


class DynamicDeep(nn.Module):
    """The whole network: what the device runs (encoder, heads) and what the host runs (decoder)."""

    def __init__(self, config: ModelConfig | None = None) -> None:
        super().__init__()
        self.config = config or ModelConfig()
        self.levels = self.config.level_names
        self.encoder = SharedEncoder(self.config)
        self.heads: Heads = HEADS[self.config.heads](self.config)
        self.decoder = Decoder(self.config)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Run the device's part on mapped segments [N, 1, 2000].

        Returns the codes of all levels, then the predicted losses of all levels.
        """
        encoded: Encoded = self.encoder(x)
        return (*encoded.latents, *self.heads(encoded))

    def encode(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compress mapped segments [N, 1, 2000] at all levels."""
        encoded: Encoded = self.encoder(x)
        return encoded.latents

    def decode(self, latents: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Reconstruct every level [N, 1, 2000], in the units of the mapped input."""
        decoded: tuple[Tensor, ...] = self.decoder(latents)
        return decoded

    def reconstruct(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compress and decode [N, 1, 2000] at all levels."""
        return self.decode(self.encode(x))

    def parts_of(self, levels: Collection[str]) -> tuple[nn.Module, ...]:
        """Return encoder's and decoder's modules that serve these levels and no other one.

        They may be trained without a bit of the other levels changing.
        """
        encoder, decoder = self.encoder, self.decoder
        others = [level for level in self.config.levels if level.name not in levels]
        names = list(encoder.trunk)
        shared = max((names.index(level.leaves) + 1 for level in others), default=0)
        own = [encoder[name] for name in names[shared:]]
        for level in levels:
            names_of_level = (f"branch{level}", f"latent{level}")
            own += [encoder[name] for name in names_of_level if name in encoder]
            own.append(decoder[f"adapter{level}"])
        if not others:
            return (*own, decoder["shared"])
        norms = [m for m in decoder["shared"].modules() if isinstance(m, LevelNorm)]
        return (*own, *(norm[level] for norm in norms for level in levels))
