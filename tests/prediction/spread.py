"""The networks that costs are fitted to: a few layers of every kernel, of many sizes each.

They are drawn once, by fixed seeds, so that a fit can be made again.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np

from dynadeep.codegen.bundle import Manifest, model_id_of
from dynadeep.codegen.canonical import ends
from dynadeep.codegen.plan import Engine
from tests.graphs.canvas import OPS, Canvas, Codes
from tests.graphs.draws import arithmetic, convolutions, moves, pools, shapes, tables
from tests.graphs.draws.draw import Draw

NUMBERS = convolutions.Numbers(1.0, extreme=False, bias_bits=12, one_scale=False, biased=True)
CHANNELS = (1, 2, 3, 4, 5, 8, 12, 15, 16, 24, 31, 32, 33, 48, 64, 70)
WHOLE = ("convolutions", "depthwise", "pools")
"""Those that the layers engine runs as well."""

LATEST = 6
"""Tensors that a layer's input is picked from."""

Chain = Sequence[Draw]


@cache
def networks() -> dict[str, bytes]:
    """Return the .tflite files by name."""
    return {
        "convolutions": _file(_all(_convolutions(seed) for seed in range(4)), 40, 3),
        "wide": _file(_all([_wide(), _connected(8)]), 12, 32),
        "depthwise": _file(_all([_depthwise(5), _depthwise(6), _general(7)]), 36, 9),
        "pools": _file(_all([_pools(9), _pools(10)]), 48, 5),
        "pairs": _file(_all([_pairs(11), _pairs(12)]), 30, 7),
        "moves": _file(_moves(13), 20, 6),
        "tiny": _file([[_conv(4, 3)]], 16, 2),
        "short": _file([[_conv(6, 5), _table(), _conv(8, 3, 2)]], 64, 1),
    }


def _all(parts: Iterable[Iterable[Chain]]) -> Iterator[Chain]:
    return itertools.chain.from_iterable(parts)


def spread() -> Iterator[tuple[bytes, Engine]]:
    """Yield each network with the engines that run it."""
    for name, content in networks().items():
        yield content, "stream"
        if name in WHOLE:
            yield content, "layers"


def manifest_of(content: bytes) -> Manifest:
    """Return what a bundle of a .tflite would say of it."""
    inputs, outputs = ends(content)
    return Manifest(model_id_of(content), "0.1.0", inputs, outputs, files={}, record={})


def _file(chains: Iterable[Chain], time: int, channels: int) -> bytes:
    """Draw chains of operators; each but the first begins at an earlier tensor."""
    canvas = Canvas(np.random.default_rng([time, channels]), "11TC", expands=False)
    shape = canvas.whole_shape(time, channels)
    canvas.readable.append(canvas.activation(shape, Codes(0.03, 5), "input"))
    canvas.model.inputs = canvas.readable[:1]
    ends_of: list[int] = []
    for number, chain in enumerate(chains):
        at = canvas.readable[0] if number % 2 == 0 else canvas.readable[-1 - number % LATEST]
        for draw in chain:
            outputs = draw.add(canvas, at)
            canvas.readable += outputs
            at = outputs[-1] if outputs else at
        ends_of.append(at)
    canvas.model.outputs = sorted(set(ends_of) - set(canvas.model.inputs))
    return canvas.model.build()


def _conv(channels: int, kernel: int, stride: int = 1, **also: int) -> Draw:
    same, activation = also.get("same", 1), also.get("activation", 0)
    return convolutions.Conv2D(
        channels, kernel, stride, also.get("dilation", 1), also.get("groups", 0),
        same=bool(same), activation=activation, numbers=NUMBERS,
    )  # fmt: skip


def _table() -> Draw:
    return tables.Curve(OPS.LOGISTIC, 1.0)


def _convolutions(seed: int) -> Iterable[Chain]:
    """Convolutions with tables and clamps, and without, of strides and padding of both kinds."""
    rng = np.random.default_rng([seed, 1])
    for number in range(7):
        chain: list[Draw] = []
        for _ in range(2):
            kernel = int(rng.choice((1, 2, 3, 5, 7, 9, 16)))
            stride, same = int(rng.choice((1, 1, 1, 2))), int(rng.integers(2))
            activation = int(rng.choice((0, 0, 1)))
            count = int(rng.choice(CHANNELS))
            chain.append(_conv(count, kernel, stride, same=same, activation=activation))
            if (number + seed) % 2:
                chain.append(_table())
        yield chain


def _wide() -> Iterable[Chain]:
    """Windows of more values than are packed at a time, and more channels than a block has."""
    for kernel, count in ((5, 40), (6, 9), (9, 24), (3, 130), (8, 33), (11, 16), (7, 5)):
        yield [_conv(count, kernel), *([_table()] if count % 2 else [])]


def _depthwise(seed: int) -> Iterable[Chain]:
    rng = np.random.default_rng([seed, 1])
    for number in range(8):
        chain: list[Draw] = [_conv(int(rng.choice(CHANNELS)), 1)]
        for _ in range(2):
            chain.append(
                convolutions.Depthwise(
                    1 if number % 4 else 2,
                    int(rng.choice((2, 3, 3, 5, 9))),
                    int(rng.choice((1, 1, 1, 2))),
                    int(rng.choice((1, 1, 2))),
                    same=bool(rng.integers(2)),
                    activation=int(rng.choice((0, 1))),
                    numbers=NUMBERS,
                )
            )
            if number % 3 == 0:
                chain.append(_table())
        yield chain


def _general(seed: int) -> Iterable[Chain]:
    """Dilated and grouped convolutions, and transposed ones."""
    rng = np.random.default_rng([seed, 1])
    for number in range(8):
        groups = number % 2
        first = _conv(int(rng.choice((8, 12, 16, 32))), 1)
        kernel, dilation = int(rng.choice((2, 3, 5))), 1 if groups else int(rng.choice((2, 3, 4)))
        count = int(rng.choice((8, 12, 16, 24)))
        yield [first, _conv(count, kernel, dilation=dilation, groups=2 * groups)]
        wide = convolutions.TransposeConv(
            int(rng.choice((3, 4, 7, 16, 24))), int(rng.choice((2, 3, 4, 5))), 2 + number % 4 // 3,
            same=bool(number % 3), activation=0, numbers=NUMBERS,
        )  # fmt: skip
        yield [first, wide, *([_table()] if number % 2 else [])]


def _connected(seed: int) -> Iterable[Chain]:
    rng = np.random.default_rng([seed, 1])
    axes: tuple[convolutions.Over, ...] = ("flat", "all", "channels")
    for number in range(14):
        over = axes[number % 3]
        units = int(rng.choice(CHANNELS))
        flat = convolutions.FullyConnected(over, units, number % 2, NUMBERS)
        chain: list[Draw] = [_conv(int(rng.choice((3, 8, 16, 21, 32))), 1), flat]
        yield [*chain, _table()] if number % 4 == 3 else chain


def _pools(seed: int) -> Iterable[Chain]:
    rng = np.random.default_rng([seed, 1])
    codes = (OPS.MAX_POOL_2D, OPS.AVERAGE_POOL_2D)
    reductions = (OPS.MEAN, OPS.REDUCE_MAX, OPS.REDUCE_MIN)
    axes: tuple[pools.Over, ...] = ("time", "channels", "all")
    for number in range(12):
        kernel = int(rng.choice((2, 2, 3, 4, 7)))
        stride = kernel if number % 4 < 2 else int(rng.choice((1, 2)))
        widened = _conv(int(rng.choice(CHANNELS)), 1)
        pool = pools.Pool(
            codes[number % 2], kernel, stride, same=number % 3 == 0, activation=number % 5 // 4
        )
        chain = [widened, pool, *([_table()] if number % 4 == 0 else [])]
        yield chain
        over = axes[(number // 3) % 3]
        code = reductions[number % 3]
        yield [*chain[:1], pools.Reduce(code, over, keeps=True, all_axes=True, gain=1.0)]


def _pairs(seed: int) -> Iterable[Chain]:
    """Operators of two operands, and tables and SOFTMAX by themselves."""
    rng = np.random.default_rng([seed, 1])
    operands: tuple[arithmetic.Operand, ...] = ("computed", "number", "channels", "all", "steps")
    for number in range(15):
        widened, operand = _conv(int(rng.choice(CHANNELS)), 1), operands[number % 5]
        code = (OPS.ADD, OPS.MUL, OPS.SUB)[number % 3]
        yield [
            widened,
            arithmetic.Arithmetic(code, operand, 0, swapped=False, activation=0, ratio=0.7, gain=1),
        ]
    for number in range(8):
        widened, operand = _conv(int(rng.choice(CHANNELS)), 1), operands[number % 4]
        yield [widened, arithmetic.Extreme(OPS.MAXIMUM, operand, 0, swapped=False)]
        yield [widened, arithmetic.PRelu(operand, 0, 0.3, 1.0)]
        yield [widened, tables.Softmax("channels", 1.0)]
        yield [widened, pools.Pool(OPS.MAX_POOL_2D, 1, 1, same=False, activation=0), _table()]


def _moves(seed: int) -> Iterable[Chain]:
    rng = np.random.default_rng([seed, 1])
    for number in range(6):
        widened = _conv(int(rng.choice(CHANNELS[:12])), 1)
        drawn: list[Draw] = [
            moves.Concatenation("channels", (0, 1 + number % 3), from_behind=False),
            moves.Concatenation("time", (0, 1), from_behind=False),
            moves.Split("channels", 1 + number),
            moves.Pad((1 + number, 2), (number % 2, 0), None),
            moves.Mirror(1 + number % 4, 2, symmetric=number % 2 == 0),
            moves.Slice("time", number, 2, 1 + number % 2, masked=True, shrinks=False),
            moves.Slice("channels", 0, number % 3, 1, masked=True, shrinks=False),
            moves.Resize(1 + number % 3, 0, align_corners=False, half_pixels=False),
        ]
        yield from ([widened, draw] for draw in drawn)
        yield [_conv(int(rng.choice(CHANNELS[:12])), 1, 1 + number % 3), shapes.Turn()]
