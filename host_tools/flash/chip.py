"""Which chip a probe has found: nothing is written to another one."""

from dynadeep.codegen.board import Identity
from dynadeep.host_tools.errors import WrongChipError


def check_chip(identity: Identity, value: int) -> None:
    """Hold a chip's register, as it was read, against what its board says.

    Raises:
        WrongChipError: it is another chip.
    """
    masked = value & identity.mask
    if masked != identity.value:
        raise WrongChipError(
            f"another chip is on the probe: its register {identity.address:#010x} holds "
            f"{masked:#x}, expected {identity.value:#x}. Nothing was written. Name the board that "
            "is connected, or choose its probe by --probe and its serial number."
        )
