"""Where each tensor lies: offsets in one arena, found so that no value is overwritten too early.

Two tensors that live at the same time are kept apart, with one exception: a kernel computes its
output in ascending steps, so the output may grow over an input that nobody else reads, as far as
its layer's class allows. What a pair allows is an open interval of forbidden distances, output's
offset less input's; all else is legal.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dynadeep.codegen.alignment import ALIGNMENT, aligned
from dynadeep.codegen.graph import Tensor
from dynadeep.codegen.kernels import KERNELS
from dynadeep.codegen.layers import Layer, Network, Window

TILE_STEPS = max(kernels.tile for kernels in KERNELS.values())
"""Steps that a kernel may read ahead of what it wrote: DD_TILE of dd_dot.h, of any kernel set."""


@dataclass(frozen=True)
class Span:
    """A tensor in the arena: its size, and the first and last moment at which it holds values.

    Moment 0 is the input, moment n is layer n, counted from 1.
    """

    name: str
    size: int
    first: int
    last: int


@dataclass(frozen=True)
class Gap:
    """``second``'s offset less ``first``'s must not lie strictly between ``low`` and ``high``."""

    first: Span
    second: Span
    low: int
    high: int


Offsets = dict[Span, int]


@dataclass(frozen=True)
class Arena:
    """The offsets, by tensor name, and the bytes that hold them all."""

    spans: tuple[Span, ...]
    offsets: dict[str, int]
    size: int

    @property
    def places(self) -> dict[str, tuple[int, int]]:
        """Each tensor's offset and bytes, by its name."""
        return {span.name: (self.offsets[span.name], span.size) for span in self.spans}


def plan_arena(network: Network) -> Arena:
    """Place the input and every layer's output, aligned to 4 bytes; deterministic.

    Tensors are placed one by one, in a few orders, of which the one with the smallest arena wins.
    """
    spans = tensor_spans(network)
    gaps = tensor_gaps(network, spans)
    orders: tuple[Callable[[Span], tuple[int, ...]], ...] = (
        lambda span: (-span.size, span.first),
        lambda span: (span.first,),
        lambda span: (-span.first,),
    )
    plans = [_place(sorted(spans, key=order), gaps) for order in orders]
    best = min(plans, key=_size)
    start, end = _extent(best)
    offsets = {span.name: best[span] - start for span in spans}
    return Arena(spans, offsets, aligned(end - start))


def tensor_spans(network: Network) -> tuple[Span, ...]:
    """Return all tensors that the firmware keeps, with their lives."""
    end = len(network.layers) + 1
    outputs = {tensor.name for tensor in network.outputs}
    tensors = [(tensor, 0) for tensor in network.inputs]
    tensors += [(layer.output, moment) for moment, layer in enumerate(network.layers, start=1)]
    spans = []
    for tensor, first in tensors:
        reads = [m for m, layer in enumerate(network.layers, start=1) if _reads(layer, tensor.name)]
        last = end if tensor.name in outputs else max(reads, default=first)
        spans.append(Span(tensor.name, tensor.size, first, last))
    return tuple(spans)


def _reads(layer: Layer, name: str) -> bool:
    return any(tensor.name == name for tensor in layer.inputs)


def tensor_gaps(network: Network, spans: Iterable[Span]) -> tuple[Gap, ...]:
    """Return what each pair of tensors that live at the same time forbids."""
    ordered = sorted(spans, key=lambda span: span.first)
    gaps = []
    for index, first in enumerate(ordered):
        for second in ordered[index + 1 :]:
            if second.first <= first.last:
                gaps.append(_gap(network, first, second))
    return tuple(gaps)


def _gap(network: Network, first: Span, second: Span) -> Gap:
    low = -second.size
    if second.first > 0:
        layer = network.layers[second.first - 1]
        if _reads(layer, first.name) and first.last == second.first:
            low = max(low, overlap_limit(layer, first.name))
    return Gap(first, second, low, first.size)


def overlap_limit(layer: Layer, name: str) -> int:
    """Return the largest distance, output's offset less input's, at which the two may overlap.

    While some steps from step t on are computed, their output must end before the first input byte
    that step t or a later one reads: a tile of steps, which may start anywhere, or a single value
    of a kernel that goes value by value.
    """
    limits = [
        _limit(layer, tensor, window)
        for tensor, window in zip(layer.inputs, layer.windows, strict=True)
        if tensor.name == name
    ]
    return min(limits)


def _limit(layer: Layer, source: Tensor, window: Window) -> int:
    steps, width = layer.output.time, layer.output.channels
    ahead = {"none": steps, "tile": TILE_STEPS, "step": 0}[layer.OVERLAP]
    return min(
        max(window.begin(step), 0) * source.channels - min(step + ahead, steps) * width
        for step in range(steps)
    )


def _place(spans: Sequence[Span], gaps: Sequence[Gap]) -> Offsets:
    """Put each tensor where the arena grows least; offsets may be negative until all are placed."""
    placed: Offsets = {}
    for span in spans:
        forbidden = [_forbidden(span, gap, placed) for gap in gaps if _joins(gap, span, placed)]
        edges = {0, *(low for low, _ in forbidden), *(high for _, high in forbidden)}
        legal = [
            offset
            for offset in sorted(edges)
            if not any(low < offset < high for low, high in forbidden)
        ]
        placed[span] = min(legal, key=lambda offset: _growth(placed, span, offset))
    return placed


def _growth(placed: Offsets, span: Span, offset: int) -> tuple[int, int]:
    """Return the arena's size with ``span`` at ``offset``, and how far that is from its start."""
    start, end = _extent({**placed, span: offset})
    return end - start, offset - start


def _joins(gap: Gap, span: Span, placed: Offsets) -> bool:
    return (gap.first == span and gap.second in placed) or (
        gap.second == span and gap.first in placed
    )


def _forbidden(span: Span, gap: Gap, placed: Offsets) -> tuple[int, int]:
    """Return the open interval of offsets of ``span`` that one placed tensor forbids, aligned."""
    if span == gap.second:
        low, high = placed[gap.first] + gap.low, placed[gap.first] + gap.high
    else:
        low, high = placed[gap.second] - gap.high, placed[gap.second] - gap.low
    return low // ALIGNMENT * ALIGNMENT, aligned(high)


def _extent(placed: Offsets) -> tuple[int, int]:
    """Return the lowest offset and the highest end."""
    start = min(placed.values(), default=0)
    return start, max((offset + span.size for span, offset in placed.items()), default=0)


def _size(placed: Offsets) -> int:
    start, end = _extent(placed)
    return end - start
