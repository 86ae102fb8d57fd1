import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.host_tools.codec import rice
from dynadeep.host_tools.errors import PacketError

LOW, HIGH = -32768, 32767
ANY = st.lists(st.integers(LOW, HIGH), min_size=1, max_size=40) | st.lists(
    st.integers(-5, 5), min_size=1, max_size=80
)


def wave(count: int) -> rice.Samples:
    time = np.arange(count)
    return np.round(300 * np.sin(time / 9) + 5 * np.sin(2.1 * time)).astype(np.int16)


@settings(max_examples=60, deadline=None)
@given(samples=ANY)
def test_any_samples_come_back(samples):
    array = np.array(samples, np.int16)
    coded = rice.encode_samples(array)
    assert len(coded) <= rice.bytes_max(len(array))
    assert np.array_equal(rice.decode_samples(coded, len(array)), array)


@settings(max_examples=20, deadline=None)
@given(
    segments=st.lists(
        st.lists(st.integers(LOW, HIGH), min_size=12, max_size=12), min_size=1, max_size=5
    )
)
def test_segments_coded_together_are_coded_as_each_alone(segments):
    array = np.array([*segments, [0] * 12], np.int16)
    together = rice.encode_segments(array)
    assert together == [rice.encode_samples(segment) for segment in array]
    assert np.array_equal(rice.decode_segments(together, 12), array)


def test_noise_takes_two_bytes_a_sample_and_no_more_than_the_slack():
    noise = np.random.default_rng(1).integers(LOW, HIGH + 1, 2000).astype(np.int16)
    coded = rice.encode_samples(noise)
    assert 2 * 2000 < len(coded) <= rice.bytes_max(2000)


def test_what_follows_noise_is_coded_as_well_as_without_it():
    noise = np.random.default_rng(1).integers(-6000, 6001, 100).astype(np.int16)
    behind = len(rice.encode_samples(np.concatenate([noise, wave(1000)])))
    assert behind - len(rice.encode_samples(noise)) < len(rice.encode_samples(wave(1000))) + 20


def test_the_bytes_are_those_of_the_worked_example():
    assert rice.encode_samples(np.array([5, 5, 5, 4], np.int16)) == bytes.fromhex("0005 0080")


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=48), count=st.integers(1, 20))
def test_noise_is_refused_or_decodes_to_samples_that_code_it(data, count):
    try:
        samples = rice.decode_samples(data, count)
    except PacketError:
        return
    assert rice.encode_samples(samples) == data


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_codes_other_samples(position, bit):
    samples = wave(60)
    coded = bytearray(rice.encode_samples(samples))
    coded[position % len(coded)] ^= 1 << bit
    try:
        decoded = rice.decode_samples(bytes(coded), 60)
    except PacketError:
        return
    assert not np.array_equal(decoded, samples)


@pytest.mark.parametrize("cut", [True, False])
def test_cut_or_longer_data_is_refused(cut):
    coded = rice.encode_samples(wave(100))
    with pytest.raises(PacketError):
        rice.decode_samples(coded[:-1] if cut else coded + b"\0", 100)


@pytest.mark.parametrize("count", [0, 1, 90, 120, 30_000])
def test_another_number_of_samples_is_refused(count):
    with pytest.raises(PacketError):
        rice.decode_samples(rice.encode_samples(wave(100)), count)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "coded samples of 0 bytes, 8 samples take 3 to 24"),
        (b"ab", "coded samples of 2 bytes"),
        (b"\xff" * 25, "coded samples of 25 bytes"),
        (b"\xff" * 9, "do not decode"),
    ],
)
def test_malformed_data_is_refused_with_the_reason(data, reason):
    with pytest.raises(PacketError, match=reason):
        rice.decode_samples(data, 8)


def test_an_escape_that_no_encoder_writes_is_refused():
    """20 ones, then a value that a shorter code would have said."""
    bits = "0" * 16 + "1" * 20 + "0" * 16
    bits += "0" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    with pytest.raises(PacketError, match="not what an encoder writes"):
        rice.decode_samples(data, 5)


def test_a_code_beyond_16_bits_is_refused():
    """No encoder writes it: modulo 2^16 it would stand for a sample that has a code of its own."""
    data = bytes.fromhex(
        "00ffff0102ff1e050c162127291f00d9d3dde7f2ffffffff01f9005affff067c000001020324010200"
    )
    with pytest.raises(PacketError, match="not what an encoder writes"):
        rice.decode_samples(data, 34)
