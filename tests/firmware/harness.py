"""Requests to the harness program, which runs the runtime's functions on bytes from a pipe."""

import enum
import struct
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.kernels import LANES, KernelSet
from tests.firmware.layouts import Image, Reference, Symbol, types_of
from tests.firmware.reference import Conv1d

Int8 = npt.NDArray[np.int8]

DISJOINT = -1
END_OF_TENSORS = 0xFFFF


class Operation(enum.IntEnum):
    """What the harness can run, as harness/operations.h numbers it."""

    LAYER = 2
    LOOKUP = 3
    REQUANTIZE = 4
    REQUANTIZE_INDEX = 5
    MAP_AFFINE = 6
    MAP_MINMAX = 7
    DECISION = 8
    PACKET = 9
    CRC32 = 10
    COBS_ENCODE = 11
    COBS_DECODE = 12
    RICE = 13
    NETWORK = 14
    CODEC = 15
    KERNEL = 16


class HarnessDied(Exception):  # noqa: N818
    """The program ended instead of answering: a trap, or the sanitizer's report."""


class Harness:
    """The harness program, started when first needed and again after it died."""

    def __init__(self, program: Path, kernels: KernelSet = LANES) -> None:
        self.kernels = kernels
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.communicate()

    def call(self, operation: Operation, payload: bytes) -> bytes:
        """Run one operation.

        Raises:
            HarnessDied: with what the program printed.
        """
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(struct.pack("<IB", 1 + len(payload), operation) + payload)
            process.stdin.flush()
        except BrokenPipeError:
            self._bury(process)
        header = process.stdout.read(4)
        if len(header) < 4:
            self._bury(process)
        (count,) = struct.unpack("<I", header)
        reply = process.stdout.read(count)
        assert len(reply) == count
        return reply

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen([self.program], stdin=pipe, stdout=pipe, stderr=pipe)
        return self._process

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        self._process = None
        _, errors = process.communicate()
        raise HarnessDied(f"status {process.returncode}\n{errors.decode(errors='replace')}")

    def conv1d(self, conv: Conv1d, x: Int8, lead: int = DISJOINT) -> Int8:
        """Run the kernel, in one buffer if ``lead`` tells where in it the input begins."""
        return self._layer(conv, x, lead=lead)[2].reshape(conv.out_length, conv.out_channels)

    def layer_conv1d(
        self, conv: Conv1d, x: Int8, *, tensors: int, unfused: bool, first: int
    ) -> tuple[list[tuple[int, Int8]], int]:
        """Run a traced layer whose observer stops after ``tensors``; return them and the status."""
        return self._layer(conv, x, tensors=tensors, unfused=unfused, first=first)[:2]

    def _layer(
        self,
        conv: Conv1d,
        x: Int8,
        *,
        lead: int = DISJOINT,
        tensors: int = 0,
        unfused: bool = False,
        first: int = 0,
    ) -> tuple[list[tuple[int, Int8]], int, Int8]:
        """Run one layer as a stage; return what was traced, the status and the output."""
        image = Image(types_of(self.program))
        stage = {
            "run": Symbol("dd_conv1d_s8"),
            "params": image.struct("dd_conv1d", self._params(image, conv)),
            "table": None if conv.table is None else image.array(conv.table.tobytes()),
            **{"sources": 0, "tensor": first, "count": 1, "tile": 0, "first": 0},
        }
        packed = image.packed(image.struct("dd_stage", stage))
        numbers = (lead, tensors, unfused, conv.out_length, conv.out_channels, len(x))
        request = packed + struct.pack("<iBBIHI", *numbers) + x.tobytes()
        return _tensors(self.call(Operation.LAYER, request))

    def _params(self, image: Image, conv: Conv1d) -> dict[str, int | Reference]:
        channels, kernel, in_channels = conv.weights.shape
        words = {"bias": conv.folded_bias(), "multiplier": conv.multiplier}
        return {
            "in_channels": in_channels,
            "out_channels": channels,
            "kernel": kernel,
            "stride": conv.stride,
            "pad_before": conv.pad_before,
            "in_zero_point": conv.in_zero_point,
            "out_zero_point": conv.zero_point,
            "out_min": conv.low,
            "out_max": conv.high,
            "doubles": int(conv.doubles),
            "weights": image.array(self.kernels.ordered(conv.weights).tobytes()),
            "shift": image.array(conv.shift.tobytes()),
            **{name: image.array(array.astype("<i4").tobytes()) for name, array in words.items()},
        }

    def network(self, request: bytes) -> tuple[list[tuple[int, Int8]], int, Int8]:
        """Run a network; return its tensors, piece by piece, the status, and all values."""
        return _tensors(self.call(Operation.NETWORK, request))


def _tensors(reply: bytes) -> tuple[list[tuple[int, Int8]], int, Int8]:
    """Return the tensors of a reply, the status, and the values that end it."""
    tensors = []
    at = 0
    while True:
        (number,) = struct.unpack_from("<H", reply, at)
        if number == END_OF_TENSORS:
            return tensors, reply[at + 2], np.frombuffer(reply, np.int8, offset=at + 3)
        (count,) = struct.unpack_from("<I", reply, at + 2)
        tensors.append((number, np.frombuffer(reply, np.int8, count, at + 6)))
        at += 6 + count
