"""The memory plan, proven by running the kernel's contract on it byte by byte."""

import re
from importlib import resources

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.codegen.alignment import ALIGNMENT
from dynadeep.codegen.arena import TILE_STEPS, Arena, overlap_limit, plan_arena
from dynadeep.codegen.kernels import KERNELS
from dynadeep.codegen.layers import Layer, Network
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph

from .models import Net, paper_encoder, small_encoder

FREE = 0
Shape = tuple[int, int, int, tuple[int, int]]


class Memory:
    """An arena in which each byte knows which tensor wrote it last."""

    def __init__(self, size: int) -> None:
        self.owner = np.full(size, FREE)

    def write(self, start: int, size: int, owner: int) -> None:
        self.owner[start : start + size] = owner

    def holds(self, start: int, size: int, owner: int) -> bool:
        return bool((self.owner[start : start + size] == owner).all())


def run_convolution(
    memory: Memory, layer: Layer, at: tuple[int, int], owners: tuple[int, int], first_tile: int
) -> bool:
    """Compute tile by tile: write all of a tile's output, then check that its input is there.

    Reading after writing is the worst that the contract of dd_conv1d_s8.h allows. The first tile
    may be shorter, as in a kernel that treats the border by itself.
    """
    source, target = layer.inputs[0], layer.output
    (window,) = layer.windows
    step, intact = 0, True
    while step < target.time:
        end = min(step + (first_tile if step == 0 else TILE_STEPS), target.time)
        memory.write(at[1] + step * target.channels, (end - step) * target.channels, owners[1])
        first = max(window.begin(step), 0)
        last = min(window.end(end - 1), source.time)
        if last > first:
            offset = at[0] + first * source.channels
            intact &= memory.holds(offset, (last - first) * source.channels, owners[0])
        step = end
    return intact


def run_network(network: Network, arena: Arena, first_tile: int = TILE_STEPS) -> bool:
    """Run all layers; True if every value was still there when it was read."""
    memory = Memory(arena.size)
    owner = {network.input.name: 1}
    memory.write(arena.offsets[network.input.name], network.input.size, 1)
    intact = True
    for number, layer in enumerate(network.layers, start=2):
        at = (arena.offsets[layer.inputs[0].name], arena.offsets[layer.output.name])
        owner[layer.output.name] = number
        owners = (owner[layer.inputs[0].name], number)
        intact &= run_convolution(memory, layer, at, owners, first_tile)
        intact &= memory.holds(at[1], layer.output.size, number)
    return intact and all(
        memory.holds(arena.offsets[tensor.name], tensor.size, owner[tensor.name])
        for tensor in network.outputs
    )


shapes = st.tuples(
    st.integers(1, 9),  # filters
    st.integers(1, 7),  # kernel
    st.integers(1, 3),  # stride
    st.tuples(st.integers(0, 4), st.integers(0, 4)),  # padding
)


def chain(length: int, layers: list[Shape]) -> Network:
    """A chain of convolutions, those left out whose kernel is longer than what they would read."""
    net = Net(length)
    for number, (filters, kernel, stride, pad) in enumerate(layers):
        if net.model.tensors[net.at].shape[2] + sum(pad) >= kernel:
            net.layer(f"conv{number}", filters, kernel, stride, pad)
    if net.at == 0:
        net.layer("conv", 1, 1, 1, (0, 0))
    net.model.outputs = [net.at]
    return lower(read_graph(net.model.build()))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.lists(shapes, min_size=1, max_size=5), st.integers(1, TILE_STEPS))
def test_no_plan_lets_a_kernel_read_what_was_overwritten(
    length: int, layers: list[Shape], first_tile: int
) -> None:
    network = chain(length, layers)
    assert run_network(network, plan_arena(network), first_tile)


def survives(layer: Layer, distance: int) -> bool:
    """Whether the input is intact with the output at ``distance`` from it, however tiles begin."""
    at = (max(0, -distance), max(0, distance))
    size = max(at[0] + layer.inputs[0].size, at[1] + layer.output.size)
    for first_tile in range(1, TILE_STEPS + 1):
        memory = Memory(size)
        memory.write(at[0], layer.inputs[0].size, 1)
        if not run_convolution(memory, layer, at, (1, 2), first_tile):
            return False
    return True


@settings(max_examples=80, deadline=None)
@given(st.integers(4, 30), shapes)
def test_the_overlap_is_safe_and_one_byte_more_is_not(length: int, shape: Shape) -> None:
    filters, kernel, stride, (before, after) = shape
    # With less padding than the kernel is long, every step reads at least one real value.
    pad = (min(before, kernel - 1), min(after, kernel - 1))
    layer = chain(length, [(filters, kernel, stride, pad)]).layers[0]
    limit = overlap_limit(layer, layer.inputs[0].name)
    assert survives(layer, limit)
    if limit + 1 < layer.inputs[0].size:
        assert not survives(layer, limit + 1)


def test_both_levels_survive_until_the_packet_is_written() -> None:
    network = lower(read_graph(small_encoder().model.build()))
    assert run_network(network, plan_arena(network))


def test_the_papers_network_survives_its_plan() -> None:
    network = lower(read_graph(paper_encoder().model.build()))
    for first_tile in range(1, TILE_STEPS + 1):
        assert run_network(network, plan_arena(network), first_tile)


def test_an_output_moved_closer_to_its_input_is_caught_by_the_proof() -> None:
    network = lower(read_graph(paper_encoder().model.build()))
    arena = plan_arena(network)
    offsets = dict(arena.offsets)
    offsets["conv5/silu"] += 64
    assert not run_network(network, Arena(arena.spans, offsets, arena.size + 64))


def test_tensors_are_aligned_and_inside_the_arena() -> None:
    arena = plan_arena(lower(read_graph(paper_encoder().model.build())))
    assert all(offset % ALIGNMENT == 0 and offset >= 0 for offset in arena.offsets.values())
    assert arena.size == max(arena.offsets[span.name] + span.size for span in arena.spans)


def test_the_planner_and_the_kernel_agree_on_the_tile() -> None:
    header = resources.files("dynadeep.firmware_templates") / "runtime/dd_dot.h"
    text = header.read_text(encoding="utf-8")
    tiles = dict(re.findall(r"DD_KERNELS == (\w+)\n#define DD_TILE +(\d+)", text))
    assert {kernels.macro: str(kernels.tile) for kernels in KERNELS.values()} == tiles
    assert max(map(int, tiles.values())) == TILE_STEPS
