"""Parity: every bit that the board computes, sends or holds, against the reference.

Three checks, because none alone is enough (docs/architecture.md):

1. constants: the CRC of every array of the model as it lies in flash, against the bundle;
2. tensors: the CRC of every tensor, fused and unfused, against TFLite's reference kernels; where
   one differs its values are fetched and the first that differs is named;
3. packets: level, predicted errors, clipped samples and every byte sent, against the Python
   definition.
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import Bundle, Manifest
from dynadeep.codegen.fixed_point import INT32_MAX
from dynadeep.codegen.inventory import TracedTensor
from dynadeep.codegen.numerics import (
    LEVEL_NONE,
    choose_level,
    clipped_samples,
    fixed_error,
    fixed_margin,
    predicted_error,
)
from dynadeep.codegen.plan import Plan
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.errors import ParityError
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.link.protocol import RunReply
from dynadeep.host_tools.measure.references import Case

STREAM = 0


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it must be."""

    kind: str  # "constant", "tensor", "level", "predicted error", "packet"
    layer: str
    name: str  # the array, the tensor, or the packet's field
    board: str
    reference: str
    segment: str = ""
    channel: int | None = None
    time: int | None = None

    def __str__(self) -> str:
        """Say it in one line."""
        place = [f"layer {self.layer}", self.name]
        if self.segment:
            place.append(f"segment {self.segment}")
        if self.channel is not None:
            place.append(f"channel {self.channel}, time {self.time}")
        return f"{', '.join(place)}: board {self.board}, reference {self.reference}"


@dataclass(frozen=True)
class ParityResult:
    """What was compared, and what differed, in the order of the model."""

    segments: int
    tensors: int  # compared per segment: all that the unfused run shows
    fused_tensors: int  # compared per segment once more: those that the firmware really keeps
    constants: int
    packets: int
    levels: tuple[int, ...]  # packets compared at each level, "none" first
    differences: tuple[Difference, ...] = ()

    @property
    def bit_exact(self) -> bool:
        """Whether everything compared was equal and anything was compared at all."""
        return not self.differences and self.segments > 0


def check(
    device: Device,
    bundle: Bundle,
    plan: Plan,
    cases: Iterable[Case],
    on_segment: Callable[[int], None] = lambda done: None,
) -> ParityResult:
    """Compare the board with the reference over ``cases``, up to the first that differs.

    Where a constant differs, one segment is compared, to show what it does.

    Args:
        device: a board that runs the bundle's model.
        bundle: the reference's own bundle.
        plan: what codegen computes from the bundle, never from generated files.
        cases: segments with their reference tensors.
        on_segment: called with the number of segments done.
    """
    found = compare_constants(device.constants(), plan)
    levels = [0] * (len(bundle.manifest.levels) + 1)
    segments = 0
    device.reset(STREAM)
    for case in cases:
        differing = _compare_tensors(device, plan, case, unfused=True)
        differing = differing or _compare_tensors(device, plan, case, unfused=False)
        reply, wrong = _compare_run(device, bundle.manifest, case, segments)
        segments += 1
        if reply.level < len(levels):
            levels[reply.level] += 1
        on_segment(segments)
        found += differing + wrong
        if found:
            break
    return ParityResult(
        segments=segments,
        tensors=len(plan.tensors),
        fused_tensors=sum(tensor.fused for tensor in plan.tensors),
        constants=len(plan.constants),
        packets=segments,
        levels=tuple(levels),
        differences=tuple(found),
    )


def require_exact(result: ParityResult) -> None:
    """Refuse a result that is not exact.

    Raises:
        ParityError: it names the first difference of each kind.
    """
    if result.bit_exact:
        return
    first = {one.kind: str(one) for one in reversed(result.differences)}
    found = "; ".join(reversed(first.values())) or "no segment was compared"
    raise ParityError(
        f"the board is not equal to the reference: {found}. Was the generated C or the bundle "
        "changed? Generate and build it again."
    )


def compare_constants(crcs: Sequence[int], plan: Plan) -> list[Difference]:
    """Return every array of constants whose CRC on the board is not the bundle's."""
    if len(crcs) != len(plan.constants):
        return [_other_number("constant", "arrays", len(crcs), len(plan.constants))]
    return [
        Difference(
            kind="constant",
            layer=entry.layer,
            name=entry.kind,
            board=f"CRC {crc:08x}",
            reference=f"CRC {zlib.crc32(entry.content):08x}",
        )
        for entry, crc in zip(plan.constants, crcs, strict=True)
        if crc != zlib.crc32(entry.content)
    ]


def first_difference(
    board: npt.NDArray[np.int8], reference: npt.NDArray[np.int8], entry: TracedTensor, segment: str
) -> Difference:
    """Name the first value of a tensor, int8 [time, channels], that differs."""
    shape = (entry.time, entry.channels)
    place = np.argwhere(board.reshape(shape) != reference.reshape(shape))
    time, channel = (int(value) for value in place[0])
    return Difference(
        kind="tensor",
        layer=entry.layer,
        name=entry.name,
        board=str(board.reshape(shape)[time, channel]),
        reference=str(reference.reshape(shape)[time, channel]),
        segment=segment,
        channel=channel,
        time=time,
    )


def _compare_tensors(device: Device, plan: Plan, case: Case, *, unfused: bool) -> list[Difference]:
    """Return the first tensor of a run that differs, as a list of one, or nothing."""
    expected = [tensor for tensor in plan.tensors if unfused or tensor.fused]
    seen = device.trace(case.segment, unfused=unfused)
    if len(seen) != len(expected):
        return [_other_number("tensor", "tensors", len(seen), len(expected))]
    for entry, trace in zip(expected, seen, strict=True):
        reference = case.tensor(entry.name)
        if trace.tensor == entry.number and trace.crc32 == zlib.crc32(reference.tobytes()):
            continue
        board = device.tensor(case.segment, entry.number, reference.size, unfused=unfused)
        if np.array_equal(board, reference.reshape(-1)):
            # The CRC differed but the values do not: the run itself is not repeatable.
            return [_unrepeatable(entry, case.name)]
        return [first_difference(board, reference, entry, case.name)]
    return []


def _other_number(kind: str, what: str, board: int, reference: int) -> Difference:
    return Difference(kind, "all", f"number of {what}", str(board), str(reference))


def _unrepeatable(entry: TracedTensor, segment: str) -> Difference:
    return Difference(
        kind="tensor",
        layer=entry.layer,
        name=entry.name,
        board="another result in a second run",
        reference="the same result in every run",
        segment=segment,
    )


def _compare_run(
    device: Device, manifest: Manifest, case: Case, index: int
) -> tuple[RunReply, list[Difference]]:
    """Run a segment at a bound that ``index`` picks; compare all that the board says of it."""
    predicted = [
        predicted_error(int(case.tensor(level.error_tensor).reshape(-1)[0]), level)
        for level in manifest.levels
    ]
    margins = [fixed_margin(level.margin) for level in manifest.levels]
    bound = device.bound(_bound_to_try(predicted, margins, manifest, index))
    reply = device.run(case.segment)
    level = choose_level(predicted, margins, bound, lossless=device.about.lossless)
    sent = expected_packet(manifest, case, level, index)
    pairs: list[tuple[str, object, object]] = [
        ("predicted error", list(reply.predicted), predicted),
        ("level", reply.level, level),
        ("clipped samples", reply.clipped, int(clipped_samples(case.segment, manifest.input_map))),
        ("packet", reply.packet.hex(), sent.hex()),
    ]
    wrong = [
        Difference(kind, "after the layers", kind, *_short(board, reference), case.name)
        for kind, board, reference in pairs
        if board != reference
    ]
    return reply, wrong


def expected_packet(manifest: Manifest, case: Case, level: int, sequence: int) -> bytes:
    """Return the packet that the board must send for a segment, byte for byte."""
    codes = None
    if level != LEVEL_NONE:
        codes = case.tensor(manifest.levels[level - 1].latent_tensor).reshape(-1)
    payload = packets.payload_of(manifest, level, case.segment, codes)
    model_id = packets.short_model_id(manifest)
    return packets.encode(packets.Packet(level, model_id, STREAM, sequence, payload))


def _bound_to_try(predicted: list[int], margins: list[int], manifest: Manifest, index: int) -> int:
    """Return the default bound, none, any, or one that just meets or just misses a level."""
    needed = [error + margin for error, margin in zip(predicted, margins, strict=True)]
    edges = [bound for need in needed for bound in (need, need - 1)]
    bounds = [fixed_error(manifest.default_bound), INT32_MAX, *edges, 0]
    return min(max(bounds[index % len(bounds)], 0), INT32_MAX)


def _short(board: object, reference: object) -> tuple[str, str]:
    """Return both as text, cut to where they first differ if they are long."""
    left, right = str(board), str(reference)
    if max(len(left), len(right)) <= 80:
        return left, right
    same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), 0)
    start = same - same % 2
    left, right = left[start : start + 16], right[start : start + 16]
    return f"...{left}... at byte {start // 2}", f"...{right}..."
