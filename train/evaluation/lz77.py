"""LZ77 as a baseline: DEFLATE (zlib) on each record's int16 samples, nothing around them."""

import zlib

import numpy as np
from numpy.typing import NDArray

from dynadeep.train.evaluation.outcomes import Ints

STRONGEST = 9


def deflate_bytes(records: NDArray[np.int16]) -> Ints:
    """Return the size of each record, int16 [N, T], compressed by itself, int [N] bytes."""
    if records.ndim != 2 or records.dtype != np.int16:
        raise ValueError(f"expected int16 [N, T], found {records.dtype} {list(records.shape)}")
    samples = records.astype("<i2")
    return np.array([len(zlib.compress(r.tobytes(), STRONGEST)) for r in samples], np.int64)
