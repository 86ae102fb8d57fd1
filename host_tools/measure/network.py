"""A network alone on a board: int8 codes in, its outputs back, held against the reference."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dynadeep.codegen.bundle import Manifest, TensorSpec
from dynadeep.host_tools.errors import WrongFirmwareError
from dynadeep.host_tools.link import protocol
from dynadeep.host_tools.link.device import Device, Values
from dynadeep.host_tools.link.protocol import Command, MalformedError
from dynadeep.host_tools.measure.application import Codes, Compared, Difference, first_difference
from dynadeep.host_tools.measure.references import Case

TICKS = struct.Struct("<QI")


@dataclass(frozen=True)
class RunTicks:
    """What one inference took, in the board's ticks."""

    ticks: int
    worst_ticks: int  # of one call


class NetBoard:
    """A device whose firmware is a network alone.

    Raises:
        WrongFirmwareError: its firmware is a codec's, which takes samples.
    """

    def __init__(self, device: Device, manifest: Manifest):
        self.device = device
        self.outputs = manifest.outputs
        self._last: Values | None = None
        if device.about.application != "network":
            raise WrongFirmwareError(
                f"{device.link.name}: the firmware is a codec's, expected that of a network alone. "
                "Name the bundle that it was generated from."
            )
        self.device.restore = self._restore

    def run(self, codes: Values, *, single: bool = False) -> RunTicks:
        """Run the network over int8 codes, flat, one input behind the other.

        ``single`` has them given to the network a time step at a time: ``worst_ticks`` is then what
        the slowest of them took.
        """
        flags = protocol.FLAG_SINGLE if single else 0
        payload = self.device.run_in_pieces(Command.RUN, codes, flags)
        self._last = codes
        ticks = self.device.parse(_parse_ticks, payload)
        self.device.on_segment()
        return ticks

    def output(self, number: int) -> Codes:
        """Return an output of the last run, int8 [time, channels]."""
        shape = (self.outputs[number].time, self.outputs[number].channels)
        return self.device.output(number, shape[0] * shape[1]).reshape(shape)

    def _restore(self) -> None:
        """Run what was run before a restart, for its outputs."""
        if self._last is not None:
            self.device.run_in_pieces(Command.RUN, self._last)


def _parse_ticks(payload: bytes) -> RunTicks:
    if len(payload) != TICKS.size:
        raise MalformedError(f"RUN's reply has {len(payload)} bytes, not {TICKS.size}")
    ticks = RunTicks(*TICKS.unpack(payload))
    if ticks.worst_ticks > ticks.ticks:
        raise MalformedError(
            f"RUN: the longest call took {ticks.worst_ticks} ticks, all together {ticks.ticks}"
        )
    return ticks


class NetApplication:
    """A network's board, its outputs held against the reference's."""

    noun = "outputs"
    kinds: tuple[str, ...] = ()
    ways = 1

    def __init__(self, board: NetBoard):
        self.board = board

    def begin(self, first: int = 0) -> None:
        """Do nothing: one inference knows nothing of another."""

    def compare(self, case: Case, index: int) -> Compared:
        """Run a case and compare every output."""
        del index
        self.board.run(case.input)
        outputs = self.board.outputs
        return Compared(len(outputs), tuple(self._differences(case, outputs)))

    def _differences(self, case: Case, outputs: Sequence[TensorSpec]) -> Iterator[Difference]:
        for number, spec in enumerate(outputs):
            output, reference = self.board.output(number), case.tensor(spec.name)
            sides = (output, reference.reshape(output.shape))
            difference = first_difference("output", ("output", spec.name, case.name), *sides)
            if difference is not None:
                yield difference

    def ticks(self, inputs: Sequence[Values]) -> list[int]:
        """Return the ticks of each input."""
        return [self.run(values) for values in inputs]

    def run(self, values: Values) -> int:
        """Run an input once."""
        return self.board.run(values).ticks

    def longest_call(self, values: Values) -> int:
        """Return what the slowest of an input's time steps sets going."""
        return self.board.run(values, single=True).worst_ticks
