"""The kernel sets of ``dd_dot.h``: which one a core gets, and what it asks of the generator."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dynadeep.codegen.graph import Int8s

KernelName = Literal["plain", "lanes", "dsp", "helium"]


@dataclass(frozen=True)
class KernelSet:
    """One way of multiplying windows by weights."""

    name: KernelName
    macro: str  # its number's name in dd_dot.h
    tile: int  # DD_TILE: time steps at a time
    paired: bool  # weights in pairs of channels, else in rows
    group: int  # a pair's values are rounded up to a multiple of it
    window_bytes: int  # of the stack, for one value of all windows of a tile

    def stack_bytes(self, *, small: bool) -> int:
        """Return the stack that the convolution's buffers take; ``small`` with DD_SMALL_STACK."""
        part, block = (96, 32) if small else (224, 64)  # DD_PART, DD_BLOCK
        return part * (self.window_bytes + self.tile) + 4 * block * self.tile

    def ordered(self, weights: Int8s) -> Int8s:
        """Return weights [channels, kernel, in_channels] in the order in which they lie in flash.

        Rows stay what they are. Pairs are [channels / 2, values, 2], both rounded up with zeros.
        """
        if not self.paired:
            return weights
        rows = weights.reshape(len(weights), -1)
        missing = (-rows.shape[0] % 2, -rows.shape[1] % self.group)
        padded = np.pad(rows, [(0, missing[0]), (0, missing[1])])
        pairs: Int8s = padded.reshape(-1, 2, padded.shape[1]).transpose(0, 2, 1)
        return np.ascontiguousarray(pairs)


PLAIN = KernelSet("plain", "DD_KERNELS_PLAIN", tile=4, paired=True, group=1, window_bytes=16)
LANES = KernelSet("lanes", "DD_KERNELS_LANES", tile=4, paired=True, group=1, window_bytes=8)
DSP = KernelSet("dsp", "DD_KERNELS_DSP", tile=3, paired=True, group=2, window_bytes=6)
HELIUM = KernelSet("helium", "DD_KERNELS_HELIUM", tile=4, paired=False, group=1, window_bytes=4)

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
