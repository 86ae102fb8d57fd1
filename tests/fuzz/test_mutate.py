"""Inputs are changed by what they are, and mostly stay what they are."""

import json
import random
import struct
from collections.abc import Callable

from fuzz.mutate import mutate, mutate_json, pack, unpack

RUNS = 300
RECORD = json.dumps({"a": {"b": [1, 2.5, "text", None]}, "c": True}).encode()


def share(name: str, data: bytes, good: Callable[[bytes], bool]) -> float:
    chance = random.Random(5)
    return sum(good(mutate(name, data, chance)) for _ in range(RUNS)) / RUNS


def is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def test_json_mostly_stays_json_but_changes() -> None:
    assert share("x.json", RECORD, is_json) > 0.8
    assert share("x.json", RECORD, lambda data: data == RECORD) < 0.1


def test_an_archive_keeps_its_checksums_right_and_its_members_are_changed_by_kind() -> None:
    packed = pack({"record.json": RECORD, "data.bin": bytes(40)})
    assert share("x.zip", packed, lambda data: bool(unpack(data))) > 0.8
    assert unpack(packed)["record.json"] == RECORD


def test_a_safetensors_file_keeps_the_length_of_its_header_right() -> None:
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    whole = struct.pack("<Q", len(header)) + header + bytes(4)

    def is_whole(data: bytes) -> bool:
        length = int.from_bytes(data[:8], "little")
        return len(data) >= 8 and length <= len(data) - 8 and is_json(data[8 : 8 + length])

    assert share("x.safetensors", whole, is_whole) > 0.5


def test_any_bytes_can_be_changed_as_any_kind() -> None:
    chance = random.Random(6)
    for name in ("x", "x.json", "x.npz", "x.safetensors"):
        for data in (b"", b"{", b"[" * 5000, b"null", b"[]", chance.randbytes(30)):
            for _ in range(20):
                assert isinstance(mutate(name, data, chance), bytes)


def test_the_same_seed_gives_the_same_change() -> None:
    first, second = (mutate_json(RECORD, random.Random(9)) for _ in range(2))
    assert first == second
