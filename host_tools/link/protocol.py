"""What is said over the link, as docs/protocol.md describes it: commands, statuses, payloads.

Nothing here reads or writes a port; ``frames`` has the bytes around the payloads.
"""

import enum
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dynadeep.codegen.applications import Application
from dynadeep.codegen.kernels import KernelName
from dynadeep.codegen.plan import Engine

PROTOCOL_VERSION = 5
TENSOR_REQUEST = struct.Struct("<HHI")  # number, count, offset; the input follows
REPLY_REQUEST = struct.Struct("<HHH")  # sequence number of the request, offset, count
FLAG_UNFUSED, FLAG_FIRST, FLAG_SINGLE = 1, 2, 4
FLAG_GOES_ON, FLAG_MORE = 0x40, 0x80


class Command(enum.IntEnum):
    """What a host asks for, and what a board says unasked."""

    HELLO = 0x01
    RUN = 0x02
    TRACE = 0x03
    TENSOR = 0x04
    CONSTANTS = 0x05
    MEMORY = 0x06
    BOUND = 0x07
    RESET = 0x08
    OUTPUT = 0x09
    ENCODE = 0x0A
    REPLY = 0x0B
    SAMPLES = 0x0C
    PACKET = 0x0D
    ANNOUNCE = 0x0E
    FAULT = 0xFF


class Status(enum.IntEnum):
    """The host's copy of ``DD_STATUS_LIST`` in ``dd_status.h``; a test holds them together."""

    text: str

    def __new__(cls, value: int, text: str) -> "Status":
        """Make a member that knows its meaning in words."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

    OK = 0, "done"
    STOPPED = 1, "an observer asked to stop"
    BAD_LENGTH = 2, "a length is not what the model or command needs"
    BAD_ARGUMENT = 3, "a pointer is null or a value is out of range"
    BUFFER_TOO_SMALL = 4, "the buffer cannot hold the result"
    BAD_FRAME = 5, "a frame is malformed"
    BAD_CRC = 6, "a frame or packet fails its check"
    UNKNOWN_COMMAND = 7, "the board does not know the command"
    TIMEOUT = 8, "the rest of a frame did not come in time"
    RESTARTED = 9, "the board has restarted since it was last greeted"
    PACKET_READY = 10, "a segment is complete and its packet made"
    STALLED = 11, "the network did not take all samples of a segment"
    OUTPUT_READY = 12, "all of the input has come and the outputs are made"
    ANSWER_PART = 13, "a part of the answer; more follows"


def status_of(number: int) -> Status | None:
    """Return the status with that number, or None if there is none."""
    return next((status for status in Status if status == number), None)


class CounterUnit(enum.IntEnum):
    """What one tick of a board's counter stands for."""

    CYCLES = 0
    INSTRUCTIONS = 1
    NANOSECONDS = 2


class FaultKind(enum.IntEnum):
    """Why a board crashed."""

    HARD = 1
    EXCEPTION = 2
    STACK = 3
    ASSERTION = 4


class MalformedError(ValueError):
    """Bytes that are not what the protocol says; the text tells what is wrong with them."""


class VersionError(MalformedError):
    """An introduction in another version of the protocol."""


APPLICATIONS: tuple[Application, ...] = ("network", "codec", "autonomous")
"""By the number that HELLO tells."""

ENGINES: tuple[Engine, ...] = ("layers", "stream")
"""By the number that HELLO tells."""

KERNELS: tuple[KernelName, ...] = ("plain", "lanes", "dsp", "helium")
"""By the number that HELLO tells, less 1: as ``dd_dot.h`` numbers them, which a test checks."""


@dataclass(frozen=True)
class Hello:
    """Who answers: the board's introduction of itself."""

    protocol: int
    model_id: str
    application: Application
    engine: Engine  # of the streaming one, the input can be given a step at a time
    kernels: KernelName  # which set multiplies, and orders the weights
    counter_unit: CounterUnit
    counter_hz: int
    sample_rate_hz: int  # 0 where the model states none
    input_bytes: int  # of one inference: int16 samples of the codec, int8 values of a network
    chunk_bytes: int  # of them that a request may carry
    inputs: int
    outputs: int
    tensors: int
    constants: int
    request_bytes_max: int
    reply_bytes_max: int
    levels: int  # of the codec; 0 where there is none
    lossless: bool  # whether there is level none
    board: str
    kit_version: str

    @property
    def input_dtype(self) -> type[np.int8] | type[np.int16]:
        """What the input is made of."""
        return np.int8 if self.application == "network" else np.int16

    @property
    def input_length(self) -> int:
        """Samples or values of one inference."""
        return self.input_bytes // np.dtype(self.input_dtype).itemsize


_HELLO = struct.Struct("<B8sBBBBIIIHBBHHHHBB")


def parse_hello(payload: bytes) -> Hello:
    """Read the reply to HELLO."""
    if not payload or payload[0] != PROTOCOL_VERSION or len(payload) < _HELLO.size:
        version = payload[0] if payload else "missing"
        raise VersionError(f"the board's protocol version is {version}, not {PROTOCOL_VERSION}")
    protocol, model_id, application, engine, kernels, unit, *numbers = _HELLO.unpack_from(payload)
    board, rest = _take_text(payload[_HELLO.size :])
    kit_version, _ = _take_text(rest)
    if application >= len(APPLICATIONS) or engine >= len(ENGINES):
        raise MalformedError(
            f"the board's application is {application} and its engine {engine}; known are 0 to "
            f"{len(APPLICATIONS) - 1} and 0 to {len(ENGINES) - 1}"
        )
    if not 1 <= kernels <= len(KERNELS):
        raise MalformedError(f"the board's kernel set is {kernels}, known are 1 to {len(KERNELS)}")
    if unit not in list(CounterUnit):
        raise MalformedError(f"the board's counter unit is {unit}, which has no meaning")
    *numbers, lossless = numbers
    return Hello(  # pyright: ignore[reportCallIssue]
        *(protocol, model_id.hex(), APPLICATIONS[application], ENGINES[engine]),
        *(KERNELS[kernels - 1], CounterUnit(unit), *numbers, lossless != 0, board, kit_version),
    )


def _take_text(data: bytes) -> tuple[str, bytes]:
    if not data or len(data) < 1 + data[0]:
        raise MalformedError("a text is cut off")
    end = 1 + data[0]
    return data[1:end].decode("ascii", "replace"), data[end:]


@dataclass(frozen=True)
class TraceEntry:
    """What the board saw of one tensor."""

    tensor: int
    crc32: int
    ticks: int


def parse_trace(payload: bytes) -> tuple[TraceEntry, ...]:
    """Read the reply to TRACE."""
    return tuple(TraceEntry(*fields) for fields in _unpack_all("<HII", payload, "TRACE"))


def parse_constants(payload: bytes) -> tuple[int, ...]:
    """Read the reply to CONSTANTS: the CRC-32 of each."""
    return tuple(crc for (crc,) in _unpack_all("<I", payload, "CONSTANTS"))


def _unpack_all(layout: str, payload: bytes, command: str) -> Iterator[tuple[int, ...]]:
    entry = struct.Struct(layout)
    if len(payload) % entry.size:
        raise MalformedError(f"{command}'s reply has {len(payload)} bytes, not n x {entry.size}")
    return entry.iter_unpack(payload)


@dataclass(frozen=True)
class StackUse:
    """The board's stack; both 0 where the board cannot say."""

    size_bytes: int
    peak_bytes: int


def parse_memory(payload: bytes) -> StackUse:
    """Read the reply to MEMORY."""
    return StackUse(*unpack_one("<II", payload, "MEMORY"))


CFSR_BITS = {
    0: "instruction access violation",
    1: "data access violation",
    3: "access violation on return from an exception",
    4: "access violation on stacking",
    8: "bus error on an instruction",
    9: "bus error",
    10: "imprecise bus error",
    11: "bus error on return from an exception",
    12: "bus error on stacking",
    16: "undefined instruction",
    17: "invalid state",
    18: "invalid return from an exception",
    19: "no coprocessor",
    20: "stack limit",
    24: "unaligned access",
    25: "division by zero",
}
"""What the bits of the Configurable Fault Status Register mean: Armv8-M ARM, D1.2.18."""


@dataclass(frozen=True)
class Fault:
    """A crash report. Addresses are the firmware's; 0 is one that is not known."""

    kind: int
    exception: int
    pc: int
    lr: int
    status: int  # CFSR
    address: int  # that was accessed in vain
    xpsr: int
    registers: tuple[int, ...]  # r0 to r3, r12

    def __str__(self) -> str:
        """Tell all of it in one line."""
        names = {1: "hard fault", 2: "exception", 3: "stack overflow", 4: "assertion"}
        name = names.get(self.kind, f"fault of kind {self.kind}")
        causes = ", ".join(text for bit, text in CFSR_BITS.items() if self.status >> bit & 1)
        place = f" at 0x{self.address:08x}" if self.address else ""
        registers = zip(("r0", "r1", "r2", "r3", "r12"), self.registers, strict=True)
        special_registers = {"pc": self.pc, "lr": self.lr, "CFSR": self.status, "xPSR": self.xpsr}
        values = " ".join(
            f"{register} 0x{value:08x}"
            for register, value in [*special_registers.items(), *registers]
        )
        cause = f" ({causes}{place})" if causes else ""
        return f"{name}{cause}, exception {self.exception}, {values}"


def parse_fault(payload: bytes) -> Fault:
    """Read a FAULT report."""
    kind, exception, pc, lr, status, address, xpsr, *registers = unpack_one(
        "<BBIIIII5I", payload, "FAULT"
    )
    return Fault(kind, exception, pc, lr, status, address, xpsr, tuple(registers))


def unpack_one(layout: str, payload: bytes, command: str) -> tuple[int, ...]:
    """Read a reply of one layout.

    Raises:
        MalformedError: it has another length.
    """
    size = struct.calcsize(layout)
    if len(payload) != size:
        raise MalformedError(f"{command}'s reply has {len(payload)} bytes, not {size}")
    return struct.unpack(layout, payload)
