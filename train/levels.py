"""What a network is made of, as data: its compression levels, and the kinds of its other parts."""

from dataclasses import asdict, dataclass
from typing import Literal, get_args

from dynadeep.train.errors import CheckpointError

SEGMENT_SAMPLES = 2000

NormKind = Literal["published", "all"]
DecoderKind = Literal["published", "wide"]
HeadKind = Literal["linear", "trunk"]


@dataclass(frozen=True)
class Branch:
    """A convolution of a level's own between the trunk and its codes."""

    filters: int
    kernel: int
    stride: int


@dataclass(frozen=True)
class Level:
    """One compression level: ``codes`` values for a segment, made by one convolution.

    ``name`` is its whole compression gain and part of the layers' names: ``latent32``. It
    ``leaves`` the trunk behind that layer, through ``branch`` if it has one. Codes behind a SiLU
    (``activated``) are what was published; linear ones lose less to int8. ``adapter`` names what
    brings the codes to the shared decoder's entrance.
    """

    name: str
    codes: int
    leaves: str
    kernel: int
    adapter: str
    activated: bool = True
    branch: Branch | None = None

    @property
    def gain(self) -> float:
        """Samples per code: the published compression gain."""
        return SEGMENT_SAMPLES / self.codes


PUBLISHED = (
    Level("32", 62, "conv15", 7, "published32"),
    Level("64", 31, "conv15", 3, "published64", branch=Branch(64, 7, 2)),
)
"""The two levels of the publication, weakest compression first (paper 1.2)."""

FOUR = (
    Level("8", 250, "conv10", 7, "halve250", activated=False),
    Level("16", 125, "conv13", 7, "keep125", activated=False),
    Level("32", 62, "conv15", 7, "double62", activated=False),
    Level("64", 31, "conv15", 3, "quadruple31", activated=False, branch=Branch(64, 7, 2)),
)
"""Two more, from where the trunk has their rate; all codes are linear."""


@dataclass(frozen=True)
class ModelConfig:
    """What a checkpoint must say to have its network built again.

    ``normalised``: the two layers of the publication, or all of the encoder but its codes.
    ``decoder``: the published one, or a wide one with a normalisation for each level.
    ``heads``: ``linear`` on a level's codes, as published, or a small network on the ``trunk``.
    Those of a baseline (cae32, cae64) have no meaning.
    """

    architecture: str = "dynamic-deep"
    segment_samples: int = SEGMENT_SAMPLES
    levels: tuple[Level, ...] = PUBLISHED
    normalised: NormKind = "published"
    decoder: DecoderKind = "published"
    heads: HeadKind = "linear"

    def __post_init__(self) -> None:
        codes = [level.codes for level in self.levels]
        if not codes or sorted(set(codes), reverse=True) != codes:
            raise CheckpointError(
                f"levels of {codes} codes: expected at least one, each with fewer codes than the "
                "one before. List the weakest compression first."
            )
        for name, kinds in _KINDS.items():
            if getattr(self, name) not in get_args(kinds):
                raise CheckpointError(
                    f"{name} is {getattr(self, name)!r}: this kit builds "
                    f"{' or '.join(get_args(kinds))}. Train it again with this version."
                )

    @property
    def level_names(self) -> tuple[str, ...]:
        """The levels' names, weakest compression first."""
        return tuple(level.name for level in self.levels)


_KINDS = {"normalised": NormKind, "decoder": DecoderKind, "heads": HeadKind}

NAMED = {
    "dynamic-deep": ModelConfig(levels=FOUR, normalised="all", decoder="wide"),
    "published": ModelConfig(),
    "cae32": ModelConfig("cae32"),
    "cae64": ModelConfig("cae64"),
}
"""The networks that a run can be told to train, by name."""


@dataclass(frozen=True)
class ConfigOfFormat1:
    """What checkpoints said before levels were data: there was the published network alone."""

    architecture: str = "dynamic-deep"
    segment_samples: int = SEGMENT_SAMPLES
    latent32_samples: int = PUBLISHED[0].codes
    latent64_samples: int = PUBLISHED[1].codes


def of_format_1(config: ConfigOfFormat1) -> ModelConfig:
    """Return the network that the first format means.

    Raises:
        CheckpointError: it names other lengths than there were.
    """
    expected = ConfigOfFormat1(config.architecture)
    if config != expected:
        raise CheckpointError(
            f"network of {asdict(config)}: this kit builds {asdict(expected)}. "
            "Train it again with this version."
        )
    return ModelConfig(config.architecture)
