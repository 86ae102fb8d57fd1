"""Find the whole packets in what was received: between damage, and behind it."""

import re
import struct
import zlib
from dataclasses import dataclass

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.codec.packet import (
    HEADER_BYTES,
    MAGIC,
    OVERHEAD_BYTES,
    VERSION,
    short_model_id,
)

_LENGTH = struct.Struct("<H")
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class Stretch:
    """Bytes that are no whole packet."""

    start: int
    length: int

    def __str__(self) -> str:
        """Say where it lies."""
        return f"{self.length} bytes at {self.start}"


@dataclass(frozen=True)
class Scan:
    """What a file of packets holds, in its order."""

    packets: tuple[bytes, ...]
    damaged: tuple[Stretch, ...]


def find(data: bytes, manifest: Manifest) -> Scan:
    """Cut ``data`` into whole packets: those whose length field and CRC are right.

    Where one is damaged or cut off, the next is looked for by its magic number, version and the
    model id of ``manifest``. A packet of another model is kept where it follows a whole one.
    """
    header = re.compile(
        bytes([MAGIC])
        + b"[%c-%c]" % (VERSION << 4, VERSION << 4 | 0x0F)
        + re.escape(short_model_id(manifest)),
        re.DOTALL,
    )
    packets: list[bytes] = []
    damaged: list[Stretch] = []
    start = 0
    while start < len(data):
        end = _end_of_packet(data, start)
        if end is not None:
            packets.append(data[start:end])
            start = end
            continue
        resumed = _next_packet(data, start + 1, header)
        damaged.append(Stretch(start, resumed - start))
        start = resumed
    return Scan(tuple(packets), tuple(damaged))


def _end_of_packet(data: bytes, start: int) -> int | None:
    """Return where the whole packet at ``start`` ends, None if there is none."""
    if data[start] != MAGIC or start + OVERHEAD_BYTES > len(data):
        return None
    (length,) = _LENGTH.unpack_from(data, start + HEADER_BYTES - _LENGTH.size)
    end = start + OVERHEAD_BYTES + length
    if end > len(data):
        return None
    (expected,) = _CRC.unpack_from(data, end - _CRC.size)
    actual = zlib.crc32(memoryview(data)[start : end - _CRC.size])
    return int(end) if actual == expected else None


def _next_packet(data: bytes, start: int, header: re.Pattern[bytes]) -> int:
    """Return where the next whole packet begins, or the end of ``data``."""
    for match in header.finditer(data, start):
        if _end_of_packet(data, match.start()) is not None:
            return match.start()
    return len(data)
