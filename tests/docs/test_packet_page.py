"""docs/packet.md says what the code does: every field's place, the version, sizes, the example."""

import re
import struct
import zlib
from importlib import resources

import numpy as np
import pytest

from dynadeep.codegen.bundle import InputMap
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec import rice
from dynadeep.host_tools.codec.packet import Packet
from tests.codegen.models import manifest_for, paper_encoder

from .pages import page, table

PAGE = page("docs/packet.md")
FIELDS = table(PAGE, "offset", "bytes", "field")
PAYLOAD = b"\x61\x62\x63"
PACKET = Packet(5, b"\x11\x22\x33\x44", 0x5566, 0x7788, PAYLOAD, quantization=0x99)
EXPECTED = {
    "magic": b"\xdd",
    "version and level": bytes([packets.VERSION << 4 | PACKET.level]),
    "model id": PACKET.model_id,
    "stream": struct.pack("<H", PACKET.stream),
    "sequence": struct.pack("<H", PACKET.sequence),
    "quantisation": bytes([PACKET.quantization]),
    "payload length": struct.pack("<H", len(PAYLOAD)),
    "payload": PAYLOAD,
}


def firmware(path: str) -> str:
    return (resources.files("dynadeep.firmware_templates") / path).read_text(encoding="utf-8")


def place(text: str) -> int:
    return sum(len(PAYLOAD) if part == "n" else int(part) for part in text.split(" + "))


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: row["field"])
def test_every_field_stands_where_the_page_says(row) -> None:
    whole = packets.encode(PACKET)
    begin = place(row["offset"])
    expected = EXPECTED | {"CRC-32": struct.pack("<I", zlib.crc32(whole[:-4]))}
    assert whole[begin : begin + place(row["bytes"])] == expected[row["field"]]


def test_the_fields_are_all_of_the_packet() -> None:
    assert sum(place(row["bytes"]) for row in FIELDS) == len(packets.encode(PACKET))
    assert f"costs {packets.OVERHEAD_BYTES} bytes over its payload" in PAGE


def test_page_host_and_firmware_are_of_one_version() -> None:
    assert re.findall(r"packet version \((\d+)\)", PAGE) == [str(packets.VERSION)]
    header = firmware("runtime/dd_packet.h")
    assert re.findall(r"#define DD_PACKET_VERSION +(\d+)", header) == [str(packets.VERSION)]
    assert re.findall(r"#define DD_PACKET_HEADER_BYTES +(\d+)", header) == [
        str(packets.HEADER_BYTES)
    ]


def test_the_sizes_are_those_of_the_2000_sample_model() -> None:
    net = paper_encoder()
    manifest = manifest_for(net, net.model.build())
    most, weak, strong = (packets.packet_bytes(manifest, level) for level in range(3))
    assert f"{weak} bytes at CG 32, {strong} at CG 64" in PAGE
    assert f"at most {most}." in PAGE
    more = packets.packet_bytes(manifest.with_codec(input_map=InputMap("minmax")), 1) - weak
    assert f"({more} more with `minmax`)" in PAGE


def test_the_example_of_coded_samples_is_right() -> None:
    told = re.search(r"The samples ([\d, ]+) become `([0-9a-f ]+)`", PAGE)
    assert told is not None
    samples = np.array([int(value) for value in told[1].split(",")], np.int16)
    assert rice.encode_samples(samples) == bytes.fromhex(told[2])


def test_the_numbers_of_the_lossless_coding_are_the_codes() -> None:
    named = {
        "SLACK_BITS": r"`b = (\d+)`",
        "ESCAPE": r"`q >= (\d+)`",
        "STEP_MAX": r"limited to -\d+ to (\d+),",
        "WEIGHT_MAX": r"stays within -\d+ to (\d+)",
        "MISSED_MAX": r"min\(u, (\d+)\)",
        "MEAN_MAX": r"\+ 1, (\d+)\)",
    }
    for name, pattern in named.items():
        assert re.findall(pattern, PAGE) == [str(getattr(rice, name))], name
