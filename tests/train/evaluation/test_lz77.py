import zlib

import numpy as np
import pytest

from dynadeep.train.evaluation import lz77


def test_each_record_is_compressed_by_itself() -> None:
    records = np.stack([np.zeros(1000), np.random.default_rng(0).integers(-999, 999, 1000)])
    sizes = lz77.deflate_bytes(records.astype(np.int16))
    expected = [len(zlib.compress(r.astype("<i2").tobytes(), 9)) for r in records]
    assert sizes.tolist() == expected
    assert sizes[0] < 30


def test_other_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="expected int16"):
        lz77.deflate_bytes(np.zeros((1, 10)))
