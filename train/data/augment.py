"""Draw training windows at random places of whole recordings, a little faster, slower or louder."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dynadeep.train.data.mitdb import WINDOW_SAMPLES, Samples

STRETCH = 0.25
"""Windows are sped up or slowed down by up to e to this power: heart rate and QRS width vary."""
SAME_PATIENTS_STRETCH = 0.05
"""The same where those who are tested are those who are trained on."""
GAIN = 0.3
"""They are made smaller or larger by up to e to this power: electrode contact varies."""
BASELINE_ADC = 1024
HIGHEST_ADC = 2047


def draw_windows(
    records: Sequence[Samples],
    count: int,
    random: np.random.Generator,
    *,
    stretch: float = STRETCH,
) -> Samples:
    """Draw ``count`` windows, int16 [count, 2000], 11-bit ADC samples, from recordings [T].

    A recording gives windows in proportion to its length.
    """
    lengths = np.array([len(record) for record in records])
    drawn = random.choice(len(records), count, p=lengths / lengths.sum())
    return np.stack([_draw(records[index], random, stretch) for index in drawn])


def _draw(record: Samples, random: np.random.Generator, stretch: float) -> Samples:
    """Draw one window: a random stretch of the recording resampled to 2000, at a random gain."""
    length = min(WINDOW_SAMPLES * math.exp(random.uniform(-stretch, stretch)), len(record) - 1)
    start = random.uniform(0, len(record) - 1 - length)
    window = resample(record, start + np.linspace(0, length, WINDOW_SAMPLES))
    gain = math.exp(random.uniform(-GAIN, GAIN))
    louder = (window - BASELINE_ADC) * gain + BASELINE_ADC
    return louder.round().clip(0, HIGHEST_ADC).astype(np.int16)


def resample(record: Samples, positions: NDArray[np.floating]) -> NDArray[np.float64]:
    """Interpolate a recording linearly at fractional positions."""
    left = positions.astype(np.int64).clip(max=len(record) - 2)
    share = positions - left
    return np.asarray(record[left] * (1 - share) + record[left + 1] * share)


RECORD_STRETCH = 0.04
RECORD_GAIN = 0.2
INVERTED = 0.3
"""Share of records turned upside down: hand-held recorders are held either way round."""


def vary_record(
    record: Samples, length: int, random: np.random.Generator
) -> tuple[NDArray[np.float32], int]:
    """Take ``length`` samples at a random place of a record [T], stretched, louder, maybe inverted.

    Returns them in ADC units, float32 [length], and how many are the record's: a shorter one is
    followed by zeros.
    """
    stretch = math.exp(random.normal(0, RECORD_STRETCH))
    start = random.uniform(0, max(0.0, len(record) - 1 - length * stretch))
    real = min(length, int((len(record) - 1 - start) / stretch))
    varied = np.zeros(length, np.float32)
    varied[:real] = resample(record, start + np.arange(real, dtype=np.float64) * stretch)
    gain = math.exp(random.normal(0, RECORD_GAIN))
    return varied * np.float32(-gain if random.random() < INVERTED else gain), real
