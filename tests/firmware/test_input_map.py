import struct

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.codegen.bundle import LARGEST_SHIFT, InputMap
from dynadeep.codegen.numerics import clipped_samples, map_input
from tests.firmware.harness import Harness, Operation

EVERY_SAMPLE = np.arange(-(1 << 15), 1 << 15).astype(np.int16)
MINMAX = InputMap("minmax")


def map_affine(harness: Harness, affine: InputMap, samples: npt.NDArray[np.int16]) -> bytes:
    head = struct.pack("<hhB", affine.offset, affine.multiplier, affine.shift)
    return harness.call(Operation.MAP_AFFINE, head + samples.tobytes())


@settings(max_examples=40, deadline=None)
@given(
    offset=st.one_of(st.sampled_from((-(1 << 15), (1 << 15) - 1)), st.integers(-2000, 2000)),
    multiplier=st.one_of(st.sampled_from((1, (1 << 14) - 1)), st.integers(1, (1 << 14) - 1)),
    shift=st.integers(1, LARGEST_SHIFT),
)
def test_affine_map_and_its_count_of_clipped_samples_equal_python_for_every_sample(
    harness: Harness, offset: int, multiplier: int, shift: int
) -> None:
    affine = InputMap("affine", offset, multiplier, shift)
    clipped = int(clipped_samples(EVERY_SAMPLE, affine))
    expected = struct.pack("<I", clipped) + map_input(EVERY_SAMPLE, affine).tobytes()
    assert map_affine(harness, affine, EVERY_SAMPLE) == expected


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(EVERY_SAMPLE, id="every sample"),
        pytest.param(np.full(7, 1234, np.int16), id="flat"),
        pytest.param(np.array([-5], np.int16), id="one sample"),
        pytest.param(np.array([3, 4, 4, 3], np.int16), id="span 1"),
        pytest.param(np.array([32767, -32768], np.int16), id="full scale"),
    ],
)
def test_minmax_map_equals_python(harness: Harness, samples: npt.NDArray[np.int16]) -> None:
    assert_minmax(harness, samples)


@settings(max_examples=60, deadline=None)
@given(
    low=st.integers(-(1 << 15), (1 << 15) - 1),
    span=st.integers(0, (1 << 16) - 1),
    seed=st.integers(0, 1 << 30),
)
def test_minmax_map_equals_python_for_random_windows(
    harness: Harness, low: int, span: int, seed: int
) -> None:
    high = min(low + span, (1 << 15) - 1)
    window = np.random.default_rng(seed).integers(low, high, 500, endpoint=True)
    assert_minmax(harness, window.astype(np.int16))


def assert_minmax(harness: Harness, samples: npt.NDArray[np.int16]) -> None:
    reply = harness.call(Operation.MAP_MINMAX, samples.tobytes())
    assert struct.unpack_from("<hh", reply) == (samples.min(), samples.max())
    assert reply[4:] == map_input(samples, MINMAX).tobytes()
