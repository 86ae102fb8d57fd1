"""The kernel sets of ``dd_dot.h``: which one a core gets, and what it asks of the generator."""

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


@dataclass(frozen=True)
class KernelSet:
    """One way of multiplying windows by weights."""

    name: KernelName
    macro: str  # its number's name in dd_dot.h
    tile: int  # DD_TILE: time steps at a time
    paired: bool  # weights in pairs of channels, else in rows
    group: int  # a row's values are rounded up to a multiple of it
    window_bytes: int  # of the stack, for one value of all windows of a tile
    per_mac: float  # instructions for a multiply-accumulate, all of a layer's included
    cycles: float  # for an instruction, about

    def stack_bytes(self, buffers: Buffers) -> int:
        """Return the stack that the convolution's buffers take."""
        of_windows = buffers.part * (self.window_bytes + self.tile)
        return of_windows + 4 * buffers.block * self.tile

    def ordered(self, weights: Int8s) -> Int8s:
        """Return weights [channels, kernel, in_channels] in the order in which they lie in flash.

        Rows are [channels, values], pairs [channels / 2, values, 2]; both sizes rounded up with
        zeros.
        """
        rows = weights.reshape(len(weights), -1)
        missing = (-rows.shape[0] % 2 if self.paired else 0, -rows.shape[1] % self.group)
        padded: Int8s = np.pad(rows, [(0, missing[0]), (0, missing[1])])
        if not self.paired:
            return padded
        pairs = padded.reshape(-1, 2, padded.shape[1]).transpose(0, 2, 1)
        return np.ascontiguousarray(pairs)


# Instructions as `make bench` counts them; cycles estimated from the instruction timings in the
# technical reference manuals of Cortex-M0, M3, M4 and M55, for memory without wait states.
PLAIN = KernelSet(
    "plain",
    "DD_KERNELS_PLAIN",
    tile=4,
    paired=False,
    group=4,
    window_bytes=16,
    per_mac=4.1,
    cycles=1.5,
)
LANES = KernelSet(
    "lanes",
    "DD_KERNELS_LANES",
    tile=4,
    paired=True,
    group=1,
    window_bytes=8,
    per_mac=1.7,
    cycles=2.4,
)
DSP = KernelSet(
    "dsp", "DD_KERNELS_DSP", tile=3, paired=True, group=2, window_bytes=6, per_mac=1.2, cycles=1.3
)
HELIUM = KernelSet(
    "helium",
    "DD_KERNELS_HELIUM",
    tile=4,
    paired=False,
    group=16,
    window_bytes=4,
    per_mac=0.28,
    cycles=1.5,
)

KERNELS: dict[str, KernelSet] = {kernels.name: kernels for kernels in (PLAIN, LANES, DSP, HELIUM)}

CORES = {
    "cortex-m0": PLAIN,
    "cortex-m0plus": PLAIN,
    "cortex-m1": PLAIN,
    "cortex-m23": PLAIN,
    "cortex-m4": DSP,
    "cortex-m7": DSP,
    "cortex-m33": DSP,
    "cortex-m35p": DSP,
    "cortex-m55": HELIUM,
    "cortex-m85": HELIUM,
}
"""By gcc's name of the core; every other one, the host too, gets the lanes."""


def kernels_of(cpu: str) -> KernelSet:
    """Return the kernel set that suits a core best."""
    return CORES.get(cpu, LANES)
