"""Latency by the board's counter: instructions in an emulator, cycles on a board, never mixed up.

QEMU models no caches, wait states or dual issue: what it counts are instructions, repeatable to the
tick, and they are called so. What a tick stands for is ``Device.counter``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dynadeep.codegen.plan import Plan
from dynadeep.host_tools.cycles.estimate import CyclesEstimate
from dynadeep.host_tools.link.device import Counter, Device, Unit, Values
from dynadeep.host_tools.measure.application import Application


@dataclass(frozen=True)
class LayerLatency:
    """One layer's share; ``count`` in the counter's unit."""

    layer: str
    count: int
    macs: int

    @property
    def per_mac(self) -> float | None:
        """Counts per multiply-accumulate; None where a layer has none."""
        return self.count / self.macs if self.macs else None


@dataclass(frozen=True)
class Latency:
    """What one inference costs: of a codec from a segment's samples to its sealed packet."""

    unit: Unit
    per_segment: int  # the most over all runs: uncompressed, for the CRC over its samples
    least: int
    segments: int
    macs: int
    ticks: int  # of the board's counter, the most
    counter: Counter
    layers: tuple[LayerLatency, ...]  # in order of execution
    cycles: CyclesEstimate | None = None  # of the run that takes least
    cycles_missing: str = "not asked for"  # why there is none

    @property
    def per_mac(self) -> float | None:
        """Counts per multiply-accumulate of the whole input; None where a network has none."""
        return self.per_segment / self.macs if self.macs else None

    @property
    def seconds(self) -> float | None:
        """How long a segment takes; None in an emulator, where no time is real."""
        return None if self.unit == "instructions" else self.ticks / self.counter.rate_hz


def measure(
    device: Device, plan: Plan, inputs: Sequence[Values], application: Application
) -> Latency:
    """Run ``inputs`` for the total, and trace the first of them for the layers.

    Args:
        device: a board that runs the model.
        plan: names the tensors and gives the MACs.
        inputs: at least one.
        application: what the board does with them.
    """
    counter = device.counter
    ticks = application.ticks(inputs)
    return Latency(
        unit=counter.unit,
        per_segment=round(max(ticks) * counter.per_tick),
        least=round(min(ticks) * counter.per_tick),
        segments=len(inputs),
        macs=plan.macs,
        ticks=max(ticks),
        counter=counter,
        layers=_by_layer(device, plan, inputs[0]),
    )


def _by_layer(device: Device, plan: Plan, values: Values) -> tuple[LayerLatency, ...]:
    """Sum a fused trace's ticks by layer; the input map comes first, with no MACs."""
    layer_of = {tensor.number: tensor.layer for tensor in plan.tensors}
    macs = {layer.name: layer.macs for layer in plan.network.layers}
    ticks: dict[str, int] = {}
    for entry in device.trace(values, unfused=False):
        name = layer_of[entry.tensor]
        ticks[name] = ticks.get(name, 0) + entry.ticks
    per_tick = device.counter.per_tick
    return tuple(
        LayerLatency(name, round(count * per_tick), macs.get(name, 0))
        for name, count in ticks.items()
    )
