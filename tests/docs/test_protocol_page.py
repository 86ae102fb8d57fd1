"""docs/protocol.md says what host and firmware do: versions, codes, flags, every field."""

import re
import struct
from importlib import resources

import pytest

from dynadeep.host_tools.codec import wire
from dynadeep.host_tools.link import frames, protocol
from dynadeep.host_tools.link.frames import FAULT_SEQUENCE, cobs_decode
from dynadeep.host_tools.link.protocol import Command, CounterUnit, FaultKind, Status
from dynadeep.host_tools.measure import network

from .pages import page, table

PAGE = page("docs/protocol.md")
COMMANDS = {row["name"]: row for row in table(PAGE, "code", "name", "request", "reply")}
NUMBERS = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i32": "i"}
FIELD = re.compile(r"\b(u8|u16|u32|u64|i32)\b(?! length)|\b(\d+) bytes\b")


def firmware(path: str) -> str:
    return (resources.files("dynadeep.firmware_templates") / path).read_text(encoding="utf-8")


def layout(cell: str, until: str = "$") -> str:
    """Return the struct format of a cell's fields, those before ``until``."""
    fields = FIELD.findall(re.split(until, cell)[0])
    return "<" + "".join(NUMBERS[number] if number else f"{count}s" for number, count in fields)


def test_page_host_and_firmware_are_of_one_version() -> None:
    assert re.findall(r"Protocol version (\d+)", PAGE) == [str(protocol.PROTOCOL_VERSION)]
    header = firmware("app/hello.h")
    assert f"#define DD_PROTOCOL_VERSION {protocol.PROTOCOL_VERSION}\n" in header


def test_every_command_stands_there_with_its_code() -> None:
    assert {name: int(row["code"], 16) for name, row in COMMANDS.items()} == {
        command.name: command.value for command in Command
    }


def test_a_request_on_the_wire_is_what_the_page_says() -> None:
    rows = table(PAGE, "body of a request", "body of a reply")
    assert [row["body of a request"].split(" (")[0] for row in rows] == [
        *("sequence number", "command", "flags", "payload", "CRC-32 of all before")
    ]
    sizes = [frames.HEADER.format.count("H") * 2, 1, 1, "n", frames.CRC.size]
    assert [row["bytes"] for row in rows] == [str(size) for size in sizes]
    wire = frames.Request(0x1234, Command.ENCODE, 2, b"payload").to_wire()
    assert wire[:1] == wire[-1:] == b"\0"
    assert cobs_decode(wire[1:-1])[:4] == struct.pack("<HBB", 0x1234, Command.ENCODE, 2)


def test_hello_has_the_fields_of_the_page() -> None:
    told = layout(COMMANDS["HELLO"]["reply"], "board name")
    assert told == protocol._HELLO.format


@pytest.mark.parametrize(
    ("name", "side", "expected"),
    [
        ("TRACE", "reply", "<HII"),
        ("CONSTANTS", "reply", "<I"),
        ("MEMORY", "reply", "<II"),
        ("RUN", "reply", network.TICKS.format),
        ("OUTPUT", "request", protocol.TENSOR_REQUEST.format),
        ("BOUND", "request", wire.BOUND.format),
        ("BOUND", "reply", "<i"),
        ("RESET", "request", wire.STREAM.format),
        ("TENSOR", "request", protocol.TENSOR_REQUEST.format),
        ("REPLY", "request", protocol.REPLY_REQUEST.format),
    ],
)
def test_the_fields_of_a_command_are_those_of_the_page(name: str, side: str, expected: str) -> None:
    assert layout(COMMANDS[name][side]) == expected


def test_a_packet_as_the_page_describes_it_is_read_as_it_was_meant() -> None:
    assert layout(COMMANDS["ENCODE"]["reply"]) == "<BBiQIH"
    reply = struct.pack("<BBiiQIH", 1, 2, -5, 6, 1 << 40, 9, 7) + b"packet"
    assert wire.parse_encoded(reply) == wire.EncodeReply(1, (-5, 6), 1 << 40, 9, 7, b"packet")


def test_a_fault_as_the_page_describes_it_is_read_as_it_was_meant() -> None:
    row = COMMANDS["FAULT"]["reply"]
    assert layout(row) == "<BBIIIIIIIIII"
    assert f"sequence number 0x{FAULT_SEQUENCE:04X}" in row
    kinds = re.search(r"kind u8 \((.*?)\)", row)
    assert kinds is not None
    numbers = [int(number) for number in re.findall(r"\d+", kinds[1])]
    assert numbers == [kind.value for kind in FaultKind]
    fault = protocol.parse_fault(struct.pack("<BB10I", 1, 3, *range(4, 14)))
    assert (fault.kind, fault.exception, fault.pc, fault.lr, fault.status) == (1, 3, 4, 5, 6)
    assert (fault.address, fault.xpsr, fault.registers) == (7, 8, (9, 10, 11, 12, 13))


@pytest.mark.parametrize("name", ["RUN", "ENCODE", "TRACE", "TENSOR"])
def test_the_flags_are_bits_of_the_host_and_the_firmware(name: str) -> None:
    words = {
        "first": "FIRST",
        "one by one": "SINGLE",
        "one step at a time": "SINGLE",
        "unfused": "UNFUSED",
    }
    header = firmware("app/commands.h")
    told = re.findall(r"bit (\d): ([a-z ]+)", COMMANDS[name]["request"])
    assert told
    for bit, word in told:
        flag = getattr(protocol, f"FLAG_{words[word]}")
        assert flag == 1 << int(bit)
        assert re.search(rf"#define DD_FLAG_{words[word]} +0x0{flag}u", header)


def test_the_counter_units_are_those_of_host_and_firmware() -> None:
    told = re.search(r"counter unit u8 \((.*?);", COMMANDS["HELLO"]["reply"])
    assert told is not None
    units = {int(number): name.upper() for number, name in re.findall(r"(\d) (\w+)", told[1])}
    assert units == {unit.value: unit.name for unit in CounterUnit}
    assert set(re.findall(r"Unit (\d):", PAGE)) == {str(unit.value) for unit in CounterUnit}
    header = firmware("app/board.h")
    for number, name in units.items():
        assert re.search(rf"#define BOARD_COUNTER_{name} +{number}\n", header)


def test_engines_and_kernel_sets_have_the_numbers_of_the_page() -> None:
    cell = COMMANDS["HELLO"]["reply"]
    engines = re.search(r"engine u8 \((.*?)\)", cell)
    kernels = re.search(r"kernel set u8 \((.*?)\)", cell)
    assert engines is not None
    assert kernels is not None
    assert re.findall(r"(\d) (\w+)", engines[1]) == [
        (str(number), name) for number, name in enumerate(protocol.ENGINES)
    ]
    assert re.findall(r"(\d) (\w+)", kernels[1]) == [
        (str(number), name) for number, name in enumerate(protocol.KERNELS, start=1)
    ]


def test_every_status_that_the_page_names_exists() -> None:
    meant = {2: "BAD_LENGTH", 3: "BAD_ARGUMENT", 9: "RESTARTED", 13: "ANSWER_PART"}
    told = {int(number) for number in re.findall(r"status (\d+)", PAGE)} - {Status.OK}
    names = {status.value: status.name for status in Status}
    assert told <= names.keys()
    assert {number: names[number] for number in told if number in meant} == meant
