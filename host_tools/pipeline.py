"""The stages one after the other, as functions that the commands, the demo and the tests share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from dynadeep.codegen.applications import Harness
from dynadeep.codegen.board import Board, load_board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.generate import generate
from dynadeep.codegen.lock import locked
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.planner import (
    PLANNERS_CHOICE,
    PlanSettings,
    busy_s,
    instructions,
    plan_as_built,
)
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.errors import BoardCrashedError, OtherBuildError
from dynadeep.host_tools.link.answers import Model
from dynadeep.host_tools.link.crash_site import describe_site
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.link.protocol import Fault
from dynadeep.host_tools.link.qemu import QemuLink
from dynadeep.host_tools.place import Place, greeted_board, open_device
from dynadeep.host_tools.toolchain import Firmware

SOURCES = Path("build/sources")

INSTRUCTIONS_PER_S_HERE = 20e6
"""How fast this computer gets through a board's instructions at least, busy and emulating: no
board's clock says."""


RESTARTS_ALLOWED = 1
"""How often a board may restart by itself during one command of the link's. Work goes on after one
power drop; a watchdog that strikes each time is a fault."""


@dataclass(frozen=True)
class Station:
    """A board that was greeted, with the model that it runs."""

    bundle: Bundle
    plan: Plan
    board: Board
    device: Device
    elf: Path | None  # None where the firmware was built elsewhere

    @property
    def emulated(self) -> bool:
        """Whether the board is an emulator, whose counter counts instructions."""
        return self.device.link.counts_instructions


def make_firmware(
    bundle: Bundle,
    board: str,
    sources: Path | None = None,
    *,
    settings: PlanSettings = PLANNERS_CHOICE,
    optimize: str | None = None,
) -> Firmware:
    """Generate a board's C project, in ``sources`` or a folder of its own, and build it.

    ``optimize`` takes the place of the project's own -O2, in a build folder of its own.
    """
    target = load_board(board)
    application = None if settings.application == "harness" else settings.application
    words = [target.name, application, settings.engine, settings.kernels, bundle.manifest.model_id]
    name = "-".join(filter(None, words))
    folder = sources or SOURCES / name
    build_dir = folder / f"build{optimize}" if optimize else None
    with locked(folder):  # what is built is what was generated here
        generate(bundle, target, folder, settings)
        return toolchain.build(folder, build_dir, optimize=optimize)


@contextmanager
def connect(
    bundle: Bundle,
    board: str | None = None,
    *,
    port: str | None = None,
    baud: int | None = None,
    elf: Path | None = None,
    settings: PlanSettings = PLANNERS_CHOICE,
) -> Iterator[Station]:
    """Open a board and make sure that it runs the bundle's model.

    Args:
        bundle: what the board must run.
        board: its name or folder; the firmware must call itself so. None takes its word.
        port: a serial port or pyserial URL; without it ``elf`` is run on this computer.
        baud: of the port; None is the board's own, or 115,200 for one that is not named.
        elf: the firmware.
        settings: the engine and kernels that it must have; None takes the firmware's word.

    Raises:
        LinkError: nothing answers.
        WrongFirmwareError: it runs another model.
        WrongBoardError: it is another board.
        OtherBuildError: it has another engine or kernel set, or sends by itself.
        BoardCrashedError: it crashed while it was used; names the line where ``elf`` is known.
    """
    with open_device(Place(board, port, baud), elf) as device:
        device.restarts_allowed = RESTARTS_ALLOWED
        expected = None if board is None else load_board(board)
        about = device.hello(bundle.manifest.model_id, None if expected is None else expected.name)
        _check_harness(device)
        description = greeted_board(device, expected)
        _check_choice(device, settings)
        plan = plan_as_built(bundle, description, about.engine, about.kernels)
        device.check_model(_model_of(plan))
        device.expect(inference_s(plan, description, here=port is None))
        try:
            yield Station(bundle, plan, description, device, elf)
        except BoardCrashedError as error:
            if error.fault is None:
                raise
            place = _crash_site(error.fault, description, elf)
            raise type(error)(f"{error} {place}", error.fault) from error


@contextmanager
def emulated_again(station: Station, arguments: Sequence[str]) -> Iterator[Station]:
    """Yield a station's firmware in an emulator of its own, started with further arguments.

    Raises:
        LinkError: the emulator does not start with them.
    """
    board, emulator, elf = station.board, station.board.emulator, station.elf
    assert emulator is not None
    assert elf is not None
    options = (*emulator.arguments, *arguments)
    with QemuLink(elf, emulator.machine, options, emulator.program) as link:
        device = Device(link)
        device.hello(station.bundle.manifest.model_id, board.name)
        device.expect(inference_s(station.plan, board, here=True))
        yield replace(station, device=device)


def _model_of(plan: Plan) -> Model:
    """Return what a board must say of a plan's model."""
    manifest, codec = plan.manifest, plan.manifest.codec
    values = sum(spec.time * spec.channels for spec in manifest.inputs)
    return Model(
        application="network" if codec is None else "codec",
        input_bytes=values if codec is None else 2 * manifest.segment_length,
        sample_rate_hz=manifest.sample_rate_hz or 0,
        inputs=len(manifest.inputs),
        outputs=len(manifest.outputs),
        tensors=len(plan.tensors),
        constants=len(plan.constants),
        levels=0 if codec is None else len(codec.levels),
    )


def inference_s(plan: Plan, board: Board, *, here: bool) -> float:
    """Return about how long a board takes for a segment; ``here`` it runs on this computer."""
    if here:
        return instructions(plan, board.core.cpu) / INSTRUCTIONS_PER_S_HERE
    return busy_s(plan, board)


def _check_harness(device: Device) -> None:
    """Refuse firmware that answers nothing but who it is."""
    application = device.about.application
    if application not in get_args(Harness):
        raise OtherBuildError(
            f"{device.link.name}: the firmware is the application {application}, which answers "
            "none of the questions that are asked here. Generate, build and flash it without "
            "--application; what it sends by itself, 'dynadeep gateway' reads."
        )


def _check_choice(device: Device, settings: PlanSettings) -> None:
    """Refuse firmware of another engine or kernel set than was asked for or generated."""
    about = device.about
    for name, actual, expected in (
        ("engine", about.engine, settings.engine),
        ("kernel set", about.kernels, settings.kernels),
    ):
        if expected not in (None, actual):
            raise OtherBuildError(
                f"{device.link.name}: the firmware has the {name} {actual}, expected {expected}. "
                f"Generate, build and flash it with {expected}, or leave the option out to use it "
                "as it is."
            )


def _crash_site(fault: Fault, board: Board, elf: Path | None) -> str:
    """Return where a fault happened, or how to have that named."""
    if elf is None:
        return "Give the project with --sources, and its line is named."
    place = describe_site(elf, fault, native=board.target == "native")
    return f"It happened in {place}." if place else f"The address is none of {elf.name}'s lines."
