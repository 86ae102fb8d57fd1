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
    offset, missing = begin, []
    for parts in answers:
        for part in parts:
            length = part_bytes if part is None else len(part)
            if offset + length > begin + count:
                raise MalformedError(
                    f"gave {offset + length - begin} values, {count} were asked for"
                )
            if part is None:
                missing.append((offset, length))
            else:
                values[offset : offset + length] = part
            offset += length
        if offset == begin + count:
            return missing
    raise MalformedError(f"gave {offset - begin} values, {count} were asked for")
