"""Firmware built for emulated cores, and what the plugin counts of a run of it, layer by layer."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dynadeep.codegen.board import Board, Core, load_board
from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.kernels import kernels_of
from dynadeep.codegen.plan import Choice, Engine, Plan
from dynadeep.codegen.prediction import NO_WAITING, Cost
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.codec.application import CodecApplication
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.cycles.counts import BlockCount, counting
from dynadeep.host_tools.cycles.estimate import price
from dynadeep.host_tools.cycles.program import read_program
from dynadeep.host_tools.link.device import Device, Values
from dynadeep.host_tools.link.qemu import QemuLink
from dynadeep.host_tools.measure.application import Application
from dynadeep.host_tools.measure.network import NetApplication, NetBoard
from tests.caching import ROOT, hash_of, hash_of_files, made_once
from tests.prediction.maps import sizes_by_file

COUNTED = "counted.json"
PATIENCE_S = 60.0  # for a run, of which nothing may be foretold yet

PRICED = sorted((ROOT / "host_tools" / "cycles").glob("**/*.[pct][yo]*"))
"""What a count depends on besides the firmware."""

EMULATED = {
    "cortex-m0": "mps2-an385",
    "cortex-m0plus": "mps2-an385",
    "cortex-m3": "mps2-an385",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
    "cortex-m33": "mps2-an505",
    "cortex-m55": "mps3-an547",
}
"""The boards with most RAM. A Cortex-M3 runs all that a Cortex-M0 does, and counts besides."""


@dataclass(frozen=True)
class Counted:
    """A run: its layers' kernels in their order, and all that is besides."""

    layers: tuple[Cost, ...]
    besides: Cost


def emulated_board(cpu: str) -> Board:
    """Return a board that runs what is compiled for a core."""
    board = load_board(EMULATED[cpu])
    if board.core.cpu == cpu:
        return board
    return replace(board, core=Core(cpu, (f"-mcpu={cpu}", "-mthumb"), board.core.clock_hz))


def own_choice(cpu: str, engine: Engine = "stream") -> Choice:
    """Return the kernels that suit a core best, with their largest buffers."""
    kernels = kernels_of(cpu)
    return Choice(engine, kernels, buffers=kernels.buffers[0])


def built(plan: Plan, board: Board) -> Path:
    """Return the project of a plan, built once."""
    files = project_files(plan, board)
    name = f"counted-{hash_of([*map(str.encode, files), *files.values()])}"

    def make(folder: Path) -> None:
        write_project(files, folder / "project")
        toolchain.build(folder / "project")

    return made_once(name, make) / "project"


def flash_of(plan: Plan, board: Board) -> dict[str, int]:
    """Return the bytes that each source of a plan's firmware takes of a board's flash."""
    return sizes_by_file((built(plan, board) / "build" / "firmware.map").read_text("utf-8"))


def counted(plan: Plan, board: Board, values: Values) -> Counted:
    """Return what a run over an input takes, counted once."""
    project = built(plan, board)
    name = f"{project.parent.name}-costs-{hash_of([values.tobytes()])}-{hash_of_files(PRICED)}"

    def make(folder: Path) -> None:
        costs = _count(plan, board, project / "build" / "firmware.elf", values)
        (folder / COUNTED).write_text(json.dumps(asdict(costs)), encoding="utf-8")

    data = json.loads((made_once(name, make) / COUNTED).read_text(encoding="utf-8"))
    return Counted(tuple(Cost(*cost) for cost in data["layers"]), Cost(*data["besides"]))


def _count(plan: Plan, board: Board, elf: Path, values: Values) -> Counted:
    layers, emulator = plan.network.layers, board.emulator
    assert emulator is not None
    program = read_program(elf, len(layers))
    with counting(program, board) as count:
        arguments = (*emulator.arguments, *count.arguments)
        with QemuLink(elf, emulator.machine, arguments, emulator.program) as link:
            device = Device(link)
            device.hello(plan.manifest.model_id, board.name)
            device.expect(PATIENCE_S)
            _application(device, plan.manifest).run(values)
            blocks = count.counts()
    names = [layer.name for layer in layers]
    estimate = price(program, blocks, board.core.cpu, NO_WAITING, names)
    fetched, accesses = _flash_reads(blocks, len(layers))
    inside = estimate.instructions_by_layer
    of_layers = zip(
        inside.values(), estimate.layers.values(), fetched[1:], accesses[1:], strict=True
    )
    outside = estimate.instructions - sum(inside.values())
    return Counted(
        tuple(Cost(*cost) for cost in of_layers),
        Cost(outside, estimate.besides, fetched[0], accesses[0]),
    )


def _flash_reads(blocks: Sequence[BlockCount], layers: int) -> tuple[list[int], list[int]]:
    """Return what each stage asks of the flash: bytes of instructions, and besides them."""
    fetched, accesses = [0] * (layers + 1), [0] * (layers + 1)
    for block in blocks:
        fetched[block.stage] += block.executed * block.bytes
        accesses[block.stage] += block.taken + block.flash_reads
    return fetched, accesses


def _application(device: Device, manifest: Manifest) -> Application:
    if manifest.codec is None:
        return NetApplication(NetBoard(device, manifest))
    return CodecApplication(CodecBoard(device), manifest)
