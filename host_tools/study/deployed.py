"""The generated C over many segments, as fast as this computer runs it, with the board's results.

Model and runtime are those of the native board's project; ``firmware_templates/batch`` feeds them
segments without a link. They are integers throughout, so a board computes the same bits.
"""

import dataclasses
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle, Level
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.fixed_point import INT32_MAX
from dynadeep.codegen.generate import generate
from dynadeep.codegen.lock import locked
from dynadeep.codegen.numerics import LEVEL_NONE, fixed_error, real_error
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.planner import PlanSettings
from dynadeep.codegen.progress import step
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.errors import HostError

BATCH = "batch"
BATCH_FILES = ("CMakeLists.txt", "dd_batch.c")
PROJECT = "project"
"""Where CMakeLists.txt looks for the generated sources."""

Samples = npt.NDArray[np.int16]
Codes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class DeployedCodes:
    """What the device makes of N segments, before it decides."""

    codes: tuple[Codes, ...]  # per level, int8 [N, codes]: the latent tensors
    predicted: npt.NDArray[np.int32]  # [N, levels], Q8.24, without the margins
    none_bytes: npt.NDArray[np.int64]  # [N], of the whole packet at level "none"


@dataclass(frozen=True)
class Program:
    """The host program of a bundle and the layout of what it writes."""

    executable: Path
    row: np.dtype[np.void]
    tensors: tuple[int, ...]  # numbers of the latents


def encode_segments(bundle: Bundle, segments: Samples, folder: Path) -> DeployedCodes:
    """Encode segments, int16 [N, T] in ADC units, at every level at once.

    The sources are generated and built in ``folder``, which later calls may share.

    Raises:
        HostError: the segments are not of the model's shape or type, or the program failed.
        BuildError: the generated C cannot be compiled.
        CodegenError: the model cannot become C.
    """
    _check_segments(segments, bundle.manifest.segment_length)
    # With the largest margin no level is ever within the bound, so that each packet is "none".
    largest = (real_error(INT32_MAX),)
    closed = tuple(
        dataclasses.replace(level, margins=largest, record_margins=largest)
        for level in bundle.manifest.levels
    )
    manifest = bundle.manifest.with_codec(levels=closed, margin_bounds=(0.0,))
    with step(f"{len(segments)} segments through the generated C"):
        program = _build(dataclasses.replace(bundle, manifest=manifest), folder / "all-levels")
        rows = _run(program, segments, fixed_error(0.0))
    assert not np.any(rows["level"] != LEVEL_NONE)
    return DeployedCodes(
        codes=tuple(rows[_field(level)].copy() for level in manifest.levels),
        predicted=rows["predicted"].copy(),
        none_bytes=rows["length"].astype(np.int64),
    )


def packets_at(bundle: Bundle, segments: Samples, bound: float, folder: Path) -> list[bytes]:
    """Return the packets of segments, int16 [N, T], each as the device decides at ``bound``.

    All belong to stream 0, whose sequence starts at 0. Raises what ``encode_segments`` raises.
    """
    _check_segments(segments, bundle.manifest.segment_length)
    rows = _run(_build(bundle, folder / "packets"), segments, fixed_error(bound))
    return [bytes(row["packet"][: row["length"]]) for row in rows]


def decode_codes(
    bundle: Bundle, level: int, codes: Codes, segments: Samples | None = None
) -> npt.NDArray[np.float32]:
    """Decode a compressed level's codes, int8 [N, codes], to float32 [N, T] in ADC units.

    Args:
        bundle: its decoder is used.
        level: 1 to the manifest's number of levels.
        codes: as ``DeployedCodes`` holds them.
        segments: int16 [N, T], whose range the minmax input map sends along; else not used.
    """
    ranges = None
    if segments is not None:
        ranges = [(int(segment.min()), int(segment.max())) for segment in segments]
    return Decoder(bundle).decode_many(level, codes, ranges)


def _build(bundle: Bundle, folder: Path) -> Program:
    # By layers, so that a tensor is shown in one piece; the packets are those of any engine.
    templates = resources.files("dynadeep.firmware_templates") / BATCH
    with locked(folder):
        plan = generate(
            bundle, load_board("native"), folder / PROJECT, PlanSettings(engine="layers")
        )
        for name in BATCH_FILES:
            _write_if_new(folder / name, (templates / name).read_bytes())
        executable = toolchain.build(folder).elf
    tensors = _latents(plan)
    return Program(executable, _row(plan, tensors), tuple(tensors))


def _latents(plan: Plan) -> dict[int, Level]:
    """Return the levels by the number of their latent tensor, in the order of execution."""
    numbers = {tensor.name: tensor.number for tensor in plan.tensors if tensor.fused}
    levels = {
        numbers[plan.network.holder(level.latent_tensor)]: level for level in plan.manifest.levels
    }
    return dict(sorted(levels.items()))


def _row(plan: Plan, tensors: Mapping[int, Level]) -> np.dtype[np.void]:
    """Return what dd_batch.c writes for a segment."""
    latents = [(_field(level), np.int8, (level.codes,)) for level in tensors.values()]
    return np.dtype(
        [
            *latents,
            ("level", np.uint32),
            ("length", np.uint32),
            ("predicted", np.int32, (len(plan.manifest.levels),)),
            ("packet", np.uint8, (plan.packet_bytes_max,)),
        ]
    )


def _field(level: Level) -> str:
    return f"latent {level.name}"


def _write_if_new(path: Path, content: bytes) -> None:
    """Write a file, or leave it alone if it says the same, so that nothing is built again."""
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)


def _run(program: Program, segments: Samples, bound: int) -> npt.NDArray[np.void]:
    """Run the program over segments and return its rows."""
    command = [str(program.executable), str(bound), *map(str, program.tensors)]
    done = subprocess.run(command, input=segments.tobytes(), capture_output=True, check=False)
    expected = len(segments) * program.row.itemsize
    if done.returncode != 0 or len(done.stdout) != expected:
        reason = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"
        raise HostError(
            f"{program.executable}: wrote {len(done.stdout)} bytes, expected {expected}: {reason}. "
            "Remove its folder and run again."
        )
    return np.frombuffer(done.stdout, program.row)


def _check_segments(segments: Samples, length: int) -> None:
    if segments.dtype != np.int16 or segments.ndim != 2 or segments.shape[1] != length:
        raise HostError(
            f"segments: expected int16 of shape [N, {length}], found {segments.dtype} of shape "
            f"{list(segments.shape)}. Cut the recordings into whole segments of ADC samples."
        )
