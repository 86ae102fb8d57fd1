"""Measure what a training step costs a window: python -m dynadeep.train.speed [BATCH ...].

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
NETWORKS = ("published", "dynamic-deep")
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


def window_ms(network: str, batch: int, precision: Precision) -> float:
    """Return the CPU time in ms that a training step takes for each window of a batch."""
    torch.manual_seed(0)
    model = checkpoint.build(NAMED[network])
    module = Reconstruction(model, InputMap("affine", 0, 1000), precision).train()
    adam = torch.optim.AdamW(module.parameters(), fused=True)
    adc = 200 * torch.randn(batch, SEGMENT_SAMPLES)
    taken = []
    for _ in range(STEPS):
        start = time.process_time()
        adam.zero_grad()
        module(adc).backward()
        adam.step()
        taken.append(time.process_time() - start)
    return 1000 * min(taken) / batch


def main(batches: list[int]) -> None:
    """Print a table."""
    torch.set_num_threads(1)
    loop.keep_freed_memory()
    torch.set_flush_denormal(True)
    print("| network | batch | precision | ms a window |\n|---|---|---|---|")
    for network, batch, precision in itertools.product(NETWORKS, batches, PRECISIONS):
        found = window_ms(network, batch, precision)
        print(f"| {network} | {batch} | {precision} | {found:.2f} |", flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [64])
