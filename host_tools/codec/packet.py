"""The packet of one segment: made as the board makes it, and read as a receiver must.

``docs/packet.md`` describes every byte. ``encode`` is the reference that parity holds the board's
packets against; ``decode`` refuses whatever a receiver cannot trust, with the reason.
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import Level, Manifest
from dynadeep.codegen.numerics import LEVEL_NONE
from dynadeep.host_tools.codec import rice
from dynadeep.host_tools.errors import PacketError

MAGIC = 0xDD
VERSION = 3
MODEL_ID_BYTES = 4
QUANTIZATION = 0
"""Index of the manifest's latent quantisation, the only one yet."""

SEQUENCES = 1 << 16
"""The numbers of a stream's packets begin again behind them; so do those of its streams."""

_HEADER = struct.Struct("<BB4sHHBH")
_CRC = struct.Struct("<I")
_RANGE = struct.Struct("<hh")
HEADER_BYTES = _HEADER.size
OVERHEAD_BYTES = _HEADER.size + _CRC.size

Samples = npt.NDArray[np.int16]
Codes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Packet:
    """One packet's fields; ``payload`` as it travels."""

    level: int  # 0 is "none": the samples, losslessly; 1 the weakest compression
    model_id: bytes  # the first MODEL_ID_BYTES of the model id
    stream: int
    sequence: int
    payload: bytes
    quantization: int = QUANTIZATION


@dataclass(frozen=True)
class Content:
    """What the payload of a compressed level says."""

    codes: Codes  # int8 [codes]
    window_range: tuple[int, int] | None = None  # ADC units, with the minmax input map


def count_near(sequence: int, expected: int) -> int:
    """Return the count of packets whose number is ``sequence``, nearest to ``expected``."""
    ahead = (sequence - expected) % SEQUENCES
    return expected + (ahead if ahead < SEQUENCES // 2 else ahead - SEQUENCES)


def short_model_id(manifest: Manifest) -> bytes:
    """Return the part of the model id that a packet carries."""
    return bytes.fromhex(manifest.model_id)[:MODEL_ID_BYTES]


def payload_bytes(manifest: Manifest, level: int) -> int:
    """Return the length of a level's payload in bytes: the most that it may have at level 0."""
    if level == LEVEL_NONE:
        return rice.bytes_max(manifest.segment_length)
    extra = _RANGE.size if manifest.input_map.kind == "minmax" else 0
    return extra + manifest.levels[level - 1].codes


def packet_bytes(manifest: Manifest, level: int) -> int:
    """Return the length of a level's packet in bytes, header and CRC included; at level 0 the most.

    What a segment of level 0 really takes depends on its samples.
    """
    return OVERHEAD_BYTES + payload_bytes(manifest, level)


def payload_of(manifest: Manifest, level: int, segment: Samples, codes: Codes | None) -> bytes:
    """Return the payload for a segment, int16 [T], and its level's codes (None at level 0)."""
    if level == LEVEL_NONE:
        return rice.encode_samples(segment)
    if codes is None:
        raise ValueError(f"level {level} needs its codes")
    limits = b""
    if manifest.input_map.kind == "minmax":
        limits = _RANGE.pack(int(segment.min()), int(segment.max()))
    return limits + codes.astype(np.int8).tobytes()


def encode(packet: Packet) -> bytes:
    """Return a packet's bytes."""
    head = _HEADER.pack(
        MAGIC,
        VERSION << 4 | packet.level,
        packet.model_id,
        packet.stream,
        packet.sequence,
        packet.quantization,
        len(packet.payload),
    )
    body = head + packet.payload
    return body + _CRC.pack(zlib.crc32(body))


def read_header(data: bytes, kit: str = "another") -> Packet:
    """Read a packet of any model, and check that it is whole.

    Args:
        data: its bytes.
        kit: the version of the kit that should have made it, for the message.

    Raises:
        PacketError: magic, version, length or CRC is not right.
    """
    level = _checked_level(data, kit)
    _, _, model_id, stream, sequence, quantization, length = _HEADER.unpack_from(data)
    _check_size(data, length)
    payload = data[HEADER_BYTES : HEADER_BYTES + length]
    return Packet(level, model_id, stream, sequence, payload, quantization)


def decode(data: bytes, manifest: Manifest) -> Packet:
    """Read and check a packet that the model of ``manifest`` must have made.

    Raises:
        PacketError: magic, version, length, CRC, model id, level or quantisation is not right.
    """
    packet = read_header(data, manifest.kit_version)
    check_model(packet, manifest)
    return packet


def check_model(packet: Packet, manifest: Manifest) -> None:
    """Check that the model of ``manifest`` can have made a whole packet.

    Raises:
        PacketError: model id, level, quantisation or payload length is not right.
    """
    level, sequence, length = packet.level, packet.sequence, len(packet.payload)
    expected_id = short_model_id(manifest)
    if packet.model_id != expected_id:
        raise PacketError(
            f"packet {sequence}: made by model {packet.model_id.hex()}, this bundle's decoder is "
            f"{expected_id.hex()}. Decode with the bundle that the firmware was generated from."
        )
    if level > len(manifest.levels):
        raise PacketError(
            f"packet {sequence}: level {level}, the model has 0 to {len(manifest.levels)}."
        )
    if packet.quantization != QUANTIZATION:
        raise PacketError(
            f"packet {sequence}: quantisation {packet.quantization}, only 0 is defined."
        )
    most = payload_bytes(manifest, level)
    if length > most or (level != LEVEL_NONE and length != most):
        raise PacketError(
            f"packet {sequence}: payload of {length} bytes, level {level} has "
            f"{'at most ' if level == LEVEL_NONE else ''}{most}."
        )


def codes_of(packet: Packet, manifest: Manifest) -> Content:
    """Return what the payload of a checked packet of level 1 and up says."""
    level: Level = manifest.levels[packet.level - 1]
    codes = np.frombuffer(packet.payload[-level.codes :], np.int8)
    if manifest.input_map.kind == "minmax":
        return Content(codes, _RANGE.unpack_from(packet.payload))
    return Content(codes)


def _checked_level(data: bytes, kit: str) -> int:
    """Check what can be checked before the header is believed, and return the level."""
    if len(data) < OVERHEAD_BYTES:
        raise PacketError(
            f"packet of {len(data)} bytes: shorter than header and CRC ({OVERHEAD_BYTES})."
        )
    if data[0] != MAGIC:
        raise PacketError(f"packet starts with 0x{data[0]:02X}, not 0x{MAGIC:02X}: no packet.")
    if data[1] >> 4 != VERSION:
        raise PacketError(
            f"packet version {data[1] >> 4}, this kit reads {VERSION}. "
            f"Use the kit that wrote it ({kit})."
        )
    return data[1] & 0x0F


def _check_size(data: bytes, length: int) -> None:
    if len(data) != OVERHEAD_BYTES + length:
        raise PacketError(
            f"packet of {len(data)} bytes, its header says {OVERHEAD_BYTES + length}: "
            "cut off or run together with another."
        )
    (actual,) = _CRC.unpack_from(data, len(data) - _CRC.size)
    expected = zlib.crc32(data[: -_CRC.size])
    if actual != expected:
        raise PacketError(
            f"packet's CRC is {actual:08X}, its bytes give {expected:08X}: corrupted on the way."
        )
