import struct
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.firmware.harness import Harness, Operation


def crc32(harness: Harness, data: bytes, crc: int = 0) -> int:
    reply = harness.call(Operation.CRC32, struct.pack("<I", crc) + data)
    return int(struct.unpack("<I", reply)[0])


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=600))
def test_crc_is_zlibs(harness: Harness, data: bytes) -> None:
    assert crc32(harness, data) == zlib.crc32(data)


def test_every_byte_value_goes_through_the_table(harness: Harness) -> None:
    for value in range(256):
        assert crc32(harness, bytes([value])) == zlib.crc32(bytes([value]))


@settings(max_examples=50, deadline=None)
@given(first=st.binary(max_size=100), second=st.binary(max_size=100))
def test_crc_continues_over_pieces(harness: Harness, first: bytes, second: bytes) -> None:
    assert crc32(harness, second, crc32(harness, first)) == zlib.crc32(first + second)
