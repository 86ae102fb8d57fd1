"""The work of convolutions and fully connected layers: dot products, and codes that are stored."""

from collections.abc import Sequence

from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.ops.convolution import ConvLayer
from dynadeep.codegen.ops.fully_connected import FullyConnected
from dynadeep.codegen.ops.transpose_conv import TransposedConv1d
from dynadeep.codegen.plan import Choice, Plan
from dynadeep.codegen.work.runs import INT8, Runs, Tiles, Work

GATHERED = ("dd_conv1d_general_s8", "dd_transpose_conv_s8")

ROUNDS = {"plain": (1, 4, 4), "lanes": (2, 8, 1), "dsp": (4, 16, 4), "helium": (2, 16, 16)}
"""Of dd_dot_rows: output channels at a time, values of a whole round, values of the rest."""

SINGLE_PART = 480
"""Values that dd_dot_single takes at a time with the DSP extension, at most."""

SINGLE_GROUP = {"plain": 1, "lanes": 1, "dsp": 4, "helium": 16}
"""Values that dd_dot_single takes at a time."""


def convolution_work(plan: Plan, layer: ConvLayer, runs: Runs) -> Work:
    """Return the work of windows packed once and multiplied by blocks of filters."""
    kernels, buffers = plan.choice.kernels, plan.choice.buffers
    runs = runs.in_rows(layer.stride) if isinstance(layer, TransposedConv1d) else runs
    tiles = runs.tiles(kernels.tile)
    size, gathered = layer.weights[0].size, layer.FUNCTION in GATHERED
    filters = layer.filters if gathered else len(layer.weights)
    groups = max(1, len(layer.weights) // filters)
    parts, blocks = _cut(size, buffers.part), _cut(filters, buffers.block)
    count = tiles.count * groups
    times = 1 if len(parts) == 1 else len(blocks)  # that a window is packed
    packed = count * times
    outside = 0 if gathered else int((~tiles.inside).sum()) * times
    work = {
        "calls": runs.calls,
        "tiles": tiles.count,
        "blocks": count * len(blocks),
        **_dot(kernels.name, blocks, parts, count),
        **_packing(packed, parts, kernels),
        "outside": outside * len(parts),
        "outside_values": outside * size * kernels.tile,
        **storing(layer, tiles, kernels),
    }
    if gathered:
        work["gathered"] = packed * kernels.tile
        work["gathered_taps"] = packed * kernels.tile * layer.kernel
        work["gathered_values"] = packed * kernels.tile * size
    return work


def _cut(size: int, at_once: int) -> Sequence[int]:
    """Return how much is taken each time of what is taken so much at a time."""
    return [min(at_once, size - begin) for begin in range(0, size, at_once)]


def _dot(kernels: str, blocks: Sequence[int], parts: Sequence[int], count: int) -> dict[str, float]:
    """Return the rounds of dd_dot_rows over all blocks and parts, ``count`` times."""
    at_once, whole, rest = ROUNDS[kernels]
    rows = sum(-(-block // at_once) for block in blocks)
    pairs = 0
    if kernels == "dsp":  # one or two channels that are left of the fours go by themselves
        rows = sum((block + 1) // 4 for block in blocks)
        pairs = sum(block > (block + 1) // 4 * 4 for block in blocks)
    wholes = sum(part // whole for part in parts)
    rests = sum(-(-(part % whole) // rest) for part in parts)
    return {
        "dots": count * len(blocks) * len(parts),
        "clearing": count * rows,
        "adding": count * rows * (len(parts) - 1),
        "rounds": count * rows * wholes,
        "rounding": count * rows * sum(part >= whole for part in parts),
        "rests": count * rows * rests,
        "resting": count * rows * sum(part % whole != 0 for part in parts),
        "pairs": count * pairs * len(parts),
        "pair_values": count * pairs * sum(-(-part // 4) for part in parts),
    }


def _packing(packed: int, parts: Sequence[int], kernels: KernelSet) -> dict[str, float]:
    unit = 16 if kernels.name == "helium" else 8
    return {
        "packs": packed * len(parts),
        "pack_rounds": packed * sum(part // unit for part in parts),
        "pack_rests": packed * sum(part % unit != 0 for part in parts),
        "pack_rest_values": packed * sum(part % unit for part in parts),
    }


def storing(layer: ConvLayer, tiles: Tiles, kernels: KernelSet) -> dict[str, float]:
    """Return what dd_store_tile does: whole tiles of a table fast, others with a clamp."""
    channels = len(layer.weights)
    full = int(tiles.full.sum())
    partial = tiles.count - full
    left = int(tiles.steps[~tiles.full].sum())
    whole = (layer.low, layer.high) == INT8 and layer.table is not None
    fast = whole and layer.doubles and kernels.name != "helium"
    work: dict[str, float] = {
        "stored": channels * full if fast else 0,
        "clamped": channels * (partial if fast else partial + full),
        "clamped_codes": channels * (left if fast else left + full * kernels.tile),
        "tabled": channels * left,
    }
    if layer.table is not None and not fast:
        work["tabled"] = channels * (left + full * kernels.tile)
    return work


def connected_work(plan: Plan, layer: FullyConnected, runs: Runs) -> Work:
    """Return the work of a fully connected layer: a step by itself, or steps side by side."""
    kernels, buffers = plan.choice.kernels, plan.choice.buffers
    size, channels = layer.weights[0].size, len(layer.weights)
    tiles = runs.tiles(kernels.tile)
    steps = int(runs.steps.sum())
    tabled = layer.table is not None
    if layer.single:
        codes = {"codes": channels, "tabled": channels * tabled}
        single = {**_single(size, channels, plan.choice), **codes}
        return {f"single_{name}": steps * count for name, count in single.items()}
    full = int(tiles.full.sum())
    count = full + int(tiles.steps[~tiles.full].sum())
    parts, blocks = _cut(size, buffers.part), _cut(channels, buffers.block)
    return {
        "calls": runs.calls,
        "tiles": count,
        **_dot(kernels.name, blocks, parts, count),
        **_packing(count * len(blocks), parts, kernels),
        "codes": steps * channels,
        "tabled": steps * channels * tabled,
    }


def _single(size: int, channels: int, choice: Choice) -> dict[str, float]:
    """Return the work of dd_dot_single.c for a step."""
    block = choice.buffers.block * choice.kernels.tile  # DD_SINGLE_BLOCK
    work: dict[str, float] = {"steps": 1, "values": size, "blocks": -(-channels // block)}
    if choice.kernels.name != "dsp":
        groups = -(-size // SINGLE_GROUP[choice.kernels.name])
        rows = {"fours": channels // 4, "left": channels % 4}
        return {**work, **rows, **{f"{name}_products": n * groups for name, n in rows.items()}}
    part = 3 * choice.buffers.part if choice.buffers.part < SINGLE_PART // 3 else SINGLE_PART
    words = [-(-values // 4) * 2 for values in _cut(size, part)]
    pairs = -(-channels // 2)
    blocks = work["blocks"]
    return {
        **work,
        "parts": blocks * len(words),
        "packed": blocks * sum(words),
        "pairs": pairs * len(words),
        "rounds": pairs * sum(count // 8 for count in words),
        "rests": pairs * sum(count % 8 // 2 for count in words),
        "resting": pairs * sum(count % 8 != 0 for count in words),
    }
