"""A program that runs kernels as the engines do: any layers, any tiles, no more input than is due.

The same source runs on the host, under the sanitizers and in memory of exactly the right size, and
on emulated cores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.kernels import KernelSet
from dynadeep.codegen.layers import Layer
from tests.caching import hash_of, hash_of_files, made_once
from tests.firmware.compiling import HARNESS, HEADERS, RUNTIME, SANITIZED, SOURCES, STRICT_C, run
from tests.firmware.emulated import Core, build_for, emulate

Int8 = npt.NDArray[np.int8]
MAIN = Path(__file__).parent / "cores" / "kernels_on_host.c"


@dataclass(frozen=True, eq=False)
class Case:
    """A layer, what it reads, [T, C] each, and the tiles in which it is computed."""

    layer: Layer
    inputs: tuple[Int8, ...]
    tiles: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """The output's."""
        return self.layer.output.time, self.layer.output.channels


def random_tiles(steps: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Cut an output into tiles; now and then it is one."""
    cuts = sorted(rng.choice(steps, int(rng.integers(0, min(steps, 6))), replace=False).tolist())
    edges = [0, *(cut for cut in cuts if cut), steps]
    return tuple(after - before for before, after in pairwise(edges))


def source_of(cases: Sequence[Case], kernels: KernelSet) -> str:
    """Return the cases as C."""
    functions = sorted({case.layer.FUNCTION for case in cases})
    rows = [_case(case, index, kernels) for index, case in enumerate(cases)]
    largest = max(int(np.prod(case.shape)) for case in cases)
    return "".join(
        [
            *(f'#include "{function}.h"\n' for function in functions),
            '#include "kernel_cases.h"\n',
            *(definitions for definitions, _ in rows),
            f"int8_t kernel_out[{largest}];\nconst uint32_t kernel_count = {len(cases)};\n",
            "const kernel_case kernel_cases[] = {\n",
            *(initialiser for _, initialiser in rows),
            "};\n",
        ]
    )


def _case(case: Case, index: int, kernels: KernelSet) -> tuple[str, str]:
    layer = case.layer
    arrays = layer.constants(kernels)
    fields = {**layer.fields(), **{kind: f"{kind}{index}" for kind in arrays}}
    numbers = "".join(f"    .{name} = {value},\n" for name, value in fields.items())
    table = "0" if layer.table is None else f"table{index}"
    texts = [_array(f"{kind}{index}", array) for kind, array in arrays.items()]
    texts += [_array(f"in{index}_{i}", values) for i, values in enumerate(case.inputs)]
    texts += [] if layer.table is None else [_array(table, layer.table)]
    texts.append(f"static const {layer.STRUCT} params{index} = {{\n{numbers}}};\n")
    placed = _placed(case.tiles)
    views = [view for first, steps in placed for view in _views(case, index, first, steps)]
    texts.append(f"static const dd_view views{index}[] = {{{', '.join(views)}}};\n")
    tiles = [
        f"{{{first}, {steps}, views{index} + {number * len(case.inputs)}}}"
        for number, (first, steps) in enumerate(placed)
    ]
    texts.append(f"static const kernel_tile tiles{index}[] = {{{', '.join(tiles)}}};\n")
    size = layer.output.channels
    channels = ", ".join(str(values.shape[1]) for values in case.inputs)
    return "".join(texts), (
        f"    {{{layer.FUNCTION}, &params{index}, {table}, {len(tiles)}, tiles{index}, {size}, "
        f"{len(case.inputs)}, {{{channels}}}}},\n"
    )


def _placed(tiles: Sequence[int]) -> list[tuple[int, int]]:
    return [(sum(tiles[:i]), steps) for i, steps in enumerate(tiles)]


def _views(case: Case, index: int, first: int, steps: int) -> list[str]:
    """Return a view of what a tile may read of each input, and no more."""
    views = []
    for i, (window, values) in enumerate(zip(case.layer.windows, case.inputs, strict=True)):
        begin = min(max(window.begin(first), 0), len(values))
        end = max(min(window.end(first + steps - 1), len(values)), begin)
        views.append(f"{{in{index}_{i} + {begin * values.shape[1]}, {begin}, {end}}}")
    return views


def _array(name: str, values: npt.NDArray[np.signedinteger]) -> str:
    body = ", ".join(str(value) for value in values.ravel())
    return f"_Alignas(4) static const {values.dtype.name}_t {name}[] = {{{body}}};\n"


def run_on_host(cases: Sequence[Case], kernels: KernelSet) -> list[Int8]:
    """Return what each case's kernel makes, with a kernel set's C twin."""
    source = source_of(cases, kernels)
    text = hash_of([source.encode()])
    made_of = sorted([*SOURCES, *HEADERS, *MAIN.parent.glob("kernel*")])

    def make(folder: Path) -> None:
        (folder / "cases.c").write_text(source, encoding="utf-8")
        flags = [*STRICT_C, *SANITIZED, f"-DDD_KERNELS={kernels.macro}"]
        flags += [f"-I{path}" for path in (RUNTIME, HARNESS, MAIN.parent)]
        run(["gcc", *flags, "cases.c", str(MAIN), str(archive), "-o", "cases"], folder)

    archive = _archive(kernels)
    name = f"kernels-{kernels.name}-{text}-{hash_of_files(made_of, *STRICT_C, *SANITIZED)}"
    lines = run([str(made_once(name, make) / "cases")], RUNTIME).split("\n")
    return [
        np.frombuffer(bytes.fromhex(line), np.int8).reshape(case.shape)
        for line, case in zip(lines, cases, strict=False)
    ]


def run_on_core(cases: Sequence[Case], core: Core, folder: Path) -> list[tuple[int, int]]:
    """Return the CRC of what each case's kernel makes on an emulated core, and its instructions."""
    source = source_of(cases, core.kernels)
    (folder / "cases.c").write_text(source, encoding="utf-8")
    return emulate(build_for(core, "kernels_on_core.c", folder), core)


def _archive(kernels: KernelSet) -> Path:
    """Return the whole runtime, compiled once for a kernel set."""
    flags = [*STRICT_C, *SANITIZED, f"-DDD_KERNELS={kernels.macro}"]

    def make(folder: Path) -> None:
        includes = [f"-I{RUNTIME}", f"-I{HARNESS}"]
        run(["gcc", *flags, *includes, "-c", *map(str, SOURCES)], folder)
        run(["ar", "rc", "runtime.a", *(p.name for p in sorted(folder.glob("*.o")))], folder)

    made_of = sorted([*SOURCES, *HEADERS])
    return made_once(f"runtime-{kernels.name}-{hash_of_files(made_of, *flags)}", make) / "runtime.a"
