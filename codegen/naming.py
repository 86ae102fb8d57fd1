"""Names of the model as C identifiers."""

import re
from collections.abc import Iterable

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.layers import Layer


def identifier(name: str) -> str:
    """Return ``name`` as the stem of C identifiers: lower case letters, digits, single underscores.

    It is never used alone, but as in ``conv1_weights``, so that it cannot be a keyword.
    """
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return stem if stem[:1].isalpha() else f"layer_{stem}"


def check_layer_names(layers: Iterable[Layer]) -> None:
    """Check that no two layers would get the same identifier.

    Raises:
        ModelError: two would.
    """
    seen: dict[str, str] = {}
    for layer in layers:
        stem = identifier(layer.name)
        if stem in seen:
            raise ModelError(
                f'encoder.tflite: layers "{seen[stem]}" and "{layer.name}" would both be called '
                f"{stem} in C. Rename one of them in the network."
            )
        seen[stem] = layer.name
