"""What comes over the wire and out of packet files."""

import struct

import numpy as np

from dynadeep.codegen.errors import DynadeepError
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec import rice
from dynadeep.host_tools.codec.packet_file import find
from dynadeep.host_tools.codec.timeline import place
from dynadeep.host_tools.codec.wire import parse_bound, parse_encoded
from dynadeep.host_tools.link import protocol
from dynadeep.host_tools.link.frames import FrameReader, Reply, Request
from dynadeep.host_tools.link.protocol import Command, MalformedError
from fuzz.readers.target import Target
from fuzz.small import small_model

SAMPLES_MAX = 64

PARSERS = (
    protocol.parse_hello,
    parse_encoded,
    protocol.parse_trace,
    protocol.parse_constants,
    protocol.parse_memory,
    parse_bound,
    protocol.parse_fault,
)
_, MANIFEST = small_model()


def read_frames(data: bytes) -> None:
    """Cut a stream of bytes into replies, the same however it comes in pieces."""
    reader = FrameReader()
    whole = list(FrameReader().feed(data))
    pieces = [item for at in range(0, len(data), 7) for item in reader.feed(data[at : at + 7])]
    assert list(map(repr, pieces)) == list(map(repr, whole))
    if not any(isinstance(item, Reply) for item in whole):
        raise DynadeepError("there is no reply among these bytes")


def read_reply(data: bytes) -> None:
    """Read a reply's payload as the command's that the first byte names."""
    parse = PARSERS[data[0] % len(PARSERS) if data else 0]
    try:
        parse(data[1:])
    except MalformedError as error:  # the device makes a LinkError of it
        raise DynadeepError(str(error)) from error


def write_request(data: bytes) -> None:
    """Send any payload as a request, and read it back as a board does."""
    sequence, flags = struct.unpack("<HB", data[:3].ljust(3, b"\0"))
    request = Request(sequence, Command.TRACE, flags, data[3:])
    (back,) = FrameReader().feed(request.to_wire())
    assert back == Reply(sequence, Command.TRACE, flags, data[3:])


def read_packets(data: bytes) -> None:
    """Read a file of packets: no byte is left out, and each is again what its fields say."""
    result = find(data, MANIFEST)
    assert sum(map(len, result.packets)) + sum(part.length for part in result.damaged) == len(data)
    place(packets.decode(packet, MANIFEST) for packet in result.packets)
    for content in result.packets:
        packet = packets.decode(content, MANIFEST)
        assert packets.encode(packet) == content
        if packet.level != packets.LEVEL_NONE:  # those have a target of their own
            packets.codes_of(packet, MANIFEST)


def read_samples(data: bytes) -> None:
    """Decode lossless samples; the first two bytes say how many to expect."""
    count = 1 + int.from_bytes(data[:2], "little") % SAMPLES_MAX
    samples = rice.decode_samples(data[2:], count)
    assert samples.shape == (count,)
    assert rice.encode_samples(samples) == data[2:]  # there is one way to code them


def write_samples(data: bytes) -> None:
    """Code any samples; the first byte says whether they are whole or steps."""
    values = np.frombuffer(data[1 : 1 + SAMPLES_MAX], np.int8).astype(np.int16)
    if data[:1] < b"\x80":
        words = data[1 : 1 + 2 * SAMPLES_MAX]
        values = np.frombuffer(words[: len(words) // 2 * 2], "<i2").astype(np.int16)
    if data[:1] >= b"\xc0":
        values = np.cumsum(values, dtype=np.int16)
    if len(values):
        _check_round_trip(values)


def _check_round_trip(samples: rice.Samples) -> None:
    coded = rice.encode_samples(samples)
    assert len(coded) <= rice.bytes_max(len(samples))
    assert np.array_equal(rice.decode_samples(coded, len(samples)), samples)


_HOST = "dynadeep.host_tools"
TARGETS = (
    Target("frames", read_frames, (f"{_HOST}.link.frames",)),
    Target("requests", write_request, (f"{_HOST}.link.frames",)),
    Target("replies", read_reply, (f"{_HOST}.link.protocol",)),
    Target("packets", read_packets, (f"{_HOST}.codec.packet", f"{_HOST}.codec.rice")),
    Target("rice-decode", read_samples, (f"{_HOST}.codec.rice",)),
    Target("rice-encode", write_samples, (f"{_HOST}.codec.rice",)),
)
