"""The kernel sets of ``dd_dot.h``: which one a core gets, and what it asks of the generator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dynadeep.codegen.graph import Int8s

KernelName = Literal["plain", "lanes", "dsp", "helium"]


@dataclass(frozen=True)
class Buffers:
    """How much the convolution works on at a time: the smaller, the less stack, the slower."""

    part: int  # DD_PART: values of each window
    block: int  # DD_BLOCK: output channels


BUFFERS = (Buffers(160, 64), Buffers(96, 32), Buffers(64, 16))
"""The largest first. Parts are whole groups of any kernel set."""


CoreKind = Literal["small", "mainline", "dsp", "vector"]
FOREIGN_CYCLES = 1.5


@dataclass(frozen=True)
class Cost:
    """What computing takes of a core."""

    per_mac: float  # instructions for a multiply-accumulate, all of a layer's included
    cycles: float  # for an instruction, about


@dataclass(frozen=True)
class KernelSet:
    """One way of multiplying windows by weights."""

    name: KernelName
    macro: str  # its number's name in dd_dot.h
    tile: int  # DD_TILE: time steps at a time
    paired: bool  # weights in pairs of channels, else in rows
    group: int  # a row's values are rounded up to a multiple of it
    window_bytes: int  # of the stack, for one value of all windows of a tile
    own: Cost  # on the cores that it is written for
    foreign: Mapping[str, float]  # instructions for a MAC on others, by kind of core
    single_group: int = 1  # the same for the weights of dd_dot_single.h
    offset_pairs: bool = False  # those are in pairs, with 128 added to the first of each
    fours: bool = False  # weights in fours of channels
    depthwise_tile: int = 0  # time steps that dd_depthwise_s8 computes at a time, if not ``tile``
    buffers: tuple[Buffers, ...] = BUFFERS

    def cost(self, cpu: str) -> Cost:
        """Return what a multiply-accumulate takes on a core, a foreign one's C twin included."""
        kind = kind_of(cpu)
        if kind not in self.foreign:
            return self.own
        return Cost(self.foreign[kind], FOREIGN_CYCLES)

    def stack_bytes(self, buffers: Buffers) -> int:
        """Return the stack that the convolution's buffers take."""
        of_windows = buffers.part * (self.window_bytes + self.tile)
        return of_windows + 4 * buffers.block * self.tile

    def ordered(self, weights: Int8s) -> Int8s:
        """Return weights [channels, kernel, in_channels] in the order in which they lie in flash.

        Rows are [channels, values], pairs [channels / 2, values, 2]; both sizes rounded up with
        zeros. Fours are as ``dd_dot.h`` says, one behind the other.
        """
        rows = weights.reshape(len(weights), -1)
        missing = (-rows.shape[0] % 2 if self.paired else 0, -rows.shape[1] % self.group)
        padded: Int8s = np.pad(rows, [(0, missing[0]), (0, missing[1])])
        if not self.paired:
            return padded
        pairs = padded.reshape(-1, 2, padded.shape[1]).transpose(0, 2, 1)
        return _fours(pairs) if self.fours else np.ascontiguousarray(pairs)

    def ordered_single(self, weights: Int8s) -> Int8s:
        """Return weights [channels, ...] as ``dd_dot_single.h`` wants them, for one window."""
        rows = weights.reshape(len(weights), -1)
        padded: Int8s = np.pad(rows, [(0, 0), (0, -rows.shape[1] % self.single_group)])
        if not self.offset_pairs:
            return padded
        pairs = np.pad(padded, [(0, len(rows) % 2), (0, 0)]).reshape(-1, 2, padded.shape[1])
        pairs[:, 0] ^= np.int8(-128)  # 128 added, as a byte
        return np.ascontiguousarray(pairs.transpose(0, 2, 1))


def _fours(pairs: Int8s) -> Int8s:
    """Return weights [pairs of channels, values, 2] two pairs after two, a last one behind them."""
    halves = pairs.reshape(len(pairs), -1, 2, 2, 2).transpose(0, 1, 3, 2, 4)  # values 0, 2, 1, 3
    words = np.ascontiguousarray(halves).reshape(len(pairs), -1, 4)
    words[:, :, 0::2] ^= np.int8(-128)  # 128 added, as a byte
    whole = len(words) // 2 * 2
    fours = words[:whole].reshape(whole // 2, 2, *words.shape[1:]).transpose(0, 2, 1, 3)
    return np.concatenate([fours.ravel(), words[whole:].ravel()]).reshape(2 * len(pairs), -1)


# Instructions as `make bench` counts them on a set's own cores, and elsewhere as the C twins take
# for layers of wide windows; cycles estimated from the instruction timings in the technical
# reference manuals of Cortex-M0, M3, M4 and M55, for memory without wait states.
PLAIN = KernelSet(
    "plain",
    "DD_KERNELS_PLAIN",
    tile=4,
    paired=False,
    group=4,
    window_bytes=16,
    own=Cost(4.1, 1.5),
    foreign={},
)
LANES = KernelSet(
    "lanes",
    "DD_KERNELS_LANES",
    tile=4,
    paired=True,
    group=1,
    window_bytes=8,
    own=Cost(1.7, 2.4),
    foreign={"small": 30.0, "dsp": 1.7, "vector": 1.6},
)
DSP = KernelSet(
    "dsp",
    "DD_KERNELS_DSP",
    tile=2,
    paired=True,
    group=4,
    window_bytes=4,
    own=Cost(1.2, 1.3),
    foreign={"small": 12.0, "mainline": 6.5},
    single_group=4,
    offset_pairs=True,
    fours=True,
    depthwise_tile=3,
    buffers=(Buffers(224, 32), *BUFFERS[1:]),
)
HELIUM = KernelSet(
    "helium",
    "DD_KERNELS_HELIUM",
    tile=4,
    paired=False,
    group=16,
    window_bytes=4,
    own=Cost(0.28, 1.5),
    foreign={"small": 17.5, "mainline": 10.0, "dsp": 10.0},
    single_group=16,
)

KERNELS: dict[str, KernelSet] = {kernels.name: kernels for kernels in (PLAIN, LANES, DSP, HELIUM)}

CORES: dict[str, CoreKind] = {
    "cortex-m0": "small",
    "cortex-m0plus": "small",
    "cortex-m1": "small",
    "cortex-m23": "small",
    "cortex-m4": "dsp",
    "cortex-m7": "dsp",
    "cortex-m33": "dsp",
    "cortex-m35p": "dsp",
    "cortex-m55": "vector",
    "cortex-m85": "vector",
}
"""By gcc's name of the core; every other one, the host too, is mainline: it multiplies 32 bits by
32 to 64, and no more."""

BEST: dict[CoreKind, KernelSet] = {"small": PLAIN, "mainline": LANES, "dsp": DSP, "vector": HELIUM}


def kind_of(cpu: str) -> CoreKind:
    """Return what a core has to multiply with."""
    return CORES.get(cpu, "mainline")


def kernels_of(cpu: str) -> KernelSet:
    """Return the kernel set that suits a core best."""
    return BEST[kind_of(cpu)]
