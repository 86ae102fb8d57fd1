"""Requests to the harness program, which runs the runtime's functions on bytes from a pipe."""

import enum
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.kernels import LANES, KernelSet
from tests.firmware.reference import Conv1d

Int8 = npt.NDArray[np.int8]

DISJOINT = -1
END_OF_TENSORS = 255


class Operation(enum.IntEnum):
    """What the harness can run, as harness/operations.h numbers it."""

    CONV1D = 1
    LAYER_CONV1D = 2
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


@dataclass(frozen=True)
class Layer:
    """A layer as the harness takes it: the fields of dd_conv1d."""

    in_length: int
    out_length: int
    stride: int
    pad_before: int
    in_zero_point: int
    out_zero_point: int
    low: int
    high: int
    doubles: bool
    weights: Int8  # [channels, kernel, in_channels]
    bias: npt.NDArray[np.signedinteger]  # folded
    multiplier: npt.NDArray[np.signedinteger]
    shift: Int8
    table: Int8 | None

    def packed(self, kernels: KernelSet) -> bytes:
        """Return the bytes that take_layer reads."""
        channels, kernel, in_channels = self.weights.shape
        numbers = (self.in_length, self.out_length, in_channels, channels)
        numbers += (kernel, self.stride, self.pad_before, self.in_zero_point, self.out_zero_point)
        numbers += (self.low, self.high, self.doubles, self.table is not None)
        words = np.concatenate([self.bias, self.multiplier]).astype("<i4").tobytes()
        table = b"" if self.table is None else self.table.tobytes()
        weights = kernels.ordered(self.weights).tobytes()
        packed = struct.pack("<HHHHBBBbbbbBB", *numbers)
        return packed + weights + words + self.shift.tobytes() + table


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
        out = self.call(Operation.CONV1D, self._conv1d(conv, x, lead))
        return np.frombuffer(out, np.int8).reshape(conv.out_length, conv.out_channels)

    def layer_conv1d(
        self, conv: Conv1d, x: Int8, *, tensors: int, unfused: bool, first: int
    ) -> tuple[list[tuple[int, Int8]], int]:
        """Run a traced layer whose observer stops after ``tensors``; return them and the status."""
        head = struct.pack("<BBB", tensors, unfused, first)
        return _tensors(self.call(Operation.LAYER_CONV1D, head + self._conv1d(conv, x, DISJOINT)))

    def _conv1d(self, conv: Conv1d, x: Int8, lead: int) -> bytes:
        layer = Layer(
            in_length=len(x),
            out_length=conv.out_length,
            stride=conv.stride,
            pad_before=conv.pad_before,
            in_zero_point=conv.in_zero_point,
            out_zero_point=conv.zero_point,
            low=conv.low,
            high=conv.high,
            doubles=conv.doubles,
            weights=conv.weights,
            bias=conv.folded_bias(),
            multiplier=conv.multiplier,
            shift=conv.shift,
            table=conv.table,
        )
        return struct.pack("<i", lead) + layer.packed(self.kernels) + x.tobytes()

    def network(self, request: bytes) -> tuple[list[tuple[int, Int8]], int, Int8]:
        """Run a network; return its tensors, piece by piece, the status, and all values."""
        reply = self.call(Operation.NETWORK, request)
        tensors, status = _tensors(reply)
        seen = sum(5 + len(values) for _, values in tensors)
        return tensors, status, np.frombuffer(reply, np.int8, offset=seen + 2)


def _tensors(reply: bytes) -> tuple[list[tuple[int, Int8]], int]:
    tensors = []
    at = 0
    while reply[at] != END_OF_TENSORS:
        number, count = struct.unpack_from("<BI", reply, at)
        tensors.append((number, np.frombuffer(reply, np.int8, count, at + 5)))
        at += 5 + count
    return tensors, reply[at + 1]
