"""One layer in the words of the templates: its arrays, its parameters, its call."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dynadeep.codegen import c_text
from dynadeep.codegen.describe import summary
from dynadeep.codegen.graph import Int8s, Int32s, Tensor
from dynadeep.codegen.inventory import flash_arrays
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Conv1d
from dynadeep.codegen.naming import identifier
from dynadeep.codegen.plan import LayerRow


@dataclass(frozen=True)
class ArrayText:
    """One array of constants."""

    name: str  # "conv5_weights"
    c_type: str
    words: bool  # a kernel reads it by words, which must be aligned
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
    fields: tuple[tuple[str, str], ...]  # of the parameters' struct, in its order
    source: str  # macros of the offsets in the arena
    target: str
    tensor: int  # number of its first traced tensor


def layer_text(
    row: LayerRow, tensor: int, macros: Mapping[str, str], kernels: KernelSet
) -> LayerText:
    """Describe a layer.

    Args:
        row: the layer in the plan.
        tensor: the number of its first traced tensor.
        macros: the macro of each tensor's offset, by the tensor's name.
        kernels: who reads the weights.
    """
    layer, stem = row.layer, identifier(row.layer.name)
    source, target = layer.input, layer.output
    return LayerText(
        number=row.number,
        stem=stem,
        title=f"{layer.name}  {summary(layer)}: {source.time}x{source.channels} -> "
        f"{target.time}x{target.channels}, {layer.macs:,} MAC",
        notes=tuple(_notes(layer)),
        arrays=tuple(
            _array(layer, f"{stem}_{kind}", kind, array)
            for kind, array in flash_arrays(layer, kernels).items()
        ),
        fields=_fields(layer, stem),
        source=macros[source.name],
        target=macros[target.name],
        tensor=tensor,
    )


def _notes(layer: Conv1d) -> Iterator[str]:
    """Yield a line for each tensor: what its codes mean."""
    yield _meaning("in  ", layer.input)
    if layer.table is not None:
        yield _meaning("conv", layer.convolved)
    yield _meaning("out ", layer.output)


def _meaning(role: str, tensor: Tensor) -> str:
    return (
        f"{role}  {tensor.name}  int8 [{tensor.time}, {tensor.channels}]  "
        f"{c_text.scale(tensor.scale)} x (code - {c_text.signed(tensor.zero_point)})"
    )


def _array(layer: Conv1d, name: str, kind: str, array: Int8s | Int32s) -> ArrayText:
    shape = " x ".join(str(size) for size in array.shape)
    comment = f"{layer.name}/{kind}  [{shape}]  {array.nbytes:,} B"
    if kind == "weights":
        comment += f", scale {c_text.span(layer.weight_scales)}"
    return ArrayText(
        name=name,
        c_type=c_text.C_TYPES[array.dtype.name],
        words=kind == "weights",
        count=array.size,
        comment=comment,
        rows=c_text.rows(array),
    )


def _fields(layer: Conv1d, stem: str) -> tuple[tuple[str, str], ...]:
    """Return the parameters as the runtime's struct orders them."""
    numbers = {
        "in_length": layer.input.time,
        "out_length": layer.output.time,
        "in_channels": layer.input.channels,
        "out_channels": layer.output.channels,
        "kernel": layer.kernel,
        "stride": layer.stride,
        "pad_before": layer.pad_before,
        "in_zero_point": layer.input.zero_point,
        "out_zero_point": layer.convolved.zero_point,
        "out_min": layer.low,
        "out_max": layer.high,
        "doubles": "true" if layer.doubles else "false",
    }
    arrays = {kind: f"{stem}_{kind}" for kind in layer.constants}
    arrays.setdefault("table", "NULL")
    return tuple((name, str(value)) for name, value in {**numbers, **arrays}.items())
