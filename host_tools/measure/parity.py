"""Parity: every bit that the board computes, sends or holds, against the reference.

Three checks, because none alone is enough (docs/architecture.md):

1. constants: the CRC of every array of the model as it lies in flash, against the bundle;
2. tensors: the CRC of every tensor, fused and unfused, against TFLite's reference kernels; where
   one differs its values are fetched and the first that differs is named;
3. results: what the application makes of an input and sends; see ``application``.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dynadeep.codegen.inventory import TracedTensor
from dynadeep.codegen.plan import Plan
from dynadeep.host_tools.errors import ParityError
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.measure.application import (
    Application,
    Compared,
    Difference,
    first_difference,
)
from dynadeep.host_tools.measure.references import Case


@dataclass(frozen=True)
class ParityResult:
    """What was compared, and what differed, in the order of the model."""

    segments: int
    tensors: int  # compared per segment: all that the unfused run shows
    fused_tensors: int  # compared per segment once more: those that the firmware really keeps
    constants: int
    results: int  # that the application gave
    noun: str  # what they are: "packets", "outputs"
    kinds: Mapping[str, int]  # how many of them there were of each kind
    differences: tuple[Difference, ...] = ()

    @property
    def bit_exact(self) -> bool:
        """Whether everything compared was equal and anything was compared at all."""
        return not self.differences and self.segments > 0


def check(
    device: Device,
    plan: Plan,
    cases: Iterable[Case],
    application: Application,
    on_case: Callable[[ParityResult], None] = lambda so_far: None,
    *,
    before: ParityResult | None = None,
) -> ParityResult:
    """Compare the board with the reference over ``cases``, up to the first that differs.

    Where a constant differs, one case is compared, to show what it does.

    Args:
        device: a board that runs the plan's model.
        plan: what codegen computes from the bundle, never from generated files.
        cases: inputs with their reference tensors.
        application: what the board does with the network.
        on_case: told after each case what was found so far.
        before: what was found of the cases before these.
    """
    differences = compare_constants(device.constants(), plan)
    so_far = before or _nothing_compared(plan, application)
    application.begin(so_far.segments)
    for case in cases:
        differing = _compare_tensors(device, plan, case, unfused=True)
        differing = differing or _compare_tensors(device, plan, case, unfused=False)
        compared = application.compare(case, so_far.segments)
        differences += [*differing, *compared.differences]
        so_far = _with_case(so_far, compared)
        if differences:
            break
        on_case(so_far)
    return replace(so_far, differences=tuple(differences))


def _nothing_compared(plan: Plan, application: Application) -> ParityResult:
    return ParityResult(
        segments=0,
        tensors=len(plan.tensors),
        fused_tensors=sum(tensor.fused for tensor in plan.tensors),
        constants=len(plan.constants),
        results=0,
        noun=application.noun,
        kinds=dict.fromkeys(application.kinds, 0),
    )


def _with_case(so_far: ParityResult, compared: Compared) -> ParityResult:
    """Return what was found, and one case more."""
    kinds = dict(so_far.kinds)
    if compared.kind in kinds:
        kinds[compared.kind] += compared.results
    return replace(
        so_far,
        segments=so_far.segments + 1,
        results=so_far.results + compared.results,
        kinds=kinds,
    )


def require_exact(result: ParityResult) -> None:
    """Refuse a result that is not exact.

    Raises:
        ParityError: it names the first difference of each kind.
    """
    if result.bit_exact:
        return
    first = {difference.kind: str(difference) for difference in reversed(result.differences)}
    named = "; ".join(reversed(first.values())) or "nothing was compared"
    raise ParityError(
        f"the board is not equal to the reference: {named}. Was the generated C or the bundle "
        "changed? Generate and build it again."
    )


def compare_constants(crcs: Sequence[int], plan: Plan) -> list[Difference]:
    """Return every array of constants whose CRC on the board is not the bundle's."""
    if len(crcs) != len(plan.constants):
        return [_count_difference("constant", "arrays", len(crcs), len(plan.constants))]
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


def _compare_tensors(device: Device, plan: Plan, case: Case, *, unfused: bool) -> list[Difference]:
    """Return the first tensor of a run that differs, as a list of one, or nothing."""
    expected = [tensor for tensor in plan.tensors if unfused or tensor.fused]
    traces = device.trace(case.input, unfused=unfused)
    if len(traces) != len(expected):
        return [_count_difference("tensor", "tensors", len(traces), len(expected))]
    for entry, trace in zip(expected, traces, strict=True):
        reference = case.tensor(entry.name)
        if trace.tensor == entry.number and trace.crc32 == zlib.crc32(reference.tobytes()):
            continue
        board = device.tensor(case.input, entry.number, reference.size, unfused=unfused)
        shape = (entry.time, entry.channels)
        sides = (board.reshape(shape), reference.reshape(shape))
        difference = first_difference("tensor", (entry.layer, entry.name, case.name), *sides)
        # Where the CRC differed but the values do not, the run itself is not repeatable.
        return [difference or _unrepeatable(entry, case.name)]
    return []


def _count_difference(kind: str, noun: str, board: int, reference: int) -> Difference:
    return Difference(kind, "all", f"number of {noun}", str(board), str(reference))


def _unrepeatable(entry: TracedTensor, segment: str) -> Difference:
    return Difference(
        kind="tensor",
        layer=entry.layer,
        name=entry.name,
        board="another result in a second run",
        reference="the same result in every run",
        segment=segment,
    )
