"""Change an input by what it is: bytes, JSON, a safetensors or Parquet file, or an archive.

Flipped bits in JSON rarely leave JSON, and in an archive never leave its checksums right: these
changes reach what stands behind the parser.
"""

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from fuzz.tables import mutate_table

Mutator = Callable[[bytes, random.Random], bytes]

HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**32, 2**63, -(2**63), 10**12, 10**400, 1e308, -1e-308),
    *(1.4e-45, 1e-40, float("nan"), float("inf"), float("-inf"), "", "x", "\0", "é", "../x"),
    *("a" * 300, "\x1b[31m", [], [[]], {}, {"": 0}, [0, 1], "00", "cortex-m4", "int8"),
)
"""Values that a field of a file should never have, or not without a check."""

TOKENS = (b"\0", b"\xff", b"\xff\xfe", b"\n", b" ", b",", b";", b'"', b"-1", b"0", b"1e999", b"nan")
_ALIKE = (b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x80", b"999999999999")


def mutate(name: str, data: bytes, chance: random.Random) -> bytes:
    """Return ``data`` changed a little, by the suffix of its file's ``name``."""
    change = _BY_SUFFIX.get(PurePath(name).suffix, mutate_bytes)
    if change is not mutate_bytes and chance.random() < 0.1:
        change = mutate_bytes
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        data = change(data, chance)
    return data


def mutate_bytes(data: bytes, chance: random.Random) -> bytes:
    """Flip, insert, remove, double or cut off some bytes."""
    at = chance.randrange(len(data) + 1)
    some = chance.choice((1, 1, 2, 4, 8, 64))
    inserted = chance.choice((*TOKENS, *_ALIKE, chance.randbytes(some)))
    kind = chance.randrange(6)
    if kind == 0 and data:
        at %= len(data)
        return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
    if kind == 1:
        return data[:at] + data[at + some :]
    if kind == 2:
        return data[:at] + inserted + data[at + len(inserted) :]
    if kind == 3:
        return data[:at]
    if kind == 4:
        begin = chance.randrange(len(data) + 1)
        return data[:at] + data[begin : begin + some] + data[at:]
    return data[:at] + inserted + data[at:]


def mutate_json(data: bytes, chance: random.Random) -> bytes:
    """Replace, remove, double or move a value, wherever it stands."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return mutate_bytes(data, chance)
    root = [content]
    places = [(root, 0), *_places(content)]
    holder, key = chance.choice(places)
    kind = chance.randrange(5)
    if kind == 0:
        source, source_key = chance.choice(places)
        holder[key] = json.loads(json.dumps(source[source_key]))
    elif kind == 1 and holder is not root:
        del holder[key]
    elif kind == 2 and isinstance(holder, dict):
        holder[str(key) + chance.choice(("x", ""))] = chance.choice(HOSTILE)
    elif kind == 3 and isinstance(holder[key], int | float):
        holder[key] = _nearby(holder[key], chance)
    else:
        holder[key] = chance.choice(HOSTILE)
    return json.dumps(root[0], indent=chance.choice((None, 2))).encode()


def _places(content: Any) -> list[tuple[Any, Any]]:
    """Return every value below ``content`` as its holder and key."""
    places: list[tuple[Any, Any]] = []
    waiting = [content]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict | list):
            keys = list(holder) if isinstance(holder, dict) else range(len(holder))
            places += [(holder, key) for key in keys]
            waiting += [holder[key] for key in keys]
    return places


def _nearby(value: float, chance: random.Random) -> float:
    changes: tuple[Callable[[], float], ...] = (
        lambda: value + 1,
        lambda: value - 1,
        lambda: -value,
        lambda: value * 2,
        lambda: value + 0.5,
        lambda: value * 10 ** chance.randrange(-50, 50),
    )
    try:
        return chance.choice(changes)()
    except OverflowError:
        return 0


def mutate_safetensors(data: bytes, chance: random.Random) -> bytes:
    """Change the header as JSON, its length put right, or anything as bytes."""
    if len(data) < 8 or chance.random() < 0.3:
        return mutate_bytes(data, chance)
    (length,) = struct.unpack_from("<Q", data)
    header = mutate_json(data[8 : 8 + length], chance)
    return struct.pack("<Q", len(header)) + header + data[8 + length :]


def mutate_archive(data: bytes, chance: random.Random) -> bytes:
    """Change, remove, rename or double a member, and write the archive whole."""
    members = unpack(data)
    if not members:
        return mutate_bytes(data, chance)
    name = chance.choice(sorted(members))
    kind = chance.randrange(8)
    if kind == 0:
        del members[name]
    elif kind == 1:
        members[chance.choice(("x", "../x", name + "x"))] = members[name]
    elif kind == 2:
        members[chance.choice(sorted(members))] = members[name]
    else:
        members[name] = mutate(name, members[name], chance)
    return pack(members)


def unpack(data: bytes) -> dict[str, bytes]:
    """Return an archive's members, or none if it is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {
                member.filename: archive.read(member)
                for member in archive.infolist()
                if member.compress_type == zipfile.ZIP_STORED
            }
    except Exception:  # zipfile raises whatever its parts raise
        return {}


def pack(members: dict[str, bytes]) -> bytes:
    """Return an archive of files, uncompressed, the same for the same members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def mutate_parquet(data: bytes, chance: random.Random) -> bytes:
    """Change a table, or anything as bytes: its pages' checksums are wrong then."""
    changed = None if chance.random() < 0.2 else mutate_table(data, chance)
    return mutate_bytes(data, chance) if changed is None else changed


_BY_SUFFIX: dict[str, Mutator] = {
    ".json": mutate_json,
    ".npz": mutate_archive,
    ".parquet": mutate_parquet,
    ".safetensors": mutate_safetensors,
    ".zip": mutate_archive,
}
