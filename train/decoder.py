"""The part that the host runs: an adapter for each level, and the decoder that all levels share."""

from collections.abc import Callable, Iterable

from torch import Tensor, nn

from dynadeep.train.errors import CheckpointError
from dynadeep.train.layers import (
    ConvSiLU,
    Stretch,
    as_signal,
    start_glorot,
    start_interpolating,
    start_interpolating_linear,
)
from dynadeep.train.levels import SEGMENT_SAMPLES, DecoderKind, ModelConfig

SIGNALS = 4
"""That the wide decoder's dense layer interpolates, of 496 steps each."""

START_GAIN = 0.1
"""Of the wide decoder: what it interpolates is normalised, an ECG is a tenth of that."""


def _double62() -> nn.Sequential:
    return nn.Sequential(
        ConvSiLU(1, 8, 3),
        ConvSiLU(8, 16, 3),
        Stretch(2),
        ConvSiLU(16, 16, 3),
        ConvSiLU(16, 32, 3),
    )


def _quadruple31() -> nn.Sequential:
    return nn.Sequential(
        ConvSiLU(1, 16, 7),
        ConvSiLU(16, 32, 3),
        Stretch(2),
        ConvSiLU(32, 32, 3),
        Stretch(2),
    )


def _wide_halve250() -> nn.Sequential:
    return nn.Sequential(
        ConvSiLU(1, 32, 7, normalise=True),
        ConvSiLU(32, 64, 4, stride=2, padding=0, normalise=True),
        ConvSiLU(64, 32, 3, normalise=True),
    )


def _wide_keep125() -> nn.Sequential:
    return nn.Sequential(
        ConvSiLU(1, 32, 7, normalise=True),
        ConvSiLU(32, 64, 4, padding=1, normalise=True),
        ConvSiLU(64, 32, 3, normalise=True),
    )


def _wide_double62() -> nn.Sequential:
    return nn.Sequential(
        ConvSiLU(1, 32, 7, normalise=True),
        ConvSiLU(32, 64, 3, normalise=True),
        Stretch(2),
        ConvSiLU(64, 32, 3, normalise=True),
    )


def _wide_quadruple31() -> nn.Sequential:
    return nn.Sequential(
        ConvSiLU(1, 32, 7, normalise=True),
        ConvSiLU(32, 64, 3, normalise=True),
        Stretch(2),
        ConvSiLU(64, 64, 3, normalise=True),
        Stretch(2),
        ConvSiLU(64, 32, 3, normalise=True),
    )


ADAPTERS: dict[str, Callable[[], nn.Sequential]] = {
    "published32": _double62,
    "published64": _quadruple31,
    "halve250": _wide_halve250,
    "keep125": _wide_keep125,
    "double62": _wide_double62,
    "quadruple31": _wide_quadruple31,
}
"""Each brings a level's codes [N, 1, codes] to the shared decoder's entrance [N, 32, 124]."""


class SharedDecoder(nn.Sequential):
    """Turn [N, 32, 124] into a segment [N, 2000]; the last layer is linear."""

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        super().__init__(*layers)

    def forward(self, x: Tensor, level: str) -> Tensor:  # type: ignore[override]
        """Decode what the adapter of ``level`` gives."""
        for layer in self:
            x = layer(x, level) if isinstance(layer, ConvSiLU) else layer(x)
        return x


def _published(_: ModelConfig) -> SharedDecoder:
    dense = nn.Linear(992, SEGMENT_SAMPLES)
    start_glorot(dense)
    last = ConvSiLU(8, 2, 3)
    start_interpolating(last, dense)
    return SharedDecoder(
        (
            ConvSiLU(32, 64, 7),
            ConvSiLU(64, 128, 7),
            Stretch(2),
            ConvSiLU(128, 32, 3),
            ConvSiLU(32, 32, 5),
            Stretch(2),
            ConvSiLU(32, 32, 3),
            ConvSiLU(32, 8, 3),
            last,
            nn.Flatten(),
            dense,
        )
    )


def _wide(config: ModelConfig) -> SharedDecoder:
    """Return the same with twice the dense layer, and a normalisation for each level."""
    levels = config.level_names
    last = ConvSiLU(32, SIGNALS, 3, activated=False)
    dense = nn.Linear(SIGNALS * 496, SEGMENT_SAMPLES)
    start_glorot(dense)
    start_interpolating_linear(last, dense, START_GAIN)
    return SharedDecoder(
        (
            ConvSiLU(32, 64, 7, level_norms=levels),
            ConvSiLU(64, 128, 7, level_norms=levels),
            Stretch(2),
            ConvSiLU(128, 32, 3, level_norms=levels),
            ConvSiLU(32, 32, 5, level_norms=levels),
            Stretch(2),
            ConvSiLU(32, 32, 3, level_norms=levels),
            last,
            nn.Flatten(),
            dense,
        )
    )


SHARED: dict[DecoderKind, Callable[[ModelConfig], SharedDecoder]] = {
    "published": _published,
    "wide": _wide,
}


class Decoder(nn.ModuleDict):
    """Reconstruct a segment from the codes of any level (paper 1.3).

    Each level has an adapter of its own, ``adapter32``; what follows is ``shared``.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.levels = config.level_names
        for level in config.levels:
            if level.adapter not in ADAPTERS:
                raise CheckpointError(
                    f"level {level.name} has adapter {level.adapter!r}: this kit builds "
                    f"{', '.join(ADAPTERS)}. Train it again with this version."
                )
            self[f"adapter{level.name}"] = ADAPTERS[level.adapter]()
        self["shared"] = SHARED[config.decoder](config)

    def decode(self, codes: Tensor, level: str) -> Tensor:
        """Reconstruct [N, 1, 2000] from the codes of one level."""
        decoded: Tensor = self["shared"](self[f"adapter{level}"](codes), level)
        return as_signal(decoded).unsqueeze(1)

    def forward(self, latents: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Reconstruct [N, 1, 2000] from each level's codes."""
        return tuple(
            self.decode(codes, level) for level, codes in zip(self.levels, latents, strict=True)
        )
