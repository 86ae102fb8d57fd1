"""Random networks on emulated cores: many of them in one firmware, as data of both engines."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.arena import Arena, plan_arena
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Network
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.schedule import Schedule, plan_schedule
from dynadeep.codegen.tflite import read_graph
from tests.firmware.data_text import c_text
from tests.firmware.emulated import Core, build_for, emulate
from tests.firmware.layouts import Image
from tests.graphs.engines import OK, add_plan, streams, traced_tensors
from tests.graphs.networks import NETWORKS, Drawn, Streaming, sample
from tests.graphs.reference import Tensors, tflite_tensors

Int8s = npt.NDArray[np.int8]
FLASH_BYTES = 300_000  # of a firmware's networks
RAM_BYTES = 40_000  # of a network's values


@dataclass(frozen=True)
class Case:
    """A network, how it comes to the core, and what is right."""

    drawn: Drawn
    network: Network
    codes: Int8s
    expected: Tensors
    streaming: Streaming

    def memory(self, kernels: KernelSet, *, stream: bool) -> Arena | Schedule:
        """Return where the values lie with an engine."""
        if not stream:
            return plan_arena(self.network)
        return plan_schedule(self.network, self.streaming.tile or kernels.tile)


@dataclass(frozen=True)
class Run:
    """A case with one of the engines."""

    case: Case
    memory: Arena | Schedule


def case_of(drawn: Drawn, streaming: Streaming) -> Case | None:
    """Return a network as a case; None if the kit refuses it."""
    content, inputs = drawn.content(), drawn.codes()
    try:
        network = lower(read_graph(content))
    except ModelError:
        return None
    codes = np.concatenate([values.ravel() for values in inputs])
    return Case(drawn, network, codes, tflite_tensors(content, inputs), streaming)


def sample_cases(count: int, seed: int) -> list[Case]:
    """Return ``count`` of the random networks that the kit accepts."""
    cases: list[Case] = []
    while len(cases) < count:
        drawn = sample(NETWORKS, count, seed)
        cases += [case for pair in drawn if (case := case_of(*pair)) is not None]
        seed += 1
    return cases[:count]


def differ_on_core(core: Core, cases: Sequence[Case], folder: Path) -> list[str]:
    """Return a line for each tensor that is not the reference's."""
    runs = list(_fitting(cases, core.kernels))
    (folder / "networks.c").write_text(source_of(runs, core.kernels), encoding="utf-8")
    printed = [crc for crc, _ in emulate(build_for(core, "networks_on_core.c", folder), core)]
    expected = [line for run in runs for line in _expected(run)]
    names = [line for run in runs for line in _names(run)]
    assert len(printed) == len(expected), f"{len(printed)} lines, expected {len(expected)}"
    return [
        f"{core.name} {name}"
        for name, crc, right in zip(names, printed, expected, strict=True)
        if crc != right
    ]


def _fitting(cases: Sequence[Case], kernels: KernelSet) -> Iterator[Run]:
    """Yield runs of both engines, as many as fit into a firmware."""
    flash = 0
    for case in cases:
        for stream in (False, True)[: 1 + streams(case.network)]:
            memory = case.memory(kernels, stream=stream)
            bytes_ = sum(
                array.nbytes
                for layer in case.network.layers
                for array in layer.constants(kernels).values()
            )
            if flash + bytes_ <= FLASH_BYTES and memory.size <= RAM_BYTES:
                flash += bytes_
                yield Run(case, memory)


def source_of(runs: Sequence[Run], kernels: KernelSet) -> str:
    """Return the networks as C."""
    texts, rows = [], []
    for number, run in enumerate(runs):
        image = Image({})
        plan = add_plan(image, kernels, run.case.network, run.memory)
        codes = image.array(run.case.codes.tobytes())
        prefix = f"n{number}_"
        texts.append(c_text(image, prefix))
        push = run.case.streaming.pushes[0]
        tensors = len(traced_tensors(run.case.network))
        rows.append(
            f"    {{{prefix}{plan.number}, (const int8_t *){prefix}{codes.number}, "
            f"{run.case.codes.size}, {push}, {tensors}}},\n"
        )
    functions = sorted({layer.FUNCTION for run in runs for layer in run.case.network.layers})
    return "".join(
        [
            *(f'#include "{name}.h"\n' for name in (*functions, "network_cases")),
            *texts,
            f"dd_line network_lines[{_most(len(r.case.network.tensors) for r in runs)}];\n",
            f"uint16_t network_counts[{_most(_sources(r) + 1 for r in runs)}];\n",
            f"_Alignas(4) int8_t network_values[{_most(r.memory.size for r in runs)}];\n",
            f"uint32_t network_crcs[{_most(len(traced_tensors(r.case.network)) for r in runs)}];\n",
            f"const uint32_t network_count = {len(runs)};\n",
            f"const network_case network_cases[] = {{\n{''.join(rows)}}};\n",
        ]
    )


def _most(numbers: Iterator[int]) -> int:
    return max(numbers)


def _sources(run: Run) -> int:
    return sum(len(layer.inputs) for layer in run.case.network.layers)


def _expected(run: Run) -> Iterator[int]:
    """Yield what each run prints: status and CRCs, watched first, then by itself."""
    case = run.case
    hidden = {layer.computed.index for layer in case.network.layers if layer.table is not None}
    for unfused in (True, False):
        yield OK
        for tensor in traced_tensors(case.network):
            seen = unfused or tensor.index not in hidden
            yield zlib.crc32(case.expected[tensor.index].tobytes()) if seen else 0


def _names(run: Run) -> Iterator[str]:
    engine = "stream" if isinstance(run.memory, Schedule) else "layers"
    for way in ("watched", "by itself"):
        yield f"{engine} {way}: status ... {run.case.drawn}"
        for tensor in traced_tensors(run.case.network):
            yield f"{engine} {way}: tensor {tensor.index} ... {run.case.drawn}"
