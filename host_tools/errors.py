"""What can go wrong between the sources and a board, one exit status per kind.

    DynadeepError                     codegen/errors.py
    +-- HostError                     1   anything else in this folder
        +-- BuildError                7   configuring, compiling or linking failed
        |   +-- FlashError            20  the programmer did not put the firmware on the board
        |       +-- WrongChipError    21  another chip is on the probe: nothing was written
        +-- LinkError                 8   anything else about a port
        |   +-- RefusedError          8   the board answered with a status
        |   +-- NoPortError           22  there is no such port
        |   +-- PortBusyError         23  another program has the port
        |   +-- PortDeniedError       24  no permission to open the port
        |   +-- SilentBoardError      25  nothing answers at all
        |   +-- NoisyLineError        26  something comes, but nothing that can be believed
        |   +-- BoardHangsError       27  it answered before, and no longer does
        +-- WrongFirmwareError        9   another model, or firmware that cannot be what it says
        |   +-- OtherProtocolError    28  it speaks another version of the protocol
        |   +-- WrongBoardError       29  it is another board's
        |   +-- OtherBuildError       30  its engine or kernels are not the plan's
        +-- EcgError                  2   a recording that was given cannot be used
        +-- ParityError               10  a tensor differs from the reference
        +-- BoardCrashedError         11  the board reported a fault
        |   +-- StackOverflowError    31  its stack was too small
        |   +-- BoardRestartedError   32  it restarted by itself: a watchdog, or its power
        +-- PacketError               12  a packet cannot be trusted, or is another model's
        +-- BudgetError               13  the firmware costs more than it may
        +-- ReportError               15  a report to compare with cannot be used
        +-- RegressionError           16  a figure is worse than in the report compared with
        +-- ArchiveError              17  an archive is damaged, or what is in its place is none
        +-- BrokerError               18  no way to a broker, or it refuses what it is shown
        +-- GatewayError              19  a spool or a device's name cannot be used

The numbers are the exit statuses of docs/errors.md. What each of a board's looks like, and what to
do then, is the table of docs/failures.md.
"""

from dynadeep.codegen.errors import DynadeepError, RecordingError
from dynadeep.host_tools.link.protocol import Fault, Status


class HostError(DynadeepError):
    """A test station cannot do what it was asked."""


class BuildError(HostError):
    """The firmware could not be configured, compiled or linked."""

    exit_status = 7


class FlashError(BuildError):
    """The programmer could not put the firmware on the board."""

    exit_status = 20


class WrongChipError(FlashError):
    """The probe finds another chip than the firmware is for; nothing was written."""

    exit_status = 21


class LinkError(HostError):
    """There is no port, or nothing believable comes out of it."""

    exit_status = 8


class RefusedError(LinkError):
    """The board understood a request and answered it with a status other than OK."""

    def __init__(self, message: str, status: Status):
        super().__init__(message)
        self.status = status


class NoPortError(LinkError):
    """There is no such port."""

    exit_status = 22


class PortBusyError(LinkError):
    """Another program has the port."""

    exit_status = 23


class PortDeniedError(LinkError):
    """The user may not open the port."""

    exit_status = 24


class SilentBoardError(LinkError):
    """Nothing answers at a port: no greeting was ever answered."""

    exit_status = 25


class NoisyLineError(LinkError):
    """Something comes out of the port, but nothing that can be believed."""

    exit_status = 26


class BoardHangsError(LinkError):
    """A board that was greeted answers no longer."""

    exit_status = 27


class WrongFirmwareError(HostError):
    """The board runs another model's firmware than was expected, or cannot be what it says."""

    exit_status = 9


class OtherProtocolError(WrongFirmwareError):
    """The board speaks another version of the protocol."""

    exit_status = 28


class WrongBoardError(WrongFirmwareError):
    """The board is another one than was named, or one that this kit does not know."""

    exit_status = 29


class OtherBuildError(WrongFirmwareError):
    """The firmware's engine or kernels are not those that were planned."""

    exit_status = 30


class ParityError(HostError):
    """A tensor on the board differs from the reference."""

    exit_status = 10


class BoardCrashedError(HostError):
    """The board reported a fault (``fault``), or restarted by itself (None)."""

    exit_status = 11

    def __init__(self, message: str, fault: Fault | None = None):
        super().__init__(message)
        self.fault = fault


class StackOverflowError(BoardCrashedError):
    """The board's stack was too small."""

    exit_status = 31


class BoardRestartedError(BoardCrashedError):
    """The board restarted by itself, without a word: a watchdog, or its power."""

    exit_status = 32


class EcgError(HostError, RecordingError):
    """A recording or a segment that the user gave cannot be used."""


class PacketError(HostError):
    """A packet is damaged, lost, or of another model than its decoder."""

    exit_status = 12


class BudgetError(HostError):
    """The firmware is correct, but costs more instructions, RAM or flash than it may."""

    exit_status = 13


class ReportError(HostError):
    """A report.json to compare with is damaged, of another schema, or of another board."""

    exit_status = 15


class RegressionError(HostError):
    """A figure is worse than in the report that it was compared with, by more than is tolerated."""

    exit_status = 16


class ArchiveError(HostError):
    """An archive cannot be read or written, or holds what is none of an archive's."""

    exit_status = 17


class BrokerError(HostError):
    """A broker's address is none, what it is shown cannot be read, or it does not let us in."""

    exit_status = 18


class GatewayError(HostError):
    """A gateway's spool or a device's name cannot be used."""

    exit_status = 19
