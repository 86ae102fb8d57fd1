"""Convolutions of every kind and fully connected layers on emulated cores: TFLite's bits."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynadeep.codegen.kernels import DSP
from dynadeep.codegen.layers import Layer
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from tests.firmware.convolving import MODELS, Drawn
from tests.firmware.emulated import CORES, Core
from tests.firmware.kernel_program import Case, random_tiles, run_on_core
from tests.graphs.reference import tflite_tensors

SHAPES = {
    "conv_2d": Drawn(channels=5, groups=3, filters=4, kernel=4, dilation=3, table=True),
    "depthwise": Drawn(channels=11, kernel=3),
    "transposed": Drawn(channels=7, filters=5, kernel=5, stride=3),
    "fully_connected": Drawn(channels=33, filters=9, same=False),
}
"""Odd sizes of each, of which the cases below are variations."""

VARIATIONS: tuple[dict[str, Any], ...] = (
    {},
    {"extreme": True, "gain": 0.01},
    {"extreme": True, "activation": 1},
    {"kernel": 1, "stride": 2, "table": True},
    {"kernel": 6, "same": False, "activation": 3},
    {"kernel": 5, "dilation": 2, "filters": 2, "per_channel": False},
    {"channels": 16, "upright": True, "activation": 2},
    {"gain": 2.0**-20},
)


@dataclass(frozen=True)
class Budget:
    """The most instructions that a multiply-accumulate may take with the DSP kernels."""

    name: str
    kind: str
    drawn: Drawn
    per_mac: float


BUDGETS = (
    Budget("fully connected 640 -> 128", "fully_connected", Drawn(1, 640, filters=128), 1.2),
    Budget("depthwise k3", "depthwise", Drawn(100, 64, kernel=3), 4.0),
    Budget("depthwise k3, RELU6", "depthwise", Drawn(100, 64, kernel=3, activation=3), 4.5),
    Budget("depthwise k9", "depthwise", Drawn(96, 64, kernel=9), 4.7),
    Budget("conv k3, RELU", "conv_2d", Drawn(40, 64, filters=64, kernel=3, activation=1), 1.2),
    Budget("conv k3, dilated", "conv_2d", Drawn(40, 64, filters=64, kernel=3, dilation=4), 1.25),
    Budget("transposed k4 s2", "transposed", Drawn(30, 32, filters=32, kernel=4, stride=2), 1.8),
)


def made(kind: str, drawn: Drawn, seed: int) -> tuple[Case, int]:
    """Return a case in tiles, and the CRC of what is right."""
    content = MODELS[kind](drawn)
    graph = read_graph(content)
    codes = drawn.codes(graph.input.size)
    layers: tuple[Layer, ...] = lower(graph).layers
    expected = tflite_tensors(content, [codes])[layers[-1].output.index]
    steps = layers[0].output.time
    tiles = random_tiles(steps, np.random.default_rng(seed)) if seed else (steps,)
    case = Case(layers[0], (codes.reshape(graph.input.time, -1),), tiles)
    return case, zlib.crc32(expected.tobytes())


@pytest.fixture(scope="module")
def cases() -> list[tuple[Case, int]]:
    """The budgets' cases, each in one tile, and the variations."""
    pytest.importorskip("tensorflow", reason="the export extra is not installed")
    whole = [made(budget.kind, budget.drawn, 0) for budget in BUDGETS]
    return whole + [
        made(kind, Drawn(**{**vars(shape), **changes}), seed + 1)
        for kind, shape in SHAPES.items()
        for seed, changes in enumerate(VARIATIONS)
    ]


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
def test_a_core_gives_the_same_bits_and_the_dsp_kernels_keep_to_a_budget(
    tmp_path: Path, cases: list[tuple[Case, int]], core: Core
) -> None:
    results = run_on_core([case for case, _ in cases], core, tmp_path)
    for (case, right), (crc, _) in zip(cases, results, strict=True):
        assert crc == right, case.layer
    if core.kernels is DSP and not core.traps:
        for budget, (case, _), (_, instructions) in zip(BUDGETS, cases, results, strict=False):
            per_mac = instructions / case.layer.macs
            assert per_mac <= budget.per_mac, f"{budget.name}: {per_mac:.2f} a MAC"
