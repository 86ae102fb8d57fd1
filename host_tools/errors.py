"""What can go wrong between the sources and a board, one exit status per kind.

    DynadeepError                 codegen/errors.py
    +-- HostError                 1   anything else in this folder
        +-- BuildError            7   configuring, compiling, linking or flashing failed
        +-- EcgError              2   a recording that was given cannot be used
        +-- LinkError             8   no port, or no believable answer
        |   +-- RefusedError      8   the board answered with a status
        +-- WrongFirmwareError    9   another protocol, model or board than expected
        +-- ParityError           10  a tensor differs from the reference
        +-- BoardCrashedError     11  the board reported a fault, or restarted by itself
        +-- PacketError           12  a packet cannot be trusted, or is another model's
        +-- BudgetError           13  the firmware costs more than it may

The numbers are the exit statuses of docs/errors.md.
"""

from dynadeep.codegen.errors import DynadeepError, RecordingError
from dynadeep.host_tools.link.protocol import Fault, Status


class HostError(DynadeepError):
    """A test station cannot do what it was asked."""


class BuildError(HostError):
    """The firmware could not be configured, compiled, linked or flashed."""

    exit_status = 7


class LinkError(HostError):
    """There is no port, or nothing believable comes out of it."""

    exit_status = 8


class RefusedError(LinkError):
    """The board understood a request and answered it with a status other than OK."""

    def __init__(self, message: str, status: Status):
        super().__init__(message)
        self.status = status


class WrongFirmwareError(HostError):
    """The board runs another protocol, model or board's firmware than was expected."""

    exit_status = 9


class ParityError(HostError):
    """A tensor on the board differs from the reference."""

    exit_status = 10


class BoardCrashedError(HostError):
    """The board reported a fault (``fault``), or restarted by itself (None)."""

    exit_status = 11

    def __init__(self, message: str, fault: Fault | None = None):
        super().__init__(message)
        self.fault = fault


class EcgError(HostError, RecordingError):
    """A recording or a segment that the user gave cannot be used."""


class PacketError(HostError):
    """A packet is damaged, lost, or of another model than its decoder."""

    exit_status = 12


class BudgetError(HostError):
    """The firmware is correct, but costs more instructions, RAM or flash than it may."""

    exit_status = 13
