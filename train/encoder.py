"""The part that a board runs: the shared encoder with its levels, and the heads that foresee."""

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from dynadeep.train.errors import CheckpointError
from dynadeep.train.layers import ConvSiLU, as_signal, start_glorot
from dynadeep.train.levels import SEGMENT_SAMPLES, HeadKind, Level, ModelConfig


class TrunkLayer(NamedTuple):
    """A convolution of the trunk: filters, kernel, stride and padding (None: half the kernel)."""

    filters: int
    kernel: int
    stride: int = 1
    padding: int | None = None


TRUNK = {
    "conv1": TrunkLayer(8, 3),
    "conv2": TrunkLayer(16, 3, 2),
    "conv3": TrunkLayer(8, 1),
    "conv4": TrunkLayer(32, 5),
    "conv5": TrunkLayer(64, 5, 2),
    "conv6": TrunkLayer(32, 1),
    "conv7": TrunkLayer(16, 3),
    "conv8": TrunkLayer(32, 3, 2),
    "conv9": TrunkLayer(16, 1),
    "conv10": TrunkLayer(32, 11),
    "conv11": TrunkLayer(64, 7, 2),
    "conv12": TrunkLayer(64, 1),
    "conv13": TrunkLayer(32, 7),
    "conv14": TrunkLayer(64, 5, 2, 1),
    "conv15": TrunkLayer(32, 1),
}
"""The published table (paper 1.2). Layer 14 pads by 1, not 2, so that the trunk ends at 62 samples
as the paper's text has it."""


def samples_behind(leaves: str) -> int:
    """Return how many samples the trunk has behind one of its layers."""
    samples = SEGMENT_SAMPLES
    for name, layer in TRUNK.items():
        samples = samples_of(samples, layer.kernel, layer.stride, layer.padding)
        if name == leaves:
            break
    return samples


def samples_of(samples: int, kernel: int, stride: int, padding: int | None = None) -> int:
    """Return how many samples a convolution makes; ``padding`` None is half the kernel."""
    side = kernel // 2 if padding is None else padding
    return (samples + 2 * side - kernel) // stride + 1


def deepest_layer(config: ModelConfig) -> str:
    """Return the layer at which a network's trunk ends: where its last level leaves it."""
    return max((level.leaves for level in config.levels), key=list(TRUNK).index)


def check_level(level: Level) -> None:
    """Refuse a level that leaves the trunk nowhere, or has other codes than its layers give.

    Raises:
        CheckpointError: it names the level and what it should be.
    """
    if level.leaves not in TRUNK:
        raise CheckpointError(
            f"level {level.name} leaves the trunk at {level.leaves!r}, which has conv1 to "
            f"{list(TRUNK)[-1]}. Name one of its layers."
        )
    samples = samples_behind(level.leaves)
    if level.branch is not None:
        samples = samples_of(samples, level.branch.kernel, level.branch.stride)
    samples = samples_of(samples, level.kernel, 1)
    if samples != level.codes:
        raise CheckpointError(
            f"level {level.name} has {level.codes} codes, its convolution gives {samples}. "
            f"Let it leave the trunk elsewhere than at {level.leaves}."
        )


PUBLISHED_NORMS = ("conv4", "conv9")


class Encoded(NamedTuple):
    """What the encoder makes of segments: each level's codes [N, 1, codes], and the trunk's end."""

    latents: tuple[Tensor, ...]
    trunk: Tensor


class SharedEncoder(nn.ModuleDict):
    """Compress [N, 1, 2000] at all levels, each of which leaves the one trunk at its layer.

    Its layers are found by name: ``conv1`` to ``conv15`` as far as a level needs them, and per
    level ``latent32`` and, where it has one, ``branch64``.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        for level in config.levels:
            check_level(level)
        self.levels = config.levels
        names = list(TRUNK)
        self.trunk = tuple(names[: names.index(deepest_layer(config)) + 1])
        norms = TRUNK if config.normalised == "all" else PUBLISHED_NORMS
        channels = 1
        for name in self.trunk:
            layer = TRUNK[name]
            self[name] = ConvSiLU(
                channels,
                layer.filters,
                layer.kernel,
                stride=layer.stride,
                padding=layer.padding,
                normalise=name in norms,
            )
            channels = layer.filters
        for level in config.levels:
            self._add_level(level, normalise=config.normalised == "all")

    def _add_level(self, level: Level, *, normalise: bool) -> None:
        channels = TRUNK[level.leaves].filters
        if level.branch is not None:
            branch = level.branch
            self[f"branch{level.name}"] = ConvSiLU(
                channels, branch.filters, branch.kernel, stride=branch.stride, normalise=normalise
            )
            channels = branch.filters
        self[f"latent{level.name}"] = ConvSiLU(channels, 1, level.kernel, activated=level.activated)

    def forward(self, x: Tensor) -> Encoded:
        """Return the codes of all levels, weakest compression first."""
        codes: dict[str, Tensor] = {}
        for name in self.trunk:
            x = self[name](x)
            codes |= {
                level.name: self._codes(level, x) for level in self.levels if level.leaves == name
            }
        return Encoded(tuple(codes[level.name] for level in self.levels), x)

    def _codes(self, level: Level, x: Tensor) -> Tensor:
        if level.branch is not None:
            x = self[f"branch{level.name}"](x)
        codes: Tensor = self[f"latent{level.name}"](x)
        return codes


class LinearHeads(nn.ModuleDict):
    """Predict each level's loss from its own codes alone, by one dense layer (paper 1.4)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.levels = config.levels
        for level in config.levels:
            head = nn.Linear(level.codes, 1)
            start_glorot(head)
            self[f"head{level.name}"] = head

    def of(self, level: str) -> nn.Linear:
        """Return the head of a level."""
        head = self[f"head{level}"]
        assert isinstance(head, nn.Linear)
        return head

    def raw(self, encoded: Encoded) -> tuple[Tensor, ...]:
        """Return the predictions before the ReLU, [N, 1] each.

        A ReLU behind positive targets can die and then always promises "no error", so training
        uses these.
        """
        return tuple(
            self.of(level.name)(as_signal(codes).flatten(1))
            for level, codes in zip(self.levels, encoded.latents, strict=True)
        )

    def forward(self, encoded: Encoded) -> tuple[Tensor, ...]:
        """Return the predicted losses, [N, 1] each, never negative."""
        return tuple(functional.relu(raw) for raw in self.raw(encoded))


class TrunkHeads(nn.ModuleDict):
    """Predict each level's loss from the end of the trunk: two layers for all, one for each.

    ``foresee1`` and ``foresee2`` halve the rate, and of every ``POOLED`` steps the largest value
    stays; ``head32`` and so on are convolutions as long as what is left, one value each.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.levels = config.levels
        end = deepest_layer(config)
        self["foresee1"] = ConvSiLU(TRUNK[end].filters, FORESEE_FILTERS, 7, stride=2)
        self["foresee2"] = ConvSiLU(FORESEE_FILTERS, FORESEE_FILTERS, 5, stride=2)
        steps = samples_of(samples_of(samples_behind(end), 7, 2), 5, 2) // POOLED
        for level in config.levels:
            head = nn.Conv1d(FORESEE_FILTERS, 1, steps)
            start_glorot(head)
            self[f"head{level.name}"] = head

    def raw(self, encoded: Encoded) -> tuple[Tensor, ...]:
        """Return the predictions before the ReLU, [N, 1] each."""
        features = as_signal(self["foresee2"](self["foresee1"](encoded.trunk)))
        features = functional.max_pool1d(features, POOLED)
        return tuple(self[f"head{level.name}"](features).flatten(1) for level in self.levels)

    def forward(self, encoded: Encoded) -> tuple[Tensor, ...]:
        """Return the predicted losses, [N, 1] each, never negative."""
        return tuple(functional.relu(raw) for raw in self.raw(encoded))


FORESEE_FILTERS = 24
"""Of a trunk head's two layers: 1.3 % of the encoder's multiplications with all four levels."""
POOLED = 4
"""Steps of which the largest value stays: what is foreseen hangs on a segment's worst places."""

Heads = LinearHeads | TrunkHeads

HEADS: dict[HeadKind, type[LinearHeads] | type[TrunkHeads]] = {
    "linear": LinearHeads,
    "trunk": TrunkHeads,
}
