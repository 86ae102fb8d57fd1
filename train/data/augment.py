"""Draw training windows at random places of whole recordings, a little faster, slower or louder."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dynadeep.train.data.mitdb import WINDOW_SAMPLES, Samples

STRETCH = 0.25
"""Windows are sped up or slowed down by up to e to this power: heart rate and QRS width vary."""
GAIN = 0.3
"""They are made smaller or larger by up to e to this power: electrode contact varies."""
BASELINE_ADC = 1024
HIGHEST_ADC = 2047


def draw_windows(
    records: Sequence[Samples], per_record: int, random: np.random.Generator
) -> Samples:
    """Draw ``per_record`` windows from each recording [T], int16 [N, 2000], 11-bit ADC samples."""
    return np.stack([_draw(record, random) for record in records for _ in range(per_record)])


def _draw(record: Samples, random: np.random.Generator) -> Samples:
    """Draw one window: a random stretch of the recording resampled to 2000, at a random gain."""
    taken = min(WINDOW_SAMPLES * math.exp(random.uniform(-STRETCH, STRETCH)), len(record) - 1)
    start = random.uniform(0, len(record) - 1 - taken)
    window = _resample(record, start + np.linspace(0, taken, WINDOW_SAMPLES))
    gain = math.exp(random.uniform(-GAIN, GAIN))
    louder = (window - BASELINE_ADC) * gain + BASELINE_ADC
    return louder.round().clip(0, HIGHEST_ADC).astype(np.int16)


def _resample(record: Samples, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate a recording linearly at fractional positions."""
    left = at.astype(np.int64).clip(max=len(record) - 2)
    share = at - left
    return np.asarray(record[left] * (1 - share) + record[left + 1] * share)
