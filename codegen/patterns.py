"""Operators that converters write several of for what is one: found, and put in one's place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dynadeep.codegen.graph import Graph, Node, Tensor

VIEWS = ("EXPAND_DIMS", "RESHAPE", "SQUEEZE")
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


@dataclass(frozen=True)
class _Links:
    """Who makes and who reads each tensor, by its index."""

    makers: Mapping[int, Node]
    readers: Mapping[int, list[Node]]
    outputs: frozenset[int]

    def before(self, node: Node, *, shared: bool = False) -> Node | None:
        """Return the node that makes what ``node`` reads, for it alone unless ``shared``."""
        tensor = node.inputs[0] if node.inputs else None
        if tensor is None or tensor.index in self.outputs:
            return None
        alone = len(self.readers.get(tensor.index, [])) == 1
        return self.makers.get(tensor.index) if alone or shared else None

    def chain(self, last: Node, *kinds: Sequence[str], shared: bool = False) -> list[Node] | None:
        """Return the nodes before ``last``, nearest first, of these kinds and views between."""
        nodes: list[Node] = []
        node: Node | None = last
        for allowed in kinds:
            assert node is not None
            node = self.before(node, shared=shared)
            while node is not None and node.kind in VIEWS and node.kind not in allowed:
                nodes.append(node)
                node = self.before(node, shared=shared)
            if node is None or node.kind not in allowed:
                return None
            nodes.append(node)
        return nodes


@dataclass(frozen=True)
class _Match:
    """What stands in the place of a pattern's last node, and which nodes before it go."""

    nodes: tuple[Node, ...]
    absorbed: tuple[Node, ...] = ()


Rewrite = Callable[[Node, _Links], _Match | None]


def merged(graph: Graph) -> Graph:
    """Return the graph with one operator for each pattern."""
    for rewrite in (_dilated, _repeated):
        graph = _rewritten(graph, rewrite)
    return graph


def _links(graph: Graph) -> _Links:
    readers: dict[int, list[Node]] = {}
    for node in graph.nodes:
        for index in {tensor.index for tensor in node.inputs if tensor is not None}:
            readers.setdefault(index, []).append(node)
    makers = {tensor.index: node for node in graph.nodes for tensor in node.outputs}
    return _Links(makers, readers, frozenset(tensor.index for tensor in graph.outputs))


def _rewritten(graph: Graph, rewrite: Rewrite) -> Graph:
    links = _links(graph)
    matches = {node.index: rewrite(node, links) for node in graph.nodes}
    absorbed = {node.index for match in matches.values() if match for node in match.absorbed}
    nodes: list[Node] = []
    recut: dict[int, Tensor] = {}  # outputs that are no series in the file, and now are
    for node in graph.nodes:
        match = matches[node.index]
        if match is not None:
            nodes += match.nodes
            new, old = match.nodes[-1].outputs[0], node.outputs[0]
            if (new.time, new.channels) != (old.time, old.channels):
                recut[new.index] = new
        elif node.index not in absorbed:
            inputs = tuple(t if t is None else recut.get(t.index, t) for t in node.inputs)
            nodes.append(replace(node, inputs=inputs))
    return replace(graph, nodes=tuple(nodes))


def _dilated(node: Node, links: _Links) -> _Match | None:
    """SPACE_TO_BATCH_ND, a convolution, BATCH_TO_SPACE_ND -> a dilated convolution.

    Steps that are ``block`` apart lie in one batch between the two, where the convolution takes
    neighbours. What was padded becomes a PAD before it.
    """
    if node.kind != "BATCH_TO_SPACE_ND":
        return None
    behind = links.chain(node, CONVOLUTIONS)
    conv = node if behind is None else behind[-1]
    ahead = links.chain(conv, ("SPACE_TO_BATCH_ND",), shared=True)  # of two gates, say
    if behind is None or ahead is None:
        return None
    first = ahead[-1]
    block, pads, crops = _along_time(first, 1), _along_time(first, 2), _along_time(node, 2)
    source, weights = first.inputs[0], conv.inputs[1]
    if block is None or pads is None or crops is None or source is None or weights is None:
        return None
    if crops[0] != 0 or crops[1] > pads[1] or len(weights.shape) != 4 or not _is_plain(conv):
        return None
    height = weights.shape[2] == 1 and weights.shape[1] != 1
    padded = _padded(node, source, pads[0], pads[1] - crops[1], height=height)
    read = padded[0].outputs[0] if padded else _upright(source, height=height)
    dilated = replace(
        conv,
        inputs=(read, *conv.inputs[1:]),
        outputs=(_upright(node.outputs[0], height=height),),
        options={**conv.options, f"Dilation{'H' if height else 'W'}Factor": block[0]},
    )
    return _Match((*padded, dilated), (*behind, *ahead))


def _is_plain(conv: Node) -> bool:
    """Return whether a convolution takes neighbours at every step, without padding."""
    steps = ("StrideH", "StrideW", "DilationHFactor", "DilationWFactor")
    valid = 1  # of the schema's Padding
    return conv.options.get("Padding") == valid and all(conv.options.get(n, 1) == 1 for n in steps)


def _along_time(node: Node, number: int) -> list[int] | None:
    """Return the block size, pads or crops of the one dimension that has any."""
    tensor = node.inputs[number] if len(node.inputs) > number else None
    if tensor is None or tensor.data is None or tensor.data.ndim not in (1, 2):
        return None
    width = 1 if tensor.data.ndim == 1 else 2
    none = [1] if width == 1 else [0, 0]
    rows = [[int(n) for n in row] for row in tensor.data.reshape(-1, width)]
    moved = [row for row in rows if row != none]
    return (moved or [none])[0] if len(moved) < 2 else None


def _padded(
    node: Node, source: Tensor, before: int, after: int, *, height: bool
) -> tuple[Node, ...]:
    """Return a PAD of a series, whose tensor the file does not have, or nothing for no steps."""
    if before == after == 0:
        return ()
    upright = _upright(source, height=height)
    axis = 1 if height else 2
    amounts = np.zeros((4, 2), np.int32)
    amounts[axis] = before, after
    paddings = Tensor(_absent(node, 1), f"{node.layer}/paddings", (4, 2), "INT32", data=amounts)
    shape = list(upright.shape)
    shape[axis] += before + after
    name = f"{node.layer}/pad"
    output = replace(upright, index=_absent(node, 0), name=name, shape=tuple(shape))
    return (Node(node.index, "PAD", (upright, paddings), (output,), {}, node.file),)


def _absent(node: Node, number: int) -> int:
    """Return an index that no tensor of a file has, another one for each node."""
    return -2 - 4 * node.index - number


def _upright(tensor: Tensor, *, height: bool) -> Tensor:
    """Return a series in the four dimensions that a convolution takes."""
    time, channels = tensor.time, tensor.channels
    shape = (1, time, 1, channels) if height else (1, 1, time, channels)
    return replace(tensor, shape=shape)


def _repeated(node: Node, links: _Links) -> _Match | None:
    """TILE of a dimension of 1 before the channels: each step again, as UpSampling1D has it."""
    source, multiples = node.inputs[:2] if len(node.inputs) > 1 else (None, None)
    if node.kind != "TILE" or source is None or multiples is None or multiples.data is None:
        return None
    if multiples.data.size != len(source.shape):
        return None
    factors = [int(n) for n in multiples.data.reshape(-1)]
    axis = len(factors) - 2
    other_factors = [factor for dimension, factor in enumerate(factors) if dimension != axis]
    if axis < 1 or source.shape[axis] != 1 or any(factor != 1 for factor in other_factors):
        return None
    index = node.outputs[0].index
    readers = links.readers.get(index, [])
    if index in links.outputs or not readers or any(reader.kind not in VIEWS for reader in readers):
        return None  # only behind a view does the dimension before the channels become time
    time = source.time * factors[axis]
    sizes = Tensor(
        _absent(node, 2), f"{node.layer}/size", (2,), "INT32", data=np.array([1, time], np.int32)
    )
    output = replace(node.outputs[0], shape=(1, 1, time, source.channels))
    resized = Node(
        node.index,
        "RESIZE_NEAREST_NEIGHBOR",
        (_upright(source, height=False), sizes),
        (output,),
        {},
        node.file,
    )
    return _Match((resized,))
