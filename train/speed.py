"""Measure what a training step costs a window.

    python -m dynadeep.train.speed [compiled] [BATCH ...]

CPU time of one thread, forward, back and the optimiser's step, the least of several steps. Noise
on a busy machine only adds, but a neighbour on the same physical core can double it.
"""

import itertools
import sys
import time

import torch

from dynadeep.train import checkpoint, loop
from dynadeep.train.input_map import InputMap
from dynadeep.train.levels import NAMED
from dynadeep.train.model import SEGMENT_SAMPLES
from dynadeep.train.reconstruction import Precision, Reconstruction

STEPS = 5
COMPILED = "compiled"
"""The word that has PyTorch compile the step first, which takes minutes for each row."""
NETWORKS = ("published", "dynamic-deep")
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


def window_ms(network: str, batch: int, precision: Precision, *, compiled: bool = False) -> float:
    """Return the CPU time in ms that a training step takes for each window of a batch."""
    torch.manual_seed(0)
    model = checkpoint.build(NAMED[network])
    module = Reconstruction(model, InputMap("affine", 0, 1000), precision).train()
    step = torch.compile(module) if compiled else module
    adam = torch.optim.AdamW(module.parameters(), fused=True)
    adc = 200 * torch.randn(batch, SEGMENT_SAMPLES)
    times_s = []
    for _ in range(STEPS):
        start = time.process_time()
        adam.zero_grad()
        step(adc).backward()
        adam.step()
        times_s.append(time.process_time() - start)
    return 1000 * min(times_s) / batch


def main(batches: list[int], *, compiled: bool = False) -> None:
    """Print a table."""
    torch.set_num_threads(1)
    loop.keep_freed_memory()
    torch.set_flush_denormal(True)
    print("| network | batch | precision | ms a window |\n|---|---|---|---|")
    for network, batch, precision in itertools.product(NETWORKS, batches, PRECISIONS):
        milliseconds = window_ms(network, batch, precision, compiled=compiled)
        print(f"| {network} | {batch} | {precision} | {milliseconds:.2f} |", flush=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    main([int(word) for word in words if word != COMPILED] or [64], compiled=COMPILED in words)
