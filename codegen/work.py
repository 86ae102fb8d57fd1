"""How often the parts of a layer's work are done in a run: the loops of its kernel, counted.

What each part costs stands in ``kernel_costs.toml``. Parts follow the C in
``firmware_templates/runtime``: calls, tiles of steps, rounds of a dot product, codes that are
stored, and what lies at the border.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer
from dynadeep.codegen.ops.concatenation import Concatenation
from dynadeep.codegen.ops.convolution import ConvLayer
from dynadeep.codegen.ops.depthwise_conv_2d import Depthwise
from dynadeep.codegen.ops.fully_connected import FullyConnected
from dynadeep.codegen.ops.pair import PairLayer
from dynadeep.codegen.ops.pool_2d import Pool
from dynadeep.codegen.ops.reduce import Extreme, Mean, Running
from dynadeep.codegen.ops.transpose_conv import TransposedConv1d
from dynadeep.codegen.plan import Choice, Plan
from dynadeep.codegen.schedule import Schedule

Work = Mapping[str, float]
"""How often each part is done."""

INT8 = (-128, 127)

GATHERED = ("dd_conv1d_general_s8", "dd_transpose_conv_s8")
CONVOLUTIONS = ("dd_conv1d_s8", *GATHERED)
REDUCE_BLOCK = 16  # DD_REDUCE_BLOCK

ROUNDS = {"plain": (1, 4, 4), "lanes": (2, 8, 1), "dsp": (4, 16, 4), "helium": (2, 16, 16)}
"""Of dd_dot_rows: output channels at a time, values of a whole round, values of the rest."""

SINGLE_PART = 480
"""Values that dd_dot_single takes at a time with the DSP extension, at most."""

SINGLE_GROUP = {"plain": 1, "lanes": 1, "dsp": 4, "helium": 16}
"""Values that dd_dot_single takes at a time."""


@dataclass(frozen=True)
class Runs:
    """The calls of a layer's kernel in a run, by their first steps and their steps."""

    layer: Layer
    first: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]

    @property
    def calls(self) -> int:
        """How many."""
        return len(self.first)

    def in_rows(self, stride: int) -> "Runs":
        """Return the calls of a transposed convolution in its rows of ``stride`` steps."""
        return Runs(self.layer, self.first // stride, -(-self.steps // stride))

    def tiles(self, tile: int) -> "Tiles":
        """Return the calls cut into tiles, as kernels do."""
        counts = -(-self.steps // tile)
        begin = np.repeat(self.first, counts)
        number = np.arange(len(begin)) - np.repeat(np.cumsum(counts) - counts, counts)
        end = np.repeat(self.first + self.steps, counts)
        begin = begin + number * tile
        return Tiles(self.layer, tile, begin, np.minimum(end - begin, tile), end)


@dataclass(frozen=True)
class Tiles:
    """Pieces of calls: ``end`` is behind the last step of the call."""

    layer: Layer
    tile: int
    begin: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.begin)

    @cached_property
    def full(self) -> npt.NDArray[np.bool_]:
        """Which have all of their steps."""
        full: npt.NDArray[np.bool_] = self.steps == self.tile
        return full

    @cached_property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Which read nothing but what is there, were they full."""
        window, length = self.layer.windows[0], self.layer.inputs[0].time
        low = (self.begin * window.stride - window.before) // window.up
        last = self.begin + self.tile - 1
        high = (last * window.stride - window.before) // window.up + window.kernel
        there = ((self.end - 1) * window.stride - window.before) // window.up + window.kernel
        found: npt.NDArray[np.bool_] = (low >= 0) & (high <= np.minimum(there, length))
        return found


def runs_of(plan: Plan, number: int) -> Runs:
    """Return the calls of a layer's kernel."""
    layer = plan.network.layers[number]
    time = layer.output.time
    if not isinstance(plan.memory, Schedule):
        return Runs(layer, np.array([0]), np.array([time]))
    stage = plan.memory.stages[number]
    first = min(stage.first, time)
    begins = np.array([0, *range(first, time, stage.tile)])
    ends = np.array([*begins[1:], time])
    return Runs(layer, begins, ends - begins)


def family_of(layer: Layer) -> str:
    """Return whose costs a layer's parts have: kernels that share their loops share them."""
    return "convolution" if layer.FUNCTION in CONVOLUTIONS else layer.FUNCTION


def layer_work(plan: Plan, number: int) -> Work:
    """Return how often each part of a layer's work is done."""
    runs, kernels = runs_of(plan, number), plan.choice.kernels
    layer = runs.layer
    found: Work
    match layer:
        case Depthwise():
            found = _depthwise(layer, runs, kernels)
        case ConvLayer():
            found = _convolution(plan, layer, runs)
        case FullyConnected():
            found = _connected(plan, layer, runs)
        case Pool():
            found = _pool(layer, runs, kernels)
        case Extreme() | Mean():
            found = _reduction(layer, runs, kernels)
        case Running():
            found = _running(layer, runs, kernels)
        case PairLayer():
            found = _pair(layer, runs, kernels)
        case Concatenation():
            found = _joined(layer, runs)
        case _:
            found = _plain(layer, runs)
    return {part: count for part, count in found.items() if count}


def _convolution(plan: Plan, layer: ConvLayer, runs: Runs) -> Work:
    kernels, buffers = plan.choice.kernels, plan.choice.buffers
    runs = runs.in_rows(layer.stride) if isinstance(layer, TransposedConv1d) else runs
    tiles = runs.tiles(kernels.tile)
    size, gathered = layer.weights[0].size, layer.FUNCTION in GATHERED
    filters = layer.filters if gathered else len(layer.weights)
    groups = max(1, len(layer.weights) // filters)
    parts = [min(buffers.part, size - begin) for begin in range(0, size, buffers.part)]
    blocks = [min(buffers.block, filters - b) for b in range(0, filters, buffers.block)]
    count = tiles.count * groups
    packed = count * (1 if len(parts) == 1 else len(blocks))
    outside = (
        0 if gathered else int((~tiles.inside).sum()) * (1 if len(parts) == 1 else len(blocks))
    )
    found = {
        "calls": runs.calls,
        "tiles": tiles.count,
        "blocks": count * len(blocks),
        **_dot(kernels.name, blocks, parts, count),
        **_packing(packed, parts, kernels),
        "outside": outside * len(parts),
        "outside_values": outside * size * kernels.tile,
        **_storing(layer, tiles, kernels),
    }
    if gathered:
        found["gathered"] = packed * kernels.tile
        found["gathered_taps"] = packed * kernels.tile * layer.kernel
    return found


def _dot(kernels: str, blocks: list[int], parts: list[int], count: int) -> dict[str, float]:
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
        "rows": count * rows * len(parts),
        "rounds": count * rows * wholes,
        "rounding": count * rows * sum(part >= whole for part in parts),
        "rests": count * rows * rests,
        "resting": count * rows * sum(part % whole != 0 for part in parts),
        "adding": count * rows * (len(parts) - 1),
        "pairs": count * pairs * len(parts),
        "pair_values": count * pairs * sum(-(-part // 4) for part in parts),
    }


def _packing(packed: int, parts: list[int], kernels: KernelSet) -> dict[str, float]:
    unit = 16 if kernels.name == "helium" else 8
    return {
        "packs": packed * len(parts),
        "pack_rounds": packed * sum(part // unit for part in parts),
        "pack_rests": packed * sum(part % unit != 0 for part in parts),
        "pack_rest_values": packed * sum(part % unit for part in parts),
    }


def _storing(layer: ConvLayer, tiles: Tiles, kernels: KernelSet) -> dict[str, float]:
    """Return what dd_store_tile does: whole tiles of a table fast, others with a clamp."""
    channels = len(layer.weights)
    full = int(tiles.full.sum())
    partial = tiles.count - full
    left = int(tiles.steps[~tiles.full].sum())
    whole = (layer.low, layer.high) == INT8 and layer.table is not None
    fast = whole and layer.doubles and kernels.name != "helium"
    found: dict[str, float] = {
        "stored": channels * full if fast else 0,
        "clamped": channels * (partial if fast else partial + full),
        "clamped_codes": channels * (left if fast else left + full * kernels.tile),
        "tabled": channels * left,
    }
    if layer.table is not None and not fast:
        found["tabled"] = channels * (left + full * kernels.tile)
    return found


def _connected(plan: Plan, layer: FullyConnected, runs: Runs) -> Work:
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
    parts = [min(buffers.part, size - begin) for begin in range(0, size, buffers.part)]
    blocks = [min(buffers.block, channels - b) for b in range(0, channels, buffers.block)]
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
    found: dict[str, float] = {"steps": 1, "values": size, "blocks": -(-channels // block)}
    if choice.kernels.name != "dsp":
        groups = -(-size // SINGLE_GROUP[choice.kernels.name])
        rows = {"fours": channels // 4, "left": channels % 4}
        return {**found, **rows, **{f"{name}_products": n * groups for name, n in rows.items()}}
    part = 3 * choice.buffers.part if choice.buffers.part < SINGLE_PART // 3 else SINGLE_PART
    words = [-(-min(part, size - begin) // 4) * 2 for begin in range(0, size, part)]
    pairs = -(-channels // 2)
    blocks = found["blocks"]
    return {
        **found,
        "parts": blocks * len(words),
        "packed": blocks * sum(words),
        "pairs": pairs * len(words),
        "rounds": pairs * sum(count // 8 for count in words),
        "rests": pairs * sum(count % 8 // 2 for count in words),
        "resting": pairs * sum(count % 8 != 0 for count in words),
    }


def _depthwise(layer: ConvLayer, runs: Runs, kernels: KernelSet) -> Work:
    by = {"dsp": _depthwise_dsp, "helium": _depthwise_helium}.get(kernels.name, _depthwise_sums)
    return {"calls": runs.calls, **by(layer, runs, kernels)}


def _depthwise_dsp(layer: ConvLayer, runs: Runs, kernels: KernelSet) -> dict[str, float]:
    """Return the work of dd_depthwise_dsp.c: three steps at a time where the kernel is three."""
    three = (layer.kernel, layer.stride, layer.dilation) == (3, 1, 1)
    channels, taps = layer.output.channels, layer.kernel
    quads = channels // 4 if layer.doubles and layer.filters == 1 else 0
    tiles = runs.tiles(3 if three else 1)
    good = tiles.inside & tiles.full
    fast, steps = int(good.sum()), int(tiles.steps.sum())
    border = int(tiles.steps[~good].sum())
    left = steps * (channels - 4 * quads)
    clamps = (layer.low, layer.high) != INT8
    kind = "three" if three else "one"
    return {
        f"{kind}_tiles": tiles.count,
        f"{kind}_quads": fast * quads,
        "quad_pairs": 0 if three else fast * quads * (taps // 2),
        "quad_odd": 0 if three else fast * quads * (taps % 2),
        "border_steps": border,
        "border_quads": border * quads,
        "border_taps": border * quads * taps,
        "left": left,
        "left_taps": left * taps,
        "left_border_taps": border * (channels - 4 * quads) * taps,
        "clamped": steps * quads if clamps else 0,
        "steps": steps,
        "tabled_steps": steps if layer.table is not None else 0,
        "tabled": steps * channels if layer.table is not None else 0,
    }


def _depthwise_helium(layer: ConvLayer, runs: Runs, kernels: KernelSet) -> dict[str, float]:
    """Return the work in vectors of four channels, where there is one value a channel."""
    if layer.filters != 1 or not layer.doubles:
        return _depthwise_sums(layer, runs, kernels)
    tiles = runs.tiles(kernels.tile)
    quads, taps = -(-layer.output.channels // 4), layer.kernel
    good = tiles.inside & tiles.full
    fast, steps = int(good.sum()), int(tiles.steps[~good].sum())
    table = layer.table is not None
    return {
        "tiles": tiles.count,
        "quads": fast * quads,
        "quad_taps": fast * quads * taps,
        "one_steps": steps,
        "one_quads": steps * quads,
        "one_taps": steps * quads * taps,
        "tabled_quads": quads * (fast * kernels.tile + steps) if table else 0,
    }


def _depthwise_sums(layer: ConvLayer, runs: Runs, kernels: KernelSet) -> dict[str, float]:
    """Return the work of sums by channel, stored as a convolution's are."""
    tiles = runs.tiles(kernels.tile)
    channels, taps = layer.output.channels, layer.kernel
    inside = int(tiles.inside.sum())
    outside = tiles.count - inside
    return {
        "tiles": tiles.count,
        "sums": inside * channels,
        "sum_taps": inside * channels * taps,
        "border_sums": outside * channels,
        "border_taps": outside * channels * taps,
        **_storing(layer, tiles, kernels),
    }


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
    found = {}
    for unit in UNITS[kernels.name]:
        found[f"by{unit}"], channels = divmod(channels, unit)
    return found


def _pool(layer: Pool, runs: Runs, kernels: KernelSet) -> Work:
    """Return the work of windows side by side; two and three steps have loops of their own."""
    steps, kind = layer.output.time, f"k{layer.kernel}" if layer.kernel < 4 else "kn"
    window = layer.windows[0]
    first = np.arange(steps) * window.stride - window.before
    border = int(((first < 0) | (first + layer.kernel > layer.inputs[0].time)).sum())
    converted = layer.table is not None or (layer.low, layer.high) != INT8
    found: dict[str, float] = {"calls": runs.calls, "borders": border, "steps": steps}
    for unit, count in _units(kernels, layer.output.channels).items():
        found[f"{unit}_calls"] = (runs.calls + border) * count
        found[f"{kind}_{unit}"] = steps * count
        found[f"{kind}_{unit}_taps"] = steps * count * layer.kernel if kind == "kn" else 0
        found[f"border_{unit}"] = border * count
    found["tabled"] = layer.output.size if layer.table is not None else 0
    found["converted"] = layer.output.size if converted else 0
    found["conversions"] = runs.calls if converted else 0
    return found


def _reduction(whole: Extreme | Mean, runs: Runs, kernels: KernelSet) -> Work:
    """Return the work of a reduction, each step whole."""
    steps, channels = runs.layer.output.time, whole.geometry.channels
    values = whole.geometry.count
    across = whole.geometry.next != 1
    groups = {"across": channels} if across else _units(kernels, channels)
    found: dict[str, float] = {"calls": runs.calls, "steps": steps}
    found["blocks"] = steps * -(-channels // REDUCE_BLOCK)
    for unit, count in groups.items():
        found[unit] = steps * count
        found[f"{unit}_values"] = steps * count * values
    found["made"] = steps * channels
    found["tabled"] = steps * channels if runs.layer.table is not None else 0
    return found


def _running(layer: Running, runs: Runs, kernels: KernelSet) -> Work:
    """Return the work of half a reduction: values into a state, or its end."""
    whole = layer.whole
    channels = whole.geometry.channels
    if layer.ends:
        tabled = channels if layer.table is not None else 0
        return {"ends": 1, "made": channels, "tabled": tabled}
    across = whole.geometry.next != 1
    groups = {"across": channels} if across else _units(kernels, channels)
    found: dict[str, float] = {"calls": runs.calls, "begun": channels}
    for unit, count in groups.items():
        found[unit] = runs.calls * count
        found[f"{unit}_values"] = count * whole.geometry.count
    return found


def _pair(layer: PairLayer, runs: Runs, kernels: KernelSet) -> Work:
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


def _joined(layer: Concatenation, runs: Runs) -> Work:
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


def _plain(layer: Layer, runs: Runs) -> Work:
    """Return the parts of a kernel of plain loops over steps and values."""
    steps, channels = layer.output.time, layer.output.channels
    window = min(max(one.kernel for one in layer.windows), layer.inputs[0].time)
    return {
        "calls": runs.calls,
        "steps": steps,
        "values": layer.output.size,
        "words": steps * (channels // 4),
        "left": steps * (channels % 4),
        "taps": steps * window,
        "read": steps * window * max(tensor.channels for tensor in layer.inputs),
        "tabled": layer.output.size if layer.table is not None else 0,
    }


def engine_work(plan: Plan) -> Work:
    """Return what is done besides the kernels: around each call, and for each value that comes."""
    values = plan.input_values
    kind = "values" if plan.manifest.codec is None else "samples"
    found = {"runs": 1, "stages": len(plan.network.layers), kind: values}
    if isinstance(plan.memory, Schedule):
        return {**found, **_streaming(plan, plan.memory)}
    return found


def _streaming(plan: Plan, schedule: Schedule) -> dict[str, float]:
    """Return the work of dd_stream.c: of stages that run, and of lines whose steps move."""
    calls = [runs_of(plan, number).calls for number in range(len(schedule.stages))]
    sources = [(count, one) for count, own in zip(calls, plan.sources, strict=True) for one in own]
    pushes = sum(count for count, one in sources if one.line == 0)
    moves = [_moving(schedule, line) for line in range(len(schedule.lines))]
    return {
        "calls": sum(calls),
        "sources": sum(count for count, _ in sources),
        "checks": sum(count * len(schedule.lines[one.line].readers) for count, one in sources),
        "scanned": min(pushes, plan.network.input.time) * len(schedule.stages),
        "moves": sum(times for times, _ in moves),
        "moved": sum(times * size for times, size in moves),
    }


def _moving(schedule: Schedule, number: int) -> tuple[float, float]:
    """Return about how often a line's steps move to its beginning, and how many bytes each time."""
    line = schedule.lines[number]
    if line.kept or line.life is not None or not line.readers:
        return 0, 0
    let_go = [
        stage.tile * source.window.stride / source.window.up
        for stage in schedule.stages
        for source in stage.sources
        if source.line == number
    ]
    at_once = max(line.hold, min(let_go))
    left = line.steps - at_once
    if at_once <= 0 or left <= 0:
        return 0, 0
    return line.tensor.time / at_once, left * line.tensor.channels
