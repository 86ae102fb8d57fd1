"""Names of the model as C identifiers and in C comments."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dynadeep.codegen.layers import Layer

UNPRINTABLE = re.compile(r"[^A-Za-z0-9_./:;+-]+")
"""What of a name cannot stand in a C comment or string as it is."""

SEGMENT = "segment"
"""The stem of the input's names."""


def identifier(name: str) -> str:
    """Return ``name`` as a stem of C identifiers: lower case letters, digits, single underscores.

    It is never used alone but as in ``conv1_weights``, so that it cannot be a keyword.
    """
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return stem if stem[:1].isalpha() else f"layer_{stem}"


def unique_names(names: Sequence[str]) -> list[str]:
    """Return names that can stand in C and are all different: those of the file where they are.

    The first of several tensors keeps the name that they share; a tensor without one is called
    after its number.
    """
    clean = [re.sub(UNPRINTABLE, "_", name) or f"tensor{i}" for i, name in enumerate(names)]
    used: set[str] = set()
    unique = []
    for number, name in enumerate(clean):
        chosen = name
        while chosen in used or (chosen != name and chosen in clean):
            chosen = f"{chosen}:{number}"
        used.add(chosen)
        unique.append(chosen)
    return unique


def unique_layer_names(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Give each layer a name of which no other one's would become the same identifier."""
    used = {SEGMENT}
    named = []
    for layer in layers:
        name, count = layer.name, 1
        while identifier(name) in used:
            count += 1
            name = f"{layer.name}_{count}"
        used.add(identifier(name))
        named.append(replace(layer, name=name))
    return tuple(named)
