"""Golden vectors: real and adversarial segments with every tensor that the encoder computes.

``codegen/golden.py`` says what is in ``golden.npz``, and reads it.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import InputMap
from dynadeep.codegen.files import open_whole
from dynadeep.codegen.golden import MAPPED, NAMES, SAMPLES
from dynadeep.codegen.numerics import map_input
from dynadeep.export.reference import Runtime, Tensors

Samples = npt.NDArray[np.int16]

REAL_SEGMENTS = 11
SEED = 2026
LOWEST, HIGHEST = np.iinfo(np.int16).min, np.iinfo(np.int16).max


def segments(unseen: Samples) -> dict[str, Samples]:
    """Return named segments [T]: real ones spread over ``unseen`` [M, T], then adversarial ones."""
    picked = np.linspace(0, len(unseen) - 1, min(REAL_SEGMENTS, len(unseen))).round().astype(int)
    real = {f"real{i:02d}": unseen[row] for i, row in enumerate(picked)}
    return real | adversarial(unseen.shape[1])


def adversarial(samples: int) -> dict[str, Samples]:
    """Return the segments [T] that look for saturation, borders and wrong signs."""
    time = np.arange(samples)
    rng = np.random.default_rng(SEED)
    spike = np.zeros(samples)
    spike[samples // 2] = HIGHEST
    cases = {
        "zeros": np.zeros(samples),
        "full_scale_high": np.full(samples, HIGHEST),
        "full_scale_low": np.full(samples, LOWEST),
        "square_wave": np.where(time // 50 % 2, HIGHEST, LOWEST),
        "spike": spike,
        "random": rng.integers(LOWEST, HIGHEST, samples, endpoint=True),
        "random_in_adc_range": rng.integers(0, 2047, samples, endpoint=True),
    }
    return {name: values.astype(np.int16) for name, values in cases.items()}


def write_golden(
    path: Path, chosen: dict[str, Samples], input_map: InputMap, runtime: Runtime
) -> Tensors:
    """Run the segments and write ``golden.npz``; return the tensors, the input included."""
    samples = np.stack(list(chosen.values()))
    inputs = map_input(samples, input_map)
    tensors = runtime.run(inputs)
    names = np.array(list(chosen))
    arrays: dict[str, npt.NDArray[np.generic]] = {SAMPLES: samples, NAMES: names, MAPPED: inputs}
    with open_whole(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays, **tensors)
    return tensors
