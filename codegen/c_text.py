"""C text for templates: rows of numbers, strings, initialisers; nothing here decides anything."""

from collections.abc import Iterable, Iterator

from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.graph import Int8s, Int32s

C_TYPES = {"int8": "int8_t", "int32": "int32_t"}
PER_ROW = {"int8": 16, "int32": 7}
WIDTH = {"int8": 4, "int32": 11}


def rows(array: Int8s | Int32s) -> tuple[str, ...]:
    """Return the values as rows of an initialiser, each line at most 100 columns wide.

    An array of more than one dimension starts a new row for each entry of its first, with a comment
    that numbers it.
    """
    kind = array.dtype.name
    if array.ndim == 1:
        return tuple(_lines(array.tolist(), kind))
    lines: list[str] = []
    for number, part in enumerate(array.reshape(len(array), -1).tolist()):
        if len(array) > 1:
            lines.append(f"/* {number} */")
        lines += _lines(part, kind)
    return tuple(lines)


def _lines(values: list[int], kind: str) -> Iterator[str]:
    step = PER_ROW[kind]
    for start in range(0, len(values), step):
        cells = (f"{value:>{WIDTH[kind]}}," for value in values[start : start + step])
        yield " ".join(cells)


def byte_list(content: bytes) -> str:
    """Return bytes as ``0x01, 0x02``."""
    return ", ".join(f"0x{byte:02X}" for byte in content)


def string(text: str, what: str) -> str:
    """Return a C string literal.

    Raises:
        BundleError: the text holds more than printable ASCII without quotes and backslashes.
    """
    if not (text.isascii() and text.isprintable()) or '"' in text or "\\" in text:
        raise BundleError(f"manifest.json: {what} {text!r} is not plain ASCII text. Export again.")
    return f'"{text}"'


def scale(value: float) -> str:
    """Return a scale for a comment: six digits are enough to recognise it."""
    return f"{value:.6g}"


def float_literal(value: float, what: str) -> str:
    """Return a C literal of type float.

    Raises:
        BundleError: the value is no positive number that a float holds.
    """
    if not 1e-37 < value < 1e38:
        raise BundleError(
            f"manifest.json: {what} is {value}, expected a positive number. Export again."
        )
    return f"{float(value)!r}f"


def span(values: Iterable[float]) -> str:
    """Return the range of some scales for a comment."""
    ordered = sorted(values)
    low, high = scale(ordered[0]), scale(ordered[-1])
    return low if low == high else f"{low} to {high}"


def signed(value: int) -> str:
    """Return an integer that can follow a minus sign."""
    return f"({value})" if value < 0 else str(value)
