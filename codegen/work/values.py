"""The work of what goes over steps and channels without weights: pools, pairs, copies."""

import numpy as np

from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer
from dynadeep.codegen.ops.concatenation import Concatenation
from dynadeep.codegen.ops.pair import PairLayer
from dynadeep.codegen.ops.pool_2d import Pool
from dynadeep.codegen.ops.reduce import Extreme, Mean, Running
from dynadeep.codegen.work.runs import INT8, Runs, Work

REDUCE_BLOCK = 16  # DD_REDUCE_BLOCK

UNITS: dict[str, tuple[int, ...]] = {
    "plain": (1,),
    "lanes": (1,),
    "dsp": (8, 4, 1),
    "helium": (16, 4),
}
"""Channels side by side that loops over channels take at a time."""


def _units(kernels: KernelSet, channels: int) -> dict[str, int]:
    """Return how many groups of each size some channels are; a last one may be in part."""
    if kernels.name == "helium":
        return {"by16": -(-channels // 16), "by4": -(-channels // 4)}
    counts = {}
    for unit in UNITS[kernels.name]:
        counts[f"by{unit}"], channels = divmod(channels, unit)
    return counts


def pool_work(layer: Pool, runs: Runs, kernels: KernelSet) -> Work:
    """Return the work of windows side by side; two and three steps have loops of their own."""
    steps, kind = layer.output.time, f"k{layer.kernel}" if layer.kernel < 4 else "kn"
    window = layer.windows[0]
    first = np.arange(steps) * window.stride - window.before
    border = int(((first < 0) | (first + layer.kernel > layer.inputs[0].time)).sum())
    converted = layer.table is not None or (layer.low, layer.high) != INT8
    work: dict[str, float] = {"calls": runs.calls, "borders": border, "steps": steps}
    for unit, count in _units(kernels, layer.output.channels).items():
        work[f"{unit}_calls"] = (runs.calls + border) * count
        work[f"{kind}_{unit}"] = steps * count
        work[f"{kind}_{unit}_taps"] = steps * count * layer.kernel if kind == "kn" else 0
        work[f"border_{unit}"] = border * count
    work["tabled"] = layer.output.size if layer.table is not None else 0
    work["converted"] = layer.output.size if converted else 0
    work["conversions"] = runs.calls if converted else 0
    return work


def reduction_work(whole: Extreme | Mean, runs: Runs, kernels: KernelSet) -> Work:
    """Return the work of a reduction, each step whole."""
    steps, channels = runs.layer.output.time, whole.geometry.channels
    values = whole.geometry.count
    across = whole.geometry.next != 1
    groups = {"across": channels} if across else _units(kernels, channels)
    work: dict[str, float] = {"calls": runs.calls, "steps": steps}
    work["blocks"] = steps * -(-channels // REDUCE_BLOCK)
    for unit, count in groups.items():
        work[unit] = steps * count
        work[f"{unit}_values"] = steps * count * values
    work["made"] = steps * channels
    work["tabled"] = steps * channels if runs.layer.table is not None else 0
    return work


def running_work(layer: Running, runs: Runs, kernels: KernelSet) -> Work:
    """Return the work of half a reduction: values into a state, or its end."""
    whole = layer.whole
    channels = whole.geometry.channels
    if layer.ends:
        tabled = channels if layer.table is not None else 0
        return {"ends": 1, "made": channels, "tabled": tabled}
    across = whole.geometry.next != 1
    groups = {"across": channels} if across else _units(kernels, channels)
    work: dict[str, float] = {"calls": runs.calls, "begun": channels}
    for unit, count in groups.items():
        work[unit] = runs.calls * count
        work[f"{unit}_values"] = count * whole.geometry.count
    return work


def pair_work(layer: PairLayer, runs: Runs, kernels: KernelSet) -> Work:
    """Return the work of rows of two operands; one of a single value is a row of its own kind."""
    fields, channels = layer.fields(), layer.output.channels
    along = fields["pair.first_step"] == channels and fields["pair.second_step"] == channels
    wide = bool(fields["pair.first_channel"]) and bool(fields["pair.second_channel"])
    lengths = runs.steps * channels if along else np.full(layer.output.time, channels)
    halves = fields.get("first_high", 0) != 0 or fields.get("second_high", 0) != 0
    kind = "halves" if halves else "whole"
    form = "wide" if wide else "narrow"
    clamps = (fields.get("out_min", -128), fields.get("out_max", 127)) != INT8
    return {
        "calls": runs.calls,
        f"{form}_rows": len(lengths),
        f"{kind}_rows": len(lengths),
        f"{kind}_by16": int((lengths // 16).sum()),
        f"{kind}_by8": int((lengths // 8).sum()),
        f"{kind}_by4": int((lengths % 16 // 4).sum()),
        f"{kind}_left": int((lengths % 4).sum()),
        f"{kind}_parts": int((-(-lengths // 4)).sum()),
        f"{form}_values": layer.output.size,
        "clamped_rows": len(lengths) if clamps else 0,
        "clamped": layer.output.size if clamps else 0,
        "tabled": layer.output.size if layer.table is not None else 0,
    }


def concatenation_work(layer: Concatenation, runs: Runs) -> Work:
    """Return the work of placing inputs beside or behind each other."""
    copied = sum(tensor.time for tensor in layer.inputs)
    return {
        "calls": runs.calls,
        "places": runs.calls * len(layer.inputs),
        "copies": copied,
        "words": sum(tensor.time * (tensor.channels // 4) for tensor in layer.inputs),
        "left": sum(tensor.time * (tensor.channels % 4) for tensor in layer.inputs),
        "blocks": sum(tensor.time * (tensor.channels // 16) for tensor in layer.inputs),
        "tabled": layer.output.size if layer.table is not None else 0,
    }


def plain_work(layer: Layer, runs: Runs) -> Work:
    """Return the parts of a kernel of plain loops over steps and values."""
    steps, channels = layer.output.time, layer.output.channels
    kernel = min(max(window.kernel for window in layer.windows), layer.inputs[0].time)
    return {
        "calls": runs.calls,
        "steps": steps,
        "values": layer.output.size,
        "words": steps * (channels // 4),
        "left": steps * (channels % 4),
        "taps": steps * kernel,
        "read": steps * kernel * max(tensor.channels for tensor in layer.inputs),
        "tabled": layer.output.size if layer.table is not None else 0,
    }
