"""Names of the model as C identifiers and in C comments."""

import re
from collections.abc import Iterable

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.layers import Conv1d

PRINTABLE = re.compile(r"[A-Za-z0-9_./:;+-]+")
"""Names that can stand in a C comment or string as they are."""

SEGMENT = "segment"
"""The stem of the input's names."""


def identifier(name: str) -> str:
    """Return ``name`` as a stem of C identifiers: lower case letters, digits, single underscores.

    It is never used alone but as in ``conv1_weights``, so that it cannot be a keyword.
    """
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return stem if stem[:1].isalpha() else f"layer_{stem}"


def check_layer_names(layers: Iterable[Conv1d]) -> None:
    """Check that every layer's name can be used in C, and that no two would be the same.

    Raises:
        ModelError: one cannot, or two would.
    """
    seen = {SEGMENT: "the input"}
    for layer in layers:
        for name in (layer.name, layer.input.name, layer.output.name):
            if not PRINTABLE.fullmatch(name):
                raise ModelError(
                    f"encoder.tflite: the name {name!r} cannot stand in C. "
                    "Rename it in the network: letters, digits and . / : ; _ + - only."
                )
        stem = identifier(layer.name)
        if stem in seen:
            raise ModelError(
                f'encoder.tflite: layers "{seen[stem]}" and "{layer.name}" would both be called '
                f"{stem} in C. Rename one of them in the network."
            )
        seen[stem] = layer.name
