"""What other ways to run this network on a Cortex-M4 cost: facts to be compared with.

Measured with this network's shapes (int8 but for onnx2c; untrained weights, of which the counts do
not depend by more than 0.1 %), gcc 12.2, one inference, every peer built from its own source:
instructions counted in QEMU 7.2 by a plugin and cross-checked with SysTick; flash is code and model
over an empty image; RAM is the arena, without the stack's 1.0 to 1.4 KB.
"""

from dataclasses import dataclass

SOURCE = (
    "peers: built from their sources with gcc 12.2 for Cortex-M4, counted in QEMU 7.2; "
    "flash without start-up code, RAM without stack"
)


@dataclass(frozen=True)
class Peer:
    """One peer's figures for this network on a Cortex-M4."""

    name: str
    flags: str
    instructions: int
    flash_bytes: int
    ram_bytes: int
    bit_exact: str  # equal to TFLite's reference kernels: "yes", or what it is instead


PEERS = (
    Peer("TFLite-Micro, reference kernels", "default", 214_600_000, 165_000, 108_000, "yes"),
    Peer("TFLite-Micro + CMSIS-NN", "default", 105_500_000, 165_000, 108_000, "yes"),
    Peer("CMSIS-NN called directly", "-O3", 37_000_000, 108_000, 69_800, "yes"),
    Peer("onnx2c (float32)", "-O3", 118_000_000, 348_000, 392_000, "float32"),
    Peer("NNoM kernels", "-O3", 105_800_000, 87_000, 99_000, "other numerics"),
)
