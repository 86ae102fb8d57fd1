"""What a board may answer: each field within what HELLO and the request allow.

A frame whose CRC is right may still hold anything: firmware of another kit, or a fault of this one.
What is checked here nobody has to doubt afterwards.
"""

from collections.abc import Sequence

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.link.protocol import Hello, MalformedError, RunReply, StackUse, TraceEntry

TRACE_ENTRY_BYTES, CONSTANT_BYTES, SAMPLE_BYTES = 9, 4, 2
TENSOR_HEAD_BYTES = 8
LEVELS_MAX = 15
COUNTER_HZ_MIN = 1_000
"""A slower counter could not tell one segment's time from another's."""


def check_hello(about: Hello) -> None:
    """Check that an introduction is consistent in itself.

    Raises:
        MalformedError: it names the field, what was expected and what it is.
    """
    length = about.segment_length
    samples_fit = (about.request_bytes_max - TENSOR_HEAD_BYTES) // SAMPLE_BYTES
    longest = max(TRACE_ENTRY_BYTES, CONSTANT_BYTES * about.constants, 1)
    _within("segment length", length, 1, (1 << 15) - 1)
    _within("sample rate", about.sample_rate_hz, 1, 0xFFFF)
    _within("number of levels", about.levels, 1, LEVELS_MAX)
    _within("number of tensors", about.tensors, 2, 0xFF)
    _within("number of constants", about.constants, 1, 0xFF)
    _within("counter rate", about.counter_hz, COUNTER_HZ_MIN, 0xFFFFFFFF)
    _within("samples of a request", about.chunk_samples, 1, min(length, max(samples_fit, 0)))
    _within("largest reply", about.reply_bytes_max, longest, 0xFFFF)
    if about.engine == "layers" and about.chunk_samples != length:
        raise MalformedError(
            f"HELLO: it takes {about.chunk_samples} samples a request, but needs all {length} of "
            "a segment at once"
        )
    for what, text in (("board", about.board), ("kit version", about.kit_version)):
        if not text or not text.isprintable() or not text.isascii():
            raise MalformedError(f"HELLO: the {what} is {text!r}, expected a name")


def check_model(about: Hello, manifest: Manifest, tensors: int, constants: int) -> None:
    """Check that a board that names the right model also describes it.

    Raises:
        MalformedError: it names the field, what was expected and what it is.
    """
    for what, found, expected in (
        ("segment length", about.segment_length, manifest.segment_length),
        ("sample rate", about.sample_rate_hz, manifest.rate_hz),
        ("number of levels", about.levels, len(manifest.levels)),
        ("number of tensors", about.tensors, tensors),
        ("number of constants", about.constants, constants),
    ):
        if found != expected:
            raise MalformedError(f"HELLO: the {what} is {found}, the model's is {expected}")


def check_run(reply: RunReply, about: Hello) -> None:
    """Check one segment's outcome.

    Raises:
        MalformedError: it names the field, what was expected and what it is.
    """
    _exactly("RUN: the number of predicted errors", len(reply.predicted), about.levels)
    _within("level", reply.level, 0 if about.lossless else 1, about.levels, "RUN")
    _within("number of clipped samples", reply.clipped, 0, about.segment_length, "RUN")
    if not reply.packet:
        raise MalformedError("RUN: there is no packet behind the figures")
    if reply.worst_ticks > reply.ticks:
        raise MalformedError(
            f"RUN: the longest call took {reply.worst_ticks} ticks, all together {reply.ticks}"
        )


def check_trace(entries: Sequence[TraceEntry], about: Hello) -> None:
    """Check that a trace names tensors that there are, each once and in order.

    Raises:
        MalformedError: it names the field, what was expected and what it is.
    """
    last = -1
    for entry in entries:
        _within("tensor", entry.tensor, last + 1, about.tensors - 1, "TRACE")
        last = entry.tensor


def check_constants(crcs: Sequence[int], about: Hello) -> None:
    """Check that every array of constants has its CRC."""
    _exactly("CONSTANTS: the number of arrays", len(crcs), about.constants)


def check_memory(stack: StackUse) -> None:
    """Check that no more of the stack was used than there is."""
    _within("stack's high-water mark", stack.peak_bytes, 0, stack.size_bytes, "MEMORY")


def check_bound(bound: int, asked: int) -> None:
    """Check the bound in force against the one that was ``asked`` for, if that is not negative."""
    if asked >= 0:
        _exactly("BOUND: the bound in force", bound, asked)
    _within("bound", bound, 0, (1 << 31) - 1, "BOUND")


def check_empty(payload: bytes, what: str) -> None:
    """Check that a reply has no payload where none belongs."""
    _exactly(f"{what}: bytes in a reply that has none", len(payload), 0)


def _within(what: str, found: int, least: int, most: int, command: str = "HELLO") -> None:
    if not least <= found <= most:
        raise MalformedError(f"{command}: the {what} is {found}, expected {least} to {most}")


def _exactly(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise MalformedError(f"{what} is {found}, expected {expected}")
