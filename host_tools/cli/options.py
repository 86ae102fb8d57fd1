"""Options that several commands share, and where they put things by default."""

import math
import os
from pathlib import Path
from typing import Annotated, Literal

import typer


def complete_board(incomplete: str) -> list[str]:
    """Return the boards whose name begins so, for the shell."""
    from dynadeep.codegen.board import board_names

    return [name for name in (*board_names(), "auto") if name.startswith(incomplete)]


def complete_port(incomplete: str) -> list[str]:
    """Return the serial ports whose name begins so, for the shell."""
    from serial.tools import list_ports

    return [port.device for port in list_ports.comports() if port.device.startswith(incomplete)]


def check_writable(path: Path | None) -> Path | None:
    """Refuse a place that nothing can be written to, before anything is measured.

    Raises:
        typer.BadParameter: it is a folder, or what it stands in is none, or may not be written.
    """
    if path is None:
        return path
    if path == STDOUT:
        raise typer.BadParameter("- is no file: only --json goes to standard output.")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise typer.BadParameter(f"{path} cannot be written: name a file in a folder of yours.")
    return path


def check_json(path: Path | None) -> Path | None:
    """Refuse what ``check_writable`` does, but for ``-``, which is standard output."""
    return path if path == STDOUT else check_writable(path)


def check_finite(value: float | None) -> float | None:
    """Refuse NaN and infinity, which stand in no range and pass every one.

    Raises:
        typer.BadParameter: ``value`` is one of them.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no number to work with: give a finite one.")
    return value


def check_positive(value: float | None) -> float | None:
    """Refuse what is not finite, and 0 and less.

    Raises:
        typer.BadParameter: ``value`` is one of them.
    """
    check_finite(value)
    if value is not None and value <= 0:
        raise typer.BadParameter(f"{value} is not above 0: give a positive number.")
    return value


def check_each_finite(values: list[float] | None) -> list[float] | None:
    """Refuse an option of which one value is NaN or infinite, as ``check_finite`` does."""
    for value in values or ():
        check_finite(value)
    return values


STDOUT = Path("-")
BUILD = Path("build")
DEFAULT_BUNDLE = BUILD / "bundle"
BundleOption = Annotated[
    Path, typer.Option("--bundle", help="The bundle: a folder made by 'export'.")
]
BoardOption = Annotated[
    str | None,
    typer.Option(
        "--board",
        autocompletion=complete_board,
        help="The board's name ('boards' lists them), a folder of your own, or auto: the one that "
        "answers at a USB serial port. Without it the firmware or its project says; where there "
        "is neither yet: mps2-an386.",
    ),
]
PortOption = Annotated[
    str | None,
    typer.Option(
        "--port",
        autocompletion=complete_port,
        help="Where the board is: a serial port or any pyserial URL (socket://host:port). "
        "Without it the firmware is built and an emulator started.",
    ),
]
BaudOption = Annotated[
    int | None,
    typer.Option("--baud", min=1, help="Of the port; else that of the board named, or 115200."),
]
SourcesOption = Annotated[
    Path | None,
    typer.Option(
        "--sources",
        help="A generated project to build and run as it is, instead of generating one.",
    ),
]
BoundOption = Annotated[
    float | None,
    typer.Option(
        "--bound",
        min=0.0,
        callback=check_finite,
        help="Largest error allowed, in the model's unit; else its default.",
    ),
]
VIOLATION_RATE = 0.02
"""What a network is trained to promise unless it is told otherwise."""
ViolationRateOption = Annotated[
    float | None,
    typer.Option(
        "--violation-rate",
        max=1.0,
        callback=check_positive,
        help="Share of records that may break the promise; else what the checkpoint promises, and "
        f"{VIOLATION_RATE:g} with train --task.",
    ),
]
EcgOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--ecg",
        help="A recording: WFDB record, .edf, .bdf, .npy, .npz, .csv, .tsv or .txt; may be "
        "repeated. It is brought to the model's ADC units.",
    ),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--board",
        autocompletion=complete_board,
        help="The board's name ('boards' lists them), a folder of your own, or auto: the one that "
        "answers at a USB serial port. Else mps2-an386.",
    ),
]
GainOption = Annotated[
    float | None,
    typer.Option(
        "--gain", callback=check_finite, help="ADC units per mV of --ecg files that do not say."
    ),
]
BaselineOption = Annotated[
    float | None,
    typer.Option(
        "--baseline",
        callback=check_finite,
        help="ADC value of 0 mV of --ecg files that do not say.",
    ),
]
UnitOption = Annotated[
    Literal["mV", "adc"] | None,
    typer.Option(
        "--unit",
        help="What --ecg files hold that do not say: mV, or adc, the model's own ADC units unless "
        "--gain and --baseline say otherwise.",
    ),
]
RateOption = Annotated[
    float | None,
    typer.Option(
        "--rate",
        callback=check_positive,
        help="Samples a second of --ecg files that do not say.",
    ),
]
ChannelOption = Annotated[
    str | None,
    typer.Option(
        "--channel",
        help="Name, or number from 0, of the channel to take; else the first called as an ECG lead "
        "is.",
    ),
]
ResampleOption = Annotated[
    bool, typer.Option("--resample", help="Resample --ecg to the model's rate where it differs.")
]
EngineOption = Annotated[
    Literal["stream", "layers"] | None,
    typer.Option("--engine", help="Instead of the planner's choice for the board."),
]
KernelsOption = Annotated[
    Literal["plain", "lanes", "dsp", "helium"] | None,
    typer.Option("--kernels", help="Instead of those that suit the board's core best."),
]
DeadlineOption = Annotated[
    float | None,
    typer.Option(
        "--deadline",
        min=0.001,
        callback=check_finite,
        help="Seconds within which a segment must be encoded; else as long as its samples take.",
    ),
]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        callback=check_json,
        help="Also write the result to this file; - writes it to standard output, and what people "
        "read to standard error.",
    ),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option(
        "--html", callback=check_writable, help="Also write the report as a page, in one file."
    ),
]
JunitOption = Annotated[
    Path | None,
    typer.Option(
        "--junit", callback=check_writable, help="Also write what held as JUnit XML, for CI."
    ),
]
MarkdownOption = Annotated[
    Path | None,
    typer.Option(
        "--markdown", callback=check_writable, help="Also write a summary in Markdown, for CI."
    ),
]
CompareOption = Annotated[
    Path | None,
    typer.Option(
        "--compare",
        help="An earlier report.json: show what changed since, and fail if a figure is worse.",
    ),
]
ToleranceOption = Annotated[
    float | None,
    typer.Option(
        "--tolerance",
        min=0.0,
        callback=check_finite,
        help="By how many percent a figure may be worse than in --compare; else 2.",
    ),
]
ResumeOption = Annotated[
    bool,
    typer.Option("--resume", help="Go on with the run that was stopped, of what its file holds."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1, ...")]
DevicesOption = Annotated[
    int, typer.Option("--devices", min=1, help="How many of them; torchrun's own number counts.")
]
SkipBadOption = Annotated[
    bool,
    typer.Option(
        "--skip-bad", help="Leave out records that cannot be used, and count them, not refuse."
    ),
]
