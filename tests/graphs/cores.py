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
from dynadeep.codegen.running import with_running_layers
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


@dataclass(frozen=True)
class Run:
    """A case with one of the engines."""

    case: Case
    network: Network  # with the layers that the engine runs
    memory: Arena | Schedule

    @property
    def sources(self) -> int:
        """The inputs of all layers."""
        return sum(len(layer.inputs) for layer in self.network.layers)


def runs_of(case: Case, kernels: KernelSet) -> Iterator[Run]:
    """Yield a case with each engine that takes it."""
    yield Run(case, case.network, plan_arena(case.network))
    if streams(case.network):
        network = with_running_layers(case.network)
        tile = case.streaming.tile or kernels.tile
        yield Run(case, network, plan_schedule(network, tile))


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
    """Return ``count`` of the random networks that the kit accepts and whose values fit a core."""
    cases: list[Case] = []
    while len(cases) < count:
        drawn = sample(NETWORKS, count, seed)
        accepted = [case for pair in drawn if (case := case_of(*pair)) is not None]
        cases += [case for case in accepted if plan_arena(case.network).size <= RAM_BYTES]
        seed += 1
    return cases[:count]


def differ_on_core(core: Core, cases: Sequence[Case], folder: Path) -> list[str]:
    """Return a line for each tensor that is not the reference's."""
    lines: list[str] = []
    for number, runs in enumerate(_firmwares(cases, core.kernels)):
        own = folder / str(number)
        own.mkdir()
        (own / "networks.c").write_text(source_of(runs, core.kernels), encoding="utf-8")
        printed = [crc for crc, _ in emulate(build_for(core, "networks_on_core.c", own), core)]
        lines += [f"{core.name} {line}" for line in _differ(runs, printed)]
    return lines


def _differ(runs: Sequence[Run], printed: Sequence[int]) -> list[str]:
    expected = [line for run in runs for line in _expected(run)]
    names = [line for run in runs for line in _names(run)]
    assert len(printed) == len(expected), f"{len(printed)} lines, expected {len(expected)}"
    triples = zip(names, printed, expected, strict=True)
    return [name for name, crc, right in triples if crc != right]


def _firmwares(cases: Sequence[Case], kernels: KernelSet) -> Iterator[list[Run]]:
    """Yield all runs, as many at a time as a core's flash holds."""
    flash = 0
    runs: list[Run] = []
    for run in (run for case in cases for run in runs_of(case, kernels)):
        arrays = [layer.constants(kernels).values() for layer in run.network.layers]
        constants = sum(array.nbytes for of_layer in arrays for array in of_layer)
        if runs and flash + constants > FLASH_BYTES:
            yield runs
            flash, runs = 0, []
        flash += constants
        runs.append(run)
    yield runs


def source_of(runs: Sequence[Run], kernels: KernelSet) -> str:
    """Return the networks as C."""
    functions = sorted({layer.FUNCTION for run in runs for layer in run.network.layers})
    written = [_network(run, f"n{number}_", kernels) for number, run in enumerate(runs)]
    rows = "".join(row for _, row in written)
    return "".join(
        [
            *(f'#include "{name}.h"\n' for name in (*functions, "network_cases")),
            *(text for text, _ in written),
            *_buffers(runs),
            f"const uint32_t network_count = {len(runs)};\n",
            f"const network_case network_cases[] = {{\n{rows}}};\n",
        ]
    )


def _network(run: Run, prefix: str, kernels: KernelSet) -> tuple[str, str]:
    """Return a network's data, and its row in the list of all."""
    image = Image({})
    plan = add_plan(image, kernels, run.network, run.memory)
    codes = image.array(run.case.codes.tobytes())
    numbers = (run.case.codes.size, run.case.streaming.pushes[0], len(traced_tensors(run.network)))
    places = f"{prefix}{plan.number}, (const int8_t *){prefix}{codes.number}"
    return c_text(image, prefix), f"    {{{places}, {', '.join(map(str, numbers))}}},\n"


def _buffers(runs: Sequence[Run]) -> list[str]:
    """Return the memory that any of the networks runs in."""
    lines = max(len(run.network.tensors) for run in runs)
    counts = max(run.sources + len(run.network.layers) + 3 for run in runs)
    tensors = max(len(traced_tensors(run.network)) for run in runs)
    return [
        f"dd_line network_lines[{lines}];\n",
        f"uint16_t network_counts[{counts}];\n",
        f"_Alignas(4) int8_t network_values[{max(run.memory.size for run in runs)}];\n",
        f"uint32_t network_crcs[{tensors}];\n",
    ]


def _expected(run: Run) -> Iterator[int]:
    """Yield what each run prints: status and CRCs, watched first, then by itself."""
    case = run.case
    hidden = {layer.computed.index for layer in run.network.layers if layer.table is not None}
    for unfused in (True, False):
        yield OK
        for tensor in traced_tensors(run.network):
            traced = unfused or tensor.index not in hidden
            yield zlib.crc32(case.expected[tensor.index].tobytes()) if traced else 0


def _names(run: Run) -> Iterator[str]:
    engine = "stream" if isinstance(run.memory, Schedule) else "layers"
    for way in ("watched", "by itself"):
        yield f"{engine} {way}: status ... {run.case.drawn}"
        for tensor in traced_tensors(run.network):
            yield f"{engine} {way}: tensor {tensor.index} ... {run.case.drawn}"
