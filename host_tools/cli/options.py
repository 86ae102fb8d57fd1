"""Options that several commands share, and where they put things by default."""

from pathlib import Path
from typing import Annotated, Literal

import typer

BUILD = Path("build")
DEFAULT_BUNDLE = BUILD / "bundle"
DEFAULT_BOARD = "mps2-an386"

BundleOption = Annotated[
    Path, typer.Option("--bundle", help="The bundle: a folder made by 'export'.")
]
BoardOption = Annotated[str, typer.Option("--board", help="The board's name; 'boards' lists them.")]
PortOption = Annotated[
    str | None,
    typer.Option(
        "--port",
        help="Where the board is: a serial port or any pyserial URL (socket://host:port). "
        "Without it the firmware is built and an emulator started.",
    ),
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
    typer.Option("--bound", help="Largest error allowed, in the model's unit; else its default."),
]
EcgOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--ecg",
        help="A recording: WFDB record, .npy, .csv or .txt of ADC samples; may be repeated. "
        "Without it: recordings of the shipped excerpt of MIT-BIH that the network never saw.",
    ),
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
        min=0.0,
        help="Seconds within which a segment must be encoded; else as long as its samples take.",
    ),
]
JsonOption = Annotated[
    Path | None, typer.Option("--json", help="Also write the result to this file.")
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
