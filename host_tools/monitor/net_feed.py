"""A network's golden inputs through its board, over and over, each output held to the reference."""

import itertools
from collections.abc import Iterator

import numpy as np

from dynadeep.codegen.bundle import Bundle, TensorSpec
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.measure.application import Codes
from dynadeep.host_tools.measure.network import NetApplication, NetBoard
from dynadeep.host_tools.measure.references import Case, golden_cases
from dynadeep.host_tools.monitor.beat import Bar, Beat, BoardFeed, Curve, Facts, Values

SHOWN = 12
"""Bars of outputs; of more, the first."""


class NetFeed(BoardFeed):
    """Runs the bundle's golden inputs, from the first again behind the last."""

    bars_title = "Outputs, last step"
    facts_title = "Reference"

    def __init__(self, device: Device, bundle: Bundle) -> None:
        super().__init__(device)
        self.manifest = bundle.manifest
        self._application = NetApplication(NetBoard(device, bundle.manifest))
        self._cases = itertools.cycle(golden_cases(bundle))
        self._inputs = self._compared = 0
        self._differences: list[str] = []

    @property
    def input_s(self) -> float:
        """How long an input's time steps take to come; 0 where they have no rate."""
        rate = self.manifest.sample_rate_hz
        return self.manifest.inputs[0].time / rate if rate else 0.0

    def step(self) -> Beat:
        """Run the next input and compare its outputs."""
        case = next(self._cases)
        board = self._application.board
        ticks = self._application.run(case.input)
        outputs = [board.output(number) for number in range(len(board.outputs))]
        self._inputs += 1
        self._compared += len(outputs)
        for spec, output in zip(board.outputs, outputs, strict=True):
            reference = case.tensor(spec.name).reshape(output.shape)
            if not np.array_equal(output, reference):
                self._differences.append(f"{spec.name} of {case.name}")
        return Beat(
            title=f"input {case.name}",
            curves=tuple(self._curves(case)),
            bars=tuple(_bars(board.outputs, outputs)),
            facts=self._facts(),
            ticks=ticks,
        )

    def scale_bound(self, factor: float) -> bool:
        """Do nothing: a network alone has no bound."""
        del factor
        return False

    def totals(self) -> dict[str, object]:
        """Return what the inputs came to."""
        return {
            "inputs": self._inputs,
            "outputs_compared": self._compared,
            "differences": self._differences,
        }

    def _curves(self, case: Case) -> Iterator[Curve]:
        """Yield the first channel of each input, as real values."""
        offset = 0
        for spec in self.manifest.inputs:
            size = spec.time * spec.channels
            codes = (
                case.input[offset : offset + size]
                .astype(np.int8)
                .reshape(spec.time, spec.channels)[:, 0]
            )
            yield Curve(spec.name, _real(codes, spec))
            offset += size

    def _facts(self) -> Facts:
        wrong = len(self._differences)
        last = (("last that differed", self._differences[-1]),) if wrong else ()
        return (
            ("inputs run", f"{self._inputs:,}"),
            ("outputs equal to it", f"{self._compared - wrong:,} of {self._compared:,}"),
            *last,
        )


def _bars(specs: tuple[TensorSpec, ...], outputs: list[Codes]) -> Iterator[Bar]:
    several = len(specs) > 1
    cells = [
        (f"{spec.name}[{channel}]" if several else f"[{channel}]", int(code), spec)
        for spec, output in zip(specs, outputs, strict=True)
        for channel, code in enumerate(output[-1])
    ]
    for label, code, spec in cells[:SHOWN]:
        yield Bar(label, (code + 128) / 255, f"{_real(np.array(code), spec):.4g}")


def _real(codes: Codes, spec: TensorSpec) -> Values:
    return (codes.astype(np.float64) - spec.zero_point) * spec.scale
