"""The frames of the link, as docs/protocol.md describes them: COBS, CRC-32, requests, replies.

Nothing here reads or writes a port.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from dynadeep.host_tools.link.protocol import Command, MalformedError

HEADER = struct.Struct("<HBB")  # sequence number, command, flags or status
CRC = struct.Struct("<I")
FAULT_SEQUENCE = 0xFFFF
END = b"\0"
SEQUENCES = 1 << 16
IN_PARTS = (Command.TENSOR, Command.OUTPUT)
"""What is answered in as many frames as it needs, numbered from the request's number on."""

UNASKED = (Command.PACKET, Command.ANNOUNCE)
"""What a device sends by itself, numbered from its start on."""

PARTS_MAX = 1 << 14
LONGEST_BODY = 1 << 17  # both lengths in HELLO have 16 bits


def cobs_encode(body: bytes) -> bytes:
    """Return ``body`` without its zeros, and without the zero that ends a frame."""
    out = bytearray()
    for piece in body.split(b"\0"):
        # A full block stands for no zero, so one that ends the piece needs an empty one after it.
        full, remainder = divmod(len(piece), 254)
        for index in range(full):
            out += b"\xff" + piece[254 * index : 254 * (index + 1)]
        out += bytes((remainder + 1,)) + piece[254 * full :]
    return bytes(out)


def cobs_decode(data: bytes) -> bytes:
    """Return the body of an encoded frame that came without its final zero.

    Raises:
        MalformedError: a block is cut off.
    """
    out = bytearray()
    index = 0
    while index < len(data):
        code = data[index]
        block = data[index + 1 : index + code]
        if code == 0 or len(block) != code - 1:
            raise MalformedError(
                f"COBS block at {index} says {code - 1} bytes, {len(block)} follow"
            )
        out += block
        index += code
        if code < 0xFF and index < len(data):
            out += END
    return bytes(out)


@dataclass(frozen=True)
class Request:
    """What the host sends."""

    sequence: int
    command: Command
    flags: int = 0
    payload: bytes = b""

    def to_wire(self) -> bytes:
        """Return the bytes to send: a zero that ends earlier noise, the frame, its zero."""
        body = HEADER.pack(self.sequence, self.command, self.flags) + self.payload
        return END + cobs_encode(body + CRC.pack(zlib.crc32(body))) + END


@dataclass(frozen=True)
class Reply:
    """What the board sent; this kit may have no name for ``command`` and ``status``."""

    sequence: int
    command: int
    status: int
    payload: bytes

    def answers(self, request: Request) -> bool:
        """Whether this is the reply to ``request``."""
        return (self.sequence, self.command) == (request.sequence, request.command)

    def part_of(self, request: Request) -> int | None:
        """Return which part of the answer to ``request`` this is, counted from 0; None if none."""
        index = (self.sequence - request.sequence) % SEQUENCES
        if self.command != request.command or self.command not in IN_PARTS:
            return None
        return index if index < PARTS_MAX else None

    def echoes(self, request: Request) -> bool:
        """Whether this is ``request`` itself come back, which only BOUND's reply may look like."""
        return request.command != Command.BOUND and (
            self.sequence,
            self.command,
            self.status,
            self.payload,
        ) == (
            request.sequence,
            request.command,
            request.flags,
            request.payload,
        )

    @property
    def is_fault(self) -> bool:
        """Whether the board says that it crashed."""
        return (self.sequence, self.command) == (FAULT_SEQUENCE, Command.FAULT)

    @property
    def is_unasked(self) -> bool:
        """Whether a device that sends by itself sent this."""
        return self.command in UNASKED


def parse_reply(frame: bytes) -> Reply:
    """Read a frame that came without its final zero.

    Raises:
        MalformedError: it is not a frame, or damaged.
    """
    return parse_body(cobs_decode(frame))


def parse_body(body: bytes) -> Reply:
    """Read a reply's body, its CRC at the end.

    Raises:
        MalformedError: it is too short, or damaged.
    """
    if len(body) < HEADER.size + CRC.size:
        raise MalformedError(f"frame of {len(body)} bytes is shorter than header and CRC")
    (expected,) = CRC.unpack(body[-CRC.size :])
    computed = zlib.crc32(body[: -CRC.size])
    if computed != expected:
        raise MalformedError(f"frame's CRC is {computed:08x}, it says {expected:08x}")
    sequence, command, status = HEADER.unpack_from(body)
    return Reply(sequence, command, status, body[HEADER.size : -CRC.size])


class FrameReader:
    """Cuts a byte stream into replies."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[Reply | MalformedError]:
        """Yield each frame that ``data`` completes: a reply, or what is wrong with it."""
        self._pending += data
        *frames, rest = self._pending.split(END)
        # Noise without a zero must not fill the memory; cut short, it still fails its CRC.
        self._pending = rest[:LONGEST_BODY]
        for frame in filter(None, frames):
            try:
                yield parse_reply(bytes(frame))
            except MalformedError as error:
                yield error
