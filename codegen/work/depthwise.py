"""The work of depthwise convolutions: each kernel set has loops of its own."""

from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.ops.convolution import ConvLayer
from dynadeep.codegen.work.convolution import storing
from dynadeep.codegen.work.runs import INT8, Runs, Work


def depthwise_work(layer: ConvLayer, runs: Runs, kernels: KernelSet) -> Work:
    """Return the work of a depthwise convolution, of the form that the kernel set has of it."""
    kernel_work = {"dsp": _depthwise_dsp, "helium": _depthwise_helium}.get(
        kernels.name, _depthwise_sums
    )
    return {"calls": runs.calls, **kernel_work(layer, runs, kernels)}


def _depthwise_dsp(layer: ConvLayer, runs: Runs, kernels: KernelSet) -> dict[str, float]:
    """Return the work of dd_depthwise_dsp.c: three steps at a time where the kernel is three."""
    three = (layer.kernel, layer.stride, layer.dilation) == (3, 1, 1)
    channels, taps = layer.output.channels, layer.kernel
    quads = channels // 4 if layer.doubles and layer.filters == 1 else 0
    tiles = runs.tiles(3 if three else 1)
    inside = tiles.inside & tiles.full
    fast, steps = int(inside.sum()), int(tiles.steps.sum())
    border = int(tiles.steps[~inside].sum())
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
    inside = tiles.inside & tiles.full
    fast, steps = int(inside.sum()), int(tiles.steps[~inside].sum())
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
        **storing(layer, tiles, kernels),
    }
