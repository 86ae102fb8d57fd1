import dataclasses
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.host_tools.codec import lossless
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.packet import Packet
from dynadeep.host_tools.errors import PacketError

SEGMENT = np.arange(-1000, 1000, dtype=np.int16)
CODES = {1: np.arange(62, dtype=np.int8) - 31, 2: np.arange(31, dtype=np.int8) - 15}
KINDS = ("affine", "minmax")


def make(manifest, level, *, stream=7, sequence=9) -> Packet:
    payload = packets.payload_of(manifest, level, SEGMENT, CODES.get(level))
    return Packet(level, packets.short_model_id(manifest), stream, sequence, payload)


def reseal(data: bytes) -> bytes:
    """Give altered bytes a CRC that fits them, so that only the alteration can be refused."""
    return data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "little")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0, 1, 2])
def test_what_was_encoded_is_decoded(make_manifest, kind, level):
    manifest = make_manifest(kind)
    packet = make(manifest, level)
    assert packets.decode(packets.encode(packet), manifest) == packet


@settings(max_examples=30, deadline=None)
@given(stream=st.integers(0, 0xFFFF), sequence=st.integers(0, 0xFFFF), level=st.integers(0, 2))
def test_every_stream_and_sequence_number_survives(make_manifest, stream, sequence, level):
    manifest = make_manifest()
    packet = make(manifest, level, stream=stream, sequence=sequence)
    assert packets.decode(packets.encode(packet), manifest) == packet


@pytest.mark.parametrize(
    ("kind", "sizes"), [("affine", (4025, 79, 48)), ("minmax", (4025, 83, 52))]
)
def test_packets_have_the_documented_sizes(make_manifest, kind, sizes):
    manifest = make_manifest(kind)
    assert tuple(packets.packet_bytes(manifest, level) for level in range(3)) == sizes
    actual = tuple(len(packets.encode(make(manifest, level))) for level in range(3))
    assert actual[1:] == sizes[1:]
    assert actual[0] < sizes[0] // 10  # a straight line


def test_the_bytes_are_those_of_the_description(make_manifest):
    data = packets.encode(make(make_manifest(), 2))
    assert data[:13] == bytes.fromhex("dd 32 01234567 0700 0900 00 1f00")
    assert data[13:44] == CODES[2].tobytes()
    assert data[44:] == zlib.crc32(data[:44]).to_bytes(4, "little")


def test_an_uncompressed_packet_gives_the_samples_back(make_manifest):
    samples, right = lossless.decode_all([make(make_manifest(), 0).payload], len(SEGMENT))
    assert right.all()
    assert np.array_equal(samples, [SEGMENT])


def test_samples_that_do_not_code_a_segment_are_refused(make_manifest):
    manifest = make_manifest()
    sound = make(manifest, 0)
    for payload in (sound.payload[:-1], sound.payload + bytes(1), b"", bytes(100)):
        packet = packets.decode(
            packets.encode(dataclasses.replace(sound, payload=payload)), manifest
        )
        _, right = lossless.decode_all([packet.payload], manifest.segment_length)
        assert not right.any()


def test_more_bytes_than_a_segment_has_are_refused(make_manifest):
    manifest = make_manifest()
    packet = dataclasses.replace(make(manifest, 0), payload=bytes(4009))
    with pytest.raises(PacketError, match="level 0 has at most 4008"):
        packets.decode(packets.encode(packet), manifest)


def test_minmax_packets_carry_the_range_of_the_window(make_manifest):
    manifest = make_manifest("minmax")
    content = packets.codes_of(make(manifest, 1), manifest)
    assert content.window_range == (-1000, 999)
    assert np.array_equal(content.codes, CODES[1])


@given(position=st.integers(0, 78), bit=st.integers(0, 7))
def test_one_flipped_bit_is_refused(make_manifest, position, bit):
    manifest = make_manifest()
    data = bytearray(packets.encode(make(manifest, 1)))
    data[position] ^= 1 << bit
    with pytest.raises(PacketError):
        packets.decode(bytes(data), manifest)


@given(length=st.integers(0, 78))
def test_a_cut_packet_is_refused(make_manifest, length):
    manifest = make_manifest()
    with pytest.raises(PacketError):
        packets.decode(packets.encode(make(manifest, 1))[:length], manifest)


@given(data=st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else_is_raised(make_manifest, data):
    with pytest.raises(PacketError):
        packets.decode(data, make_manifest())


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (0, 0xDE, "starts with 0xDE"),
        (1, 0x11, "packet version 1"),
        (1, 0x33, "level 3, the model has 0 to 2"),
        (1, 0x32, "payload of 62 bytes, level 2 has 31"),
        (2, 0xFF, "made by model ff234567"),
        (10, 1, "quantisation 1"),
    ],
)
def test_a_sound_packet_that_does_not_fit_is_refused_with_the_reason(
    make_manifest, offset, value, reason
):
    manifest = make_manifest()
    data = bytearray(packets.encode(make(manifest, 1)))
    data[offset] = value
    with pytest.raises(PacketError, match=reason):
        packets.decode(reseal(bytes(data)), manifest)


def test_a_wrong_length_field_is_refused(make_manifest):
    manifest = make_manifest()
    data = bytearray(packets.encode(make(manifest, 1)))
    data[11] += 1
    with pytest.raises(PacketError, match="header says 80"):
        packets.decode(reseal(bytes(data)), manifest)
