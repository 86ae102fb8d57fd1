"""Whether a device under test gives the reference's results, and how long it takes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.golden import MAPPED
from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.measure.application import Difference, first_difference
from dynadeep.host_tools.measure.parity import ParityResult
from dynadeep.host_tools.measure.references import Case
from dynadeep.host_tools.mlperf.dut import Codes, Dut, Results

TIMED = 3
"""Inferences that are timed together, after a warm-up."""


@dataclass(frozen=True)
class Checked:
    """What a device was found to be."""

    name: str  # as it calls itself
    parity: ParityResult
    inference_us: float  # of one inference


def check(
    dut: Dut,
    manifest: Manifest,
    cases: Sequence[Case],
    inference_s: float,
    on_case: Callable[[], None] = lambda: None,
) -> Checked:
    """Run every case on a device, compare all results, and time the last.

    Args:
        dut: the device, greeted.
        manifest: of the bundle that it must run.
        cases: inputs with their reference tensors.
        inference_s: about how long one takes.
        on_case: called when a case is done.

    Raises:
        LinkError: nothing answers, or something else.
        WrongFirmwareError: it runs another model.
    """
    dut.check_model(manifest.model_id)
    differences: list[Difference] = []
    count = 0
    for case in cases:
        dut.load(input_of(case))
        results = dut.infer(inference_s=inference_s).results
        differences += _differences(case, manifest, results, dut.link.name)
        count += 1
        on_case()
        if differences:
            break
    outputs = len(manifest.outputs)
    compared = ParityResult(count, 0, 0, 0, count * outputs, "outputs", {}, tuple(differences))
    timed = dut.infer(TIMED, 1, inference_s)
    return Checked(dut.name, compared, timed.us / TIMED)


def input_of(case: Case) -> Codes:
    """Return what the network itself gets of a case, int8, flat."""
    codes = case.tensors.get(MAPPED, case.input)
    return codes.astype(np.int8, copy=False).reshape(-1)


def results_of(case: Case, manifest: Manifest) -> Results:
    """Return what the device must answer: the codes of all outputs less their zero points."""
    return np.concatenate(
        [
            case.tensor(spec.name).reshape(-1).astype(np.int64) - spec.zero_point
            for spec in manifest.outputs
        ]
    )


def _differences(
    case: Case, manifest: Manifest, results: Results, link: str
) -> Iterator[Difference]:
    sizes = [spec.time * spec.channels for spec in manifest.outputs]
    if len(results) != sum(sizes):
        raise LinkError(
            f"{link}: the device gives {len(results)} results, expected {sum(sizes)}. Generate its "
            "firmware again."
        )
    ends = np.cumsum(sizes)[:-1]
    sides = zip(np.split(results, ends), np.split(results_of(case, manifest), ends), strict=True)
    for spec, (board, reference) in zip(manifest.outputs, sides, strict=True):
        shape = (spec.time, spec.channels)
        place = ("output", spec.name, case.name)
        difference = first_difference(
            "output", place, board.reshape(shape), reference.reshape(shape)
        )
        if difference is not None:
            yield difference
