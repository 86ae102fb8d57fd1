import struct

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.host_tools.codec import rice
from tests.firmware.harness import Harness, Operation

Samples = npt.NDArray[np.int16]
LOW, HIGH = -32768, 32767


def push(harness: Harness, pieces: list[Samples], capacity: int) -> bytes:
    body = b"".join(
        struct.pack("<H", len(piece)) + piece.astype("<i2").tobytes() for piece in pieces
    )
    return harness.call(Operation.RICE, struct.pack("<I", capacity) + body)


def encode(harness: Harness, samples: Samples) -> bytes:
    return push(harness, [samples], rice.bytes_max(len(samples)))


def extremes() -> dict[str, Samples]:
    rng = np.random.default_rng(0)
    time = np.arange(2000)
    signals = {
        "least": np.full(2000, LOW),
        "greatest": np.full(2000, HIGH),
        "alternating": np.where(time % 2, HIGH, LOW),
        "square": np.where(time // 37 % 2, HIGH, LOW),
        "noise": rng.integers(LOW, HIGH + 1, 2000),
        "one spike": np.where(time == 1000, HIGH, 0),
        "full-scale sine": np.round(HIGH * np.sin(time / 7)),
        "steps that sum to most": np.where(time // 4 % 2, HIGH, LOW) * (time % 3 - 1),
        "quiet, then noise": np.where(time < 1000, 0, rng.integers(LOW, HIGH + 1, 2000)),
    }
    return {name: np.clip(signal, LOW, HIGH).astype(np.int16) for name, signal in signals.items()}


@pytest.mark.parametrize("name", extremes())
def test_extremes_are_coded_as_the_definition_codes_them(harness: Harness, name: str) -> None:
    samples = extremes()[name]
    coded = encode(harness, samples)
    assert coded == rice.encode_samples(samples)
    assert np.array_equal(rice.decode_samples(coded, len(samples)), samples)


@settings(max_examples=60, deadline=None)
@given(
    samples=st.lists(st.integers(LOW, HIGH), min_size=1, max_size=60)
    | st.lists(st.integers(-9, 9), min_size=1, max_size=120)
    | st.lists(st.sampled_from((LOW, -1, 0, 1, HIGH)), min_size=1, max_size=120)
)
def test_any_samples_are_coded_as_the_definition_codes_them(
    harness: Harness, samples: list[int]
) -> None:
    array = np.array(samples, np.int16)
    assert encode(harness, array) == rice.encode_samples(array)


@pytest.mark.parametrize("noise", [0, 20_000])
@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 300), max_size=8))
def test_pieces_give_the_bytes_of_the_whole(harness: Harness, cuts: list[int], noise: int) -> None:
    wave = np.round(900 * np.sin(np.arange(300) / 5)).astype(np.int16)
    samples = wave + np.random.default_rng(2).integers(-noise, noise + 1, 300).astype(np.int16)
    pieces = np.split(samples, sorted(cuts))
    assert push(harness, pieces, rice.bytes_max(300)) == encode(harness, samples)


def test_what_does_not_fit_is_told_and_not_written(harness: Harness) -> None:
    samples = np.arange(300, dtype=np.int16) ** 2 % 50
    whole = encode(harness, samples)
    assert push(harness, [samples], len(whole)) == whole
    for capacity in (1, 2, 3, len(whole) - 1):
        assert push(harness, [samples], capacity) == b""
