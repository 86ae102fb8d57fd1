import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.host_tools import rice
from dynadeep.host_tools.errors import PacketError

LOW, HIGH = -32768, 32767
ANY = st.lists(st.integers(LOW, HIGH), max_size=40) | st.lists(st.integers(-5, 5), max_size=80)


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
    assert together == [rice.encode_samples(one) for one in array]
    assert np.array_equal(rice.decode_segments(together, 12), array)


def test_noise_is_sent_as_it_is():
    noise = np.random.default_rng(1).integers(LOW, HIGH + 1, 200).astype(np.int16)
    assert rice.encode_samples(noise) == b"\0" + noise.astype("<i2").tobytes()


def test_the_bytes_are_those_of_the_worked_example():
    assert rice.encode_samples(np.array([5, 5, 5, 4], np.int16)) == bytes.fromhex("01 0005 0080")


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=30), count=st.integers(0, 20))
def test_noise_is_refused_or_decodes_to_samples_that_code_it(data, count):
    for body in (data, b"\1" + data):
        try:
            samples = rice.decode_samples(body, count)
        except PacketError:
            continue
        if body[0] == rice.CODED:
            assert rice.encode_samples(samples) == body


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


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0"])
def test_cut_or_longer_data_is_refused(change):
    with pytest.raises(PacketError):
        rice.decode_samples(change(rice.encode_samples(wave(100))), 100)


@pytest.mark.parametrize("count", [0, 1, 90, 120, 30_000])
def test_another_number_of_samples_is_refused(count):
    with pytest.raises(PacketError):
        rice.decode_samples(rice.encode_samples(wave(100)), count)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "start with nothing"),
        (b"\2ab", "start with 02"),
        (b"\0abc", "samples of 3 bytes"),
        (b"\1a", "coded samples of 2 bytes"),
        (b"\1" + b"\xff" * 9, "do not decode"),
    ],
)
def test_malformed_data_is_refused_with_the_reason(data, reason):
    with pytest.raises(PacketError, match=reason):
        rice.decode_samples(data, 8)


def test_an_escape_that_no_encoder_writes_is_refused():
    """20 ones, then a value that a shorter code would have said."""
    bits = "00000001" + "0" * 16 + "1" * 20 + "0" * 16
    bits += "0" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    with pytest.raises(PacketError, match="not what an encoder writes"):
        rice.decode_samples(data, 5)
