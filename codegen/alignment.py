"""What sizes and offsets in a device's memory are multiples of."""

ALIGNMENT = 4
"""Bytes, of whatever lies in the arena."""

STACK_ALIGNMENT = 8
"""Bytes; the linker script asks it of a stack."""


def aligned(size: int, alignment: int = ALIGNMENT) -> int:
    """Round a size or an offset up to a multiple, of the alignment unless told otherwise."""
    return -(-size // alignment) * alignment
