"""A layer as C data, as the generated C would hold it."""

import json
from collections.abc import Mapping
from typing import Any

from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer
from tests.firmware.layouts import Image, Reference, Symbol

NAMED = {"true": 1, "false": 0}
BRACKETS = str.maketrans("{}", "[]")


def add_layer(image: Image, layer: Layer, kernels: KernelSet) -> Mapping[str, Any]:
    """Add a layer's arrays and parameters; return its kernel, parameters and table as members."""
    values: dict[str, Any] = {}
    for name, value in layer.fields().items():
        outer, _, member = name.rpartition(".")  # "pair.channels" is a member of a member
        members = values.setdefault(outer, {}) if outer else values
        members[member] = _value(value)
    values |= {
        kind: image.array(array.tobytes()) for kind, array in layer.constants(kernels).items()
    }
    table: Reference | None = None
    if layer.table is not None:
        table = image.array(layer.table.tobytes())
    params = image.struct(layer.STRUCT, values)
    return {"run": Symbol(layer.FUNCTION), "params": params, "table": table}


def _value(value: int | str) -> Any:
    """Return what a member's C text stands for: a number, or members in their order in braces."""
    if not isinstance(value, str):
        return int(value)
    return NAMED[value] if value in NAMED else json.loads(value.translate(BRACKETS))
