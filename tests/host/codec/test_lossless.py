"""The compiled decoder of level none is the numpy one, to the bit, over any bytes."""

import logging
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.host_tools import compiled
from dynadeep.host_tools.codec import lossless, rice
from dynadeep.host_tools.codec.rice import Samples

LOW, HIGH = -32768, 32767
SIGNALS = (
    st.lists(st.integers(LOW, HIGH), min_size=30, max_size=30)
    | st.lists(st.integers(-9, 9), min_size=30, max_size=30)
    | st.lists(st.sampled_from((LOW, -1, 0, 1, HIGH)), min_size=30, max_size=30)
)


def decoded_alike(coded: list[bytes], count: int) -> Samples:
    """Decode by both, and return the samples when they are one."""
    expected, right = rice.decode_all(coded, count)
    samples, decoded = lossless.decode_all(coded, count)
    assert lossless.why_slow() == ""
    assert np.array_equal(decoded, right)
    assert np.array_equal(samples, expected)
    return samples


@settings(max_examples=60, deadline=None)
@given(signal=SIGNALS)
def test_any_samples_come_back(signal):
    samples = np.array([signal], np.int16)
    assert np.array_equal(decoded_alike(rice.encode_segments(samples), 30), samples)


@settings(max_examples=200, deadline=None)
@given(lots=st.lists(st.binary(max_size=48), min_size=1, max_size=8), count=st.integers(1, 20))
def test_any_bytes_are_decoded_or_refused_by_both(lots, count):
    decoded_alike(lots, count)


@settings(max_examples=100, deadline=None)
@given(signal=SIGNALS, place=st.integers(0, 999), bit=st.integers(0, 7), cut=st.integers(0, 3))
def test_damaged_codes_are_decoded_or_refused_by_both(signal, place, bit, cut):
    (coded,) = rice.encode_segments(np.array([signal], np.int16))
    flipped = bytearray(coded)
    flipped[place % len(coded)] ^= 1 << bit
    decoded_alike([coded, bytes(flipped), coded[: len(coded) - cut], coded + bytes(cut)], 30)


@pytest.mark.parametrize("count", [0, 1, 29, 31, 4000])
def test_another_number_of_samples_is_refused_by_both(count):
    samples = np.arange(60, dtype=np.int16).reshape(2, 30)
    decoded_alike(rice.encode_segments(samples), count)


def test_no_segments_are_no_samples():
    assert decoded_alike([], 30).shape == (0, 30)


@pytest.fixture
def fresh():
    """The library is looked for once a process."""
    lossless._library.cache_clear()
    assert lossless.why_slow() == ""
    yield
    lossless._library.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_without_a_compiler_numpy_decodes_and_it_is_said(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv(compiled.CACHE, str(tmp_path))
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "cc" else which(name))
    samples = np.arange(60, dtype=np.int16).reshape(2, 30)
    monkeypatch.setattr(logging.getLogger("dynadeep"), "propagate", True)
    decoded, right = lossless.decode_all(rice.encode_segments(samples), 30)
    assert right.all()
    assert np.array_equal(decoded, samples)
    assert "apt-get install gcc" in lossless.why_slow()
    assert "apt-get install gcc" in caplog.text


@pytest.mark.usefixtures("fresh")
def test_a_cache_that_cannot_be_written_leaves_numpy(monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv(compiled.CACHE, str(tmp_path / "file"))
    samples = np.arange(30, dtype=np.int16)[None]
    assert lossless.decode_all(rice.encode_segments(samples), 30)[1].all()
    assert "numpy" in lossless.why_slow()
