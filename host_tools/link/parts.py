"""Lay what comes in parts into its place, and say what is missing."""

from collections.abc import Callable, Iterable, Iterator

from dynadeep.host_tools.link.protocol import MalformedError

Parts = list[bytes | None]
"""The payloads of one answer in order; None for one that was lost, which was as long as can be."""

Fetch = Callable[[int, int], Iterator[Parts]]
"""Ask for a number of bytes from an offset on; it gives the answers of one request or more."""

Range = tuple[int, int]
"""Offset and count."""


def place(
    values: bytearray, piece: Range, answers: Iterable[Parts], part_bytes: int
) -> list[Range]:
    """Lay the parts of a wanted piece into ``values``; return the ranges that were lost.

    Raises:
        MalformedError: they are not as many bytes as were asked for.
    """
    begin, count = piece
    at, missing = begin, []
    for parts in answers:
        for part in parts:
            length = part_bytes if part is None else len(part)
            if at + length > begin + count:
                raise MalformedError(f"gave {at + length - begin} values, {count} were asked for")
            if part is None:
                missing.append((at, length))
            else:
                values[at : at + length] = part
            at += length
        if at == begin + count:
            return missing
    raise MalformedError(f"gave {at - begin} values, {count} were asked for")
