"""The Dynamic-Deep network: one shared encoder, two compression levels, one shared decoder."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from dynadeep.train.layers import ConvSiLU, start_glorot, start_interpolating

SEGMENT_SAMPLES = 2000
LEVELS = (32, 64)
LATENT_SAMPLES = {32: 62, 64: 31}


@dataclass(frozen=True)
class ModelConfig:
    """What a checkpoint must say to have its network built again."""

    architecture: str = "dynamic-deep"
    segment_samples: int = SEGMENT_SAMPLES
    latent32_samples: int = LATENT_SAMPLES[32]
    latent64_samples: int = LATENT_SAMPLES[64]


class Latents(NamedTuple):
    """The codes of both levels: float [N, 1, 62] and [N, 1, 31]."""

    cg32: Tensor
    cg64: Tensor


class PerLevel(NamedTuple):
    """One tensor for each compression level."""

    cg32: Tensor
    cg64: Tensor


class SharedEncoder(nn.Module):
    """Compress [N, 1, 2000] to both latents; level 64 continues where level 32 branches off.

    Layers are numbered as in the published table (paper 1.2). Layer 14 pads by 1, not 2,
    so that the trunk ends at 62 samples as the paper's text has it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvSiLU(1, 8, 3)
        self.conv2 = ConvSiLU(8, 16, 3, stride=2)
        self.conv3 = ConvSiLU(16, 8, 1)
        self.conv4 = ConvSiLU(8, 32, 5, normalise=True)
        self.conv5 = ConvSiLU(32, 64, 5, stride=2)
        self.conv6 = ConvSiLU(64, 32, 1)
        self.conv7 = ConvSiLU(32, 16, 3)
        self.conv8 = ConvSiLU(16, 32, 3, stride=2)
        self.conv9 = ConvSiLU(32, 16, 1, normalise=True)
        self.conv10 = ConvSiLU(16, 32, 11)
        self.conv11 = ConvSiLU(32, 64, 7, stride=2)
        self.conv12 = ConvSiLU(64, 64, 1)
        self.conv13 = ConvSiLU(64, 32, 7)
        self.conv14 = ConvSiLU(32, 64, 5, stride=2, padding=1)
        self.conv15 = ConvSiLU(64, 32, 1)
        self.latent32 = ConvSiLU(32, 1, 7)
        self.branch64 = ConvSiLU(32, 64, 7, stride=2)
        self.latent64 = ConvSiLU(64, 1, 3)

    def forward(self, x: Tensor) -> Latents:
        """Return the latents of both levels."""
        x = self.conv4(self.conv3(self.conv2(self.conv1(x))))
        x = self.conv8(self.conv7(self.conv6(self.conv5(x))))
        x = self.conv12(self.conv11(self.conv10(self.conv9(x))))
        trunk = self.conv15(self.conv14(self.conv13(x)))
        return Latents(self.latent32(trunk), self.latent64(self.branch64(trunk)))


class ErrorHeads(nn.Module):
    """Predict each level's reconstruction error from its own latent alone (paper 1.4).

    A ReLU behind positive targets can die and then always promises "no error":
    ``raw`` gives the value before it, which is what training uses.
    """

    def __init__(self) -> None:
        super().__init__()
        self.head32 = nn.Linear(LATENT_SAMPLES[32], 1)
        self.head64 = nn.Linear(LATENT_SAMPLES[64], 1)
        start_glorot(self.head32)
        start_glorot(self.head64)

    def raw(self, latents: Latents) -> PerLevel:
        """Return the predictions before the ReLU, [N, 1] each."""
        return PerLevel(self.head32(latents.cg32.flatten(1)), self.head64(latents.cg64.flatten(1)))

    def forward(self, latents: Latents) -> PerLevel:
        """Return the predicted errors in percent PRD, [N, 1] each, never negative."""
        raw = self.raw(latents)
        return PerLevel(functional.relu(raw.cg32), functional.relu(raw.cg64))


def adapter32() -> nn.Sequential:
    """Bring the CG 32 latent [N, 1, 62] to the decoder's entrance [N, 32, 124]."""
    return nn.Sequential(
        ConvSiLU(1, 8, 3),
        ConvSiLU(8, 16, 3),
        nn.Upsample(scale_factor=2),
        ConvSiLU(16, 16, 3),
        ConvSiLU(16, 32, 3),
    )


def adapter64() -> nn.Sequential:
    """Bring the CG 64 latent [N, 1, 31] to the decoder's entrance [N, 32, 124]."""
    return nn.Sequential(
        ConvSiLU(1, 16, 7),
        ConvSiLU(16, 32, 3),
        nn.Upsample(scale_factor=2),
        ConvSiLU(32, 32, 3),
        nn.Upsample(scale_factor=2),
    )


def shared_decoder() -> nn.Sequential:
    """Turn [N, 32, 124] into a segment [N, 2000]; the last layer is linear."""
    dense = nn.Linear(992, SEGMENT_SAMPLES)
    start_glorot(dense)
    last = ConvSiLU(8, 2, 3)
    start_interpolating(last, dense)
    return nn.Sequential(
        ConvSiLU(32, 64, 7),
        ConvSiLU(64, 128, 7),
        nn.Upsample(scale_factor=2),
        ConvSiLU(128, 32, 3),
        ConvSiLU(32, 32, 5),
        nn.Upsample(scale_factor=2),
        ConvSiLU(32, 32, 3),
        ConvSiLU(32, 8, 3),
        last,
        nn.Flatten(),
        dense,
    )


class Decoder(nn.Module):
    """Reconstruct a segment from the latent of either level (paper 1.3).

    Each level has an adapter of its own; what follows is shared.
    """

    def __init__(self) -> None:
        super().__init__()
        self.adapter32 = adapter32()
        self.adapter64 = adapter64()
        self.shared = shared_decoder()

    def decode(self, latent: Tensor, level: int) -> Tensor:
        """Reconstruct [N, 1, 2000] from one level's latent."""
        adapter = {32: self.adapter32, 64: self.adapter64}[level]
        decoded: Tensor = self.shared(adapter(latent))
        return decoded.unsqueeze(1)

    def forward(self, latents: Latents) -> PerLevel:
        """Reconstruct [N, 1, 2000] from each level."""
        return PerLevel(self.decode(latents.cg32, 32), self.decode(latents.cg64, 64))


class Encoded(NamedTuple):
    """All that the device computes for a segment."""

    latent32: Tensor
    latent64: Tensor
    error32: Tensor
    error64: Tensor


class DynamicDeep(nn.Module):
    """The whole network: what the device runs (encoder, heads) and what the host runs (decoder)."""

    levels = LEVELS

    def __init__(self) -> None:
        super().__init__()
        self.encoder = SharedEncoder()
        self.heads = ErrorHeads()
        self.decoder = Decoder()

    def forward(self, x: Tensor) -> Encoded:
        """Run the device's part on mapped segments [N, 1, 2000]: both latents, both errors."""
        latents = self.encoder(x)
        return Encoded(*latents, *self.heads(latents))

    def encode(self, x: Tensor) -> Latents:
        """Compress mapped segments [N, 1, 2000] at both levels."""
        latents: Latents = self.encoder(x)
        return latents

    def decode(self, latents: tuple[Tensor, ...]) -> PerLevel:
        """Reconstruct both levels [N, 1, 2000], in the units of the mapped input."""
        decoded: PerLevel = self.decoder(Latents(*latents))
        return decoded

    def reconstruct(self, x: Tensor) -> PerLevel:
        """Compress and decode [N, 1, 2000] at both levels."""
        return self.decode(self.encode(x))
