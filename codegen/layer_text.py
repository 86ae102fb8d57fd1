"""One layer in the words of the templates: its arrays, its parameters, its call."""

from collections.abc import Iterator
from dataclasses import dataclass

from dynadeep.codegen import c_text
from dynadeep.codegen.graph import Int8s, Int32s, Tensor
from dynadeep.codegen.inventory import flash_arrays
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer
from dynadeep.codegen.naming import identifier
from dynadeep.codegen.plan import LayerRow
from dynadeep.codegen.running import State


@dataclass(frozen=True)
class ArrayText:
    """One array of constants."""

    name: str  # "conv5_weights"
    c_type: str
    count: int
    comment: str
    rows: tuple[str, ...]


@dataclass(frozen=True)
class LayerText:
    """One layer."""

    number: int
    stem: str  # "conv5"
    title: str  # "conv5  conv k5 s2, SiLU: 1000x32 -> 500x64, 5,120,000 MAC"
    notes: tuple[str, ...]
    arrays: tuple[ArrayText, ...]
    function: str  # "dd_conv1d_s8"
    struct: str  # type of its parameters
    fields: tuple[tuple[str, str], ...]  # of the parameters' struct, in its order
    table: str  # the name of its table, or NULL
    tensor: int  # number of its first traced tensor


def layer_text(row: LayerRow, tensor: int, kernels: KernelSet) -> LayerText:
    """Describe a layer.

    Args:
        row: the layer in the plan.
        tensor: the number of its first traced tensor.
        kernels: who reads the weights.
    """
    layer, stem = row.layer, identifier(row.layer.name)
    source, target = layer.inputs[0], layer.output
    return LayerText(
        number=row.number,
        stem=stem,
        title=f"{layer.name}  {layer.summary}: {source.time}x{source.channels} -> "
        f"{target.time}x{target.channels}, {layer.macs:,} MAC",
        notes=tuple(_notes(layer)),
        arrays=tuple(
            _array(
                layer,
                f"{stem}_{kind}",
                kind,
                array,
            )
            for kind, array in flash_arrays(layer, kernels).items()
        ),
        function=layer.FUNCTION,
        struct=layer.STRUCT,
        fields=_fields(layer, stem, kernels),
        table="NULL" if layer.table is None else f"{stem}_table",
        tensor=tensor,
    )


def _notes(layer: Layer) -> Iterator[str]:
    """Yield a line for each tensor: what its codes mean."""
    for tensor in layer.inputs:
        yield _meaning("in  ", tensor)
    if layer.table is not None:
        yield _meaning("made", layer.computed)
    yield _meaning("out ", layer.output)


def _meaning(role: str, tensor: Tensor) -> str:
    if isinstance(tensor, State):
        return f"{role}  {tensor.name}  {tensor.bytes} bytes, kept while {tensor.time} steps come"
    return (
        f"{role}  {tensor.name}  int8 [{tensor.time}, {tensor.channels}]  "
        f"{c_text.scale(tensor.scale)} x (code - {c_text.signed(tensor.zero_point)})"
    )


def _array(layer: Layer, name: str, kind: str, array: Int8s | Int32s) -> ArrayText:
    shape = " x ".join(str(size) for size in array.shape)
    comment = f"{layer.name}/{kind}  [{shape}]  {array.nbytes:,} B"
    if remark := layer.remark(kind):
        comment += f", {remark}"
    return ArrayText(
        name=name,
        c_type=c_text.C_TYPES[array.dtype.name],
        count=array.size,
        comment=comment,
        rows=c_text.rows(array),
    )


def _fields(layer: Layer, stem: str, kernels: KernelSet) -> tuple[tuple[str, str], ...]:
    """Return the parameters as the runtime's struct orders them."""
    arrays = {kind: f"{stem}_{kind}" for kind in layer.constants(kernels)}
    return tuple((name, str(value)) for name, value in {**layer.fields(), **arrays}.items())
