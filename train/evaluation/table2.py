"""Table II: parameters and bytes of the encoders, and where they are counted."""

from dataclasses import dataclass

from torch import nn

from dynadeep.train.baseline import cae_encoder
from dynadeep.train.evaluation.published import TABLE2
from dynadeep.train.model import DynamicDeep

_FLOAT_BYTES = 4
_BIAS_BYTES = 4  # int32


@dataclass(frozen=True)
class Size:
    """What a network holds; ``normalisation`` is batch normalisation, which the export folds."""

    weights: int
    biases: int
    normalisation: int = 0

    @property
    def parameters(self) -> int:
        """All of it, as published."""
        return self.weights + self.biases + self.normalisation

    @property
    def float_bytes(self) -> int:
        """Everything in float32."""
        return _FLOAT_BYTES * self.parameters

    @property
    def int8_bytes(self) -> int:
        """As deployed: weights in int8, biases in int32, normalisation folded into both."""
        return self.weights + _BIAS_BYTES * self.biases

    def __add__(self, other: "Size") -> "Size":
        return Size(
            self.weights + other.weights,
            self.biases + other.biases,
            self.normalisation + other.normalisation,
        )


def size_of(network: nn.Module) -> Size:
    """Count a network's convolutions, dense layers and batch normalisations."""
    weights = biases = normalisation = 0
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d):
            normalisation += 4 * part.num_features
        elif isinstance(part, nn.Conv1d | nn.Linear):
            weights += part.weight.numel()
            biases += part.bias.numel() if part.bias is not None else 0
    return Size(weights, biases, normalisation)


def sizes() -> dict[str, Size]:
    """Return the encoders of Table II, counted on the networks; they must be the published ones."""
    network = DynamicDeep()
    cae, shared = size_of(cae_encoder(32)), size_of(network.encoder)
    assert cae.parameters == 133_585, cae
    assert shared.parameters == 83_898, shared
    return {
        "CAE32": cae,
        "two CAE32": cae + cae,
        "two encoders, not shared": shared + shared,
        "one shared encoder": shared,
        "one shared encoder, with its heads": shared + size_of(network.heads),
    }


def rows() -> list[dict[str, object]]:
    """Return Table II, a row an encoder."""
    return [
        {
            "name": name,
            "parameters": size.parameters,
            "float32_bytes": size.float_bytes,
            "int8_bytes": size.int8_bytes,
            "published": ", ".join(TABLE2.get(name, ())),
        }
        for name, size in sizes().items()
    ]
