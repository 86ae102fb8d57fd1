"""C data of an image as C text, for a compiler that lays it out."""

from collections.abc import Mapping

from tests.firmware.layouts import Image, Reference, Structs, Symbol, Value


def c_text(image: Image, prefix: str) -> str:
    """Return definitions of an image's objects, called ``prefix`` and their number."""
    return "".join(
        _array(f"{prefix}{number}", item)
        if isinstance(item, bytes)
        else _structs(f"{prefix}{number}", item, prefix)
        for number, item in enumerate(image.objects)
    )


def _array(name: str, content: bytes) -> str:
    body = ",".join(map(str, content)) or "0"
    return f"_Alignas(4) static const uint8_t {name}[] = {{{body}}};\n"


def _structs(name: str, structs: Structs, prefix: str) -> str:
    rows = ",\n    ".join(_value(value, prefix) for value in structs.values)
    return f"static const {structs.name} {name}[] = {{\n    {rows}}};\n"


def _value(value: Value, prefix: str) -> str:
    match value:
        case None:
            return "0"
        case int():
            return str(int(value))
        case Reference():
            return f"(const void *){prefix}{value.number}"
        case Symbol():
            return f"&{value.name}"
        case _:
            items = (
                [f".{name} = {_value(item, prefix)}" for name, item in value.items()]
                if isinstance(value, Mapping)
                else [_value(item, prefix) for item in value]
            )
            return "{" + ", ".join(items) + "}"
