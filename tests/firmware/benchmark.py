"""Count what the kernels take on emulated cores, and write it as a table.

python -m tests.firmware.benchmark --out benchmarks
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from dynadeep.codegen.files import write_whole
from dynadeep.codegen.kernels import KERNELS
from dynadeep.codegen.layers import Layer
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from tests.codegen.tflite_builder import OPS, ModelBuilder, Option, TensorSpec
from tests.firmware.convolving import MODELS, Drawn
from tests.firmware.emulated import CORES
from tests.firmware.kernel_program import Case, run_on_core

Unit = Literal["MAC", "output", "input"]
SHAPE = (1, 1, 96, 64)
NAMES = {"plain": "Cortex-M0", "lanes": "Cortex-M3", "dsp": "Cortex-M4", "helium": "Cortex-M55"}
TITLE = """# Kernels

Instructions an element on emulated cores, everything included, windows at the border as well.
`python -m tests.firmware.benchmark` counts them.

"""


@dataclass(frozen=True)
class Row:
    """A kernel on a layer of one size."""

    name: str
    content: Callable[[], bytes]
    unit: Unit


def convolution(name: str, kind: str, drawn: Drawn) -> Row:
    return Row(name, lambda: MODELS[kind](drawn), "MAC")


SCALES: dict[int, tuple[tuple[float, ...], float]] = {
    OPS.ADD: ((0.03172341, 0.04519877), 0.05881237),
    OPS.MUL: ((0.03172341, 0.04519877), 0.1),
    OPS.MAXIMUM: ((0.05, 0.05), 0.05),
    OPS.SOFTMAX: ((0.05,), 1 / 256),
}
"""Of the inputs, and of the output."""


def other(name: str, code: int, out_shape: tuple[int, ...], unit: Unit, **options: Option) -> Row:
    """Return an operator on one tensor, or two."""

    def content() -> bytes:
        model = ModelBuilder()
        scales, scale = SCALES.get(code, ((0.05,), 0.05))
        specs = [TensorSpec(f"x{i}", SHAPE, scales=(of_x,)) for i, of_x in enumerate(scales)]
        model.inputs = [model.tensor(spec) for spec in specs]
        zero_point = -128 if code == OPS.SOFTMAX else 0
        spec = TensorSpec("y", out_shape, scales=(scale,), zero_points=(zero_point,))
        model.outputs = [model.tensor(spec)]
        model.op(code, model.inputs, model.outputs, **options)
        return model.build()

    return Row(name, content, unit)


POOL: dict[str, Option] = {"FilterWidth": 2, "FilterHeight": 1, "StrideW": 2, "Padding": 1}
HALF = (1, 1, 48, 64)
THREE: dict[str, Option] = {**POOL, "FilterWidth": 3, "StrideW": 3}
THIRD = (1, 1, 32, 64)
ROWS = (
    convolution("conv 64 -> 64, k3", "conv_2d", Drawn(40, 64, filters=64, kernel=3)),
    convolution("the same, RELU", "conv_2d", Drawn(40, 64, filters=64, kernel=3, activation=1)),
    convolution("the same, d4", "conv_2d", Drawn(40, 64, filters=64, kernel=3, dilation=4)),
    convolution("conv 64 -> 64, 4 groups, k3", "conv_2d", Drawn(40, 16, 4, 16, kernel=3)),
    convolution("transposed 32 -> 32, k4 s2", "transposed", Drawn(30, 32, 1, 32, 4, 2)),
    convolution("depthwise 64, k3", "depthwise", Drawn(96, 64, kernel=3)),
    convolution("the same, RELU", "depthwise", Drawn(96, 64, kernel=3, activation=1)),
    convolution("the same, 3 steps at a time", "depthwise", Drawn(96, 64, kernel=3, seed=4)),
    convolution("depthwise 64, k9", "depthwise", Drawn(96, 64, kernel=9)),
    convolution("depthwise 64, k3 s2", "depthwise", Drawn(96, 64, kernel=3, stride=2)),
    convolution("fully connected 640 -> 128", "fully_connected", Drawn(1, 640, filters=128)),
    convolution("fully connected 100 -> 10", "fully_connected", Drawn(1, 100, filters=10)),
    other("add 96 x 64", OPS.ADD, SHAPE, "output"),
    other("multiply 96 x 64", OPS.MUL, SHAPE, "output"),
    other("maximum 96 x 64", OPS.MAXIMUM, SHAPE, "output"),
    other("softmax 96 x 64", OPS.SOFTMAX, SHAPE, "output"),
    other("max pool 96 x 64, k2 s2", OPS.MAX_POOL_2D, HALF, "input", **POOL),
    other("the same, 3 steps at a time", OPS.MAX_POOL_2D, HALF, "input", **POOL),
    other("max pool 96 x 64, k3 s3", OPS.MAX_POOL_2D, THIRD, "input", **THREE),
    other("average pool 96 x 64, k2 s2", OPS.AVERAGE_POOL_2D, HALF, "input", **POOL),
    other("the same, 3 steps at a time", OPS.AVERAGE_POOL_2D, HALF, "input", **POOL),
    other("average pool 96 x 64, k3 s3", OPS.AVERAGE_POOL_2D, THIRD, "input", **THREE),
)


def case_of(row: Row) -> Case:
    """Return the layer over random values, in one call or in tiles of three steps."""
    (layer,) = lower(read_graph(row.content())).layers
    rng = np.random.default_rng(1)
    inputs = [rng.integers(-128, 128, (t.time, t.channels)) for t in layer.inputs]
    steps = layer.output.time
    tiles = (3,) * (steps // 3) if "3 steps" in row.name else (steps,)
    return Case(layer, tuple(values.astype(np.int8) for values in inputs), tiles)


def elements(layer: Layer, unit: Unit) -> int:
    """Return how many there are."""
    return {"MAC": layer.macs, "output": layer.output.size, "input": layer.inputs[0].size}[unit]


def measure() -> str:
    """Return the table."""
    cases = [case_of(row) for row in ROWS]
    columns: dict[str, list[int]] = {}
    for core in CORES:
        if not core.traps:
            with tempfile.TemporaryDirectory() as folder:
                results = run_on_core(cases, core, Path(folder))
            columns[core.kernels.name] = [count for _, count in results]
    lines = [f"| kernel | per | {' | '.join(NAMES[name] for name in KERNELS)} |"]
    lines.append("|---|---|" + "---|" * len(KERNELS))
    for number, (row, case) in enumerate(zip(ROWS, cases, strict=True)):
        count = elements(case.layer, row.unit)
        cells = [f"{columns[name][number] / count:.2f}" for name in KERNELS]
        lines.append(f"| {row.name} | {row.unit} | {' | '.join(cells)} |")
    return TITLE + "\n".join(lines) + "\n"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.firmware.benchmark", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("benchmarks"), help="folder of kernels.md")
    out: Path = parser.parse_args().out
    table = measure()
    print(table)
    write_whole(out / "kernels.md", table)


if __name__ == "__main__":
    main()
