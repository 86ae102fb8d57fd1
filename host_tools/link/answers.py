"""What a board may answer: each field within what HELLO and the request allow.

A frame whose CRC is right may still hold anything: firmware of another kit, or a fault of this one.
What is checked here nobody has to doubt afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from dynadeep.codegen.applications import Harness
from dynadeep.host_tools.link.protocol import (
    Hello,
    MalformedError,
    StackUse,
    TraceEntry,
)

TRACE_ENTRY_BYTES, CONSTANT_BYTES = 10, 4
TENSOR_HEAD_BYTES = 8
LEVELS_MAX = 15
U32_MAX = (1 << 32) - 1
CODEC_INPUT_MAX = 2 * ((1 << 15) - 1)
"""Bytes of a segment: a packet counts its samples in 15 bits."""

COUNTER_HZ_MIN = 1_000
"""A slower counter could not tell one segment's time from another's."""


@dataclass(frozen=True)
class Model:
    """What a board must say of the model that it runs: fields of HELLO."""

    application: Harness
    input_bytes: int
    sample_rate_hz: int
    inputs: int
    outputs: int
    tensors: int
    constants: int
    levels: int


def check_hello(about: Hello) -> None:
    """Check that an introduction is consistent in itself.

    Raises:
        MalformedError: it names the field, what was expected and what it is.
    """
    codec = about.application != "network"
    harness = about.application != "autonomous"
    value = np.dtype(about.input_dtype).itemsize
    longest = max(TRACE_ENTRY_BYTES, CONSTANT_BYTES * about.constants, 1)
    fit = max(about.request_bytes_max - (TENSOR_HEAD_BYTES if harness else 0), 0)
    within("bytes of an input", about.input_bytes, value, CODEC_INPUT_MAX if codec else U32_MAX)
    within("sample rate", about.sample_rate_hz, 1 if codec else 0, U32_MAX)
    within("number of levels", about.levels, *((1, LEVELS_MAX) if codec else (0, 0)))
    within("number of inputs", about.inputs, 1, 0xFF)
    within("number of outputs", about.outputs, 1, 0xFF)
    within("number of tensors", about.tensors, 2, 0xFFFF)
    within("number of constants", about.constants, 0, 0xFFFF)
    within("counter rate", about.counter_hz, COUNTER_HZ_MIN, U32_MAX)
    within("input bytes of a request", about.chunk_bytes, value, min(about.input_bytes, fit))
    within("largest reply", about.reply_bytes_max, longest if harness else 1, 0xFFFF)
    if about.input_bytes % value or about.chunk_bytes % value:
        raise MalformedError(
            f"HELLO: an input of {about.input_bytes} bytes, {about.chunk_bytes} a request, "
            f"expected values of {value} bytes"
        )
    if (
        about.application == "codec"
        and about.engine == "layers"
        and about.chunk_bytes != about.input_bytes
    ):
        raise MalformedError(
            f"HELLO: it takes {about.chunk_bytes} bytes a request, but needs all "
            f"{about.input_bytes} of a segment at once"
        )
    for name, text in (("board", about.board), ("kit version", about.kit_version)):
        if not text or not text.isprintable() or not text.isascii():
            raise MalformedError(f"HELLO: the {name} is {text!r}, expected a name")


def check_model(about: Hello, model: Model) -> None:
    """Check that a board that names the right model also describes it.

    Raises:
        MalformedError: it names the field, what was expected and what it is.
    """
    for field in fields(model):
        actual, expected = getattr(about, field.name), getattr(model, field.name)
        if actual != expected:
            name = field.name.replace("_", " ")
            raise MalformedError(f"HELLO: its {name} is {actual}, the model's is {expected}")


def check_trace(entries: Sequence[TraceEntry], about: Hello) -> None:
    """Check that a trace names tensors that there are, each once and in order.

    Raises:
        MalformedError: it names the field, what was expected and what it is.
    """
    last = -1
    for entry in entries:
        within("tensor", entry.tensor, last + 1, about.tensors - 1, "TRACE")
        last = entry.tensor


def check_constants(crcs: Sequence[int], about: Hello) -> None:
    """Check that every array of constants has its CRC."""
    exactly("CONSTANTS: the number of arrays", len(crcs), about.constants)


def check_memory(stack: StackUse) -> None:
    """Check that no more of the stack was used than there is."""
    within("stack's high-water mark", stack.peak_bytes, 0, stack.size_bytes, "MEMORY")


def check_empty(payload: bytes, command: str) -> None:
    """Check that a reply has no payload where none belongs."""
    exactly(f"{command}: bytes in a reply that has none", len(payload), 0)


def within(name: str, value: int, minimum: int, maximum: int, command: str = "HELLO") -> None:
    """Check a number of a reply against its range."""
    if not minimum <= value <= maximum:
        raise MalformedError(f"{command}: the {name} is {value}, expected {minimum} to {maximum}")


def exactly(name: str, value: int, expected: int) -> None:
    """Check a number of a reply against the one that it must be."""
    if value != expected:
        raise MalformedError(f"{name} is {value}, expected {expected}")
