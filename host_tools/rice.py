"""Lossless coding of samples, for level "none", bit for bit as ``dd_rice.c`` does it.

Each sample is predicted from those before it, and what the prediction misses is written as a Rice
code. Predictor and code parameter learn from what was coded, so that a decoder learns the same and
nothing but the codes is sent; ``docs/packet.md`` describes every step. Many segments are coded at
once, because numpy's price is that of a step in time.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dynadeep.host_tools.errors import PacketError

AS_THEY_ARE, CODED = 0, 1
TAPS = 4
STEP_MAX = 8191
WEIGHT_BITS = 13
WEIGHT_MAX = 32767
FIRST_WEIGHTS = (9830, -1638, 0, 0)  # 1.2, -0.2
RATE_BITS = 7
ACTIVITY, SLOPE = 12, 6
"""Classes of what was missed lately, and of the last step: each pair has its own mean."""

MEAN_BITS = 6
MEAN_MAX = 65535
MISSED_MAX = 1023
FIRST_MISSED = 8
ESCAPE = 20
"""Ones that announce a value of 16 bits."""

_CODE_BITS_MAX = ESCAPE + 16
_BATCH = 1024

Samples = npt.NDArray[np.int16]
Ints = npt.NDArray[np.int64]


def bytes_max(count: int) -> int:
    """Return the most bytes that ``count`` samples take."""
    return 2 * count + 1


def encode_samples(samples: Samples) -> bytes:
    """Code one segment, int16 [T]."""
    return encode_segments(samples[None])[0]


def decode_samples(data: bytes, count: int) -> Samples:
    """Return the segment of ``count`` samples that ``data`` codes, int16 [T].

    Raises:
        PacketError: no encoder can have made ``data`` from ``count`` samples.
    """
    return np.asarray(decode_segments([data], count)[0])


def encode_segments(segments: Samples) -> list[bytes]:
    """Code segments, int16 [N, T], each on its own; T may be 0."""
    return [
        one
        for start in range(0, len(segments), _BATCH)
        for one in _encode_batch(segments[start : start + _BATCH])
    ]


def decode_segments(coded: Sequence[bytes], count: int) -> Samples:
    """Return the segments of ``count`` samples each, int16 [N, T].

    Raises:
        PacketError: no encoder can have made one of them.
    """
    decoded = np.empty((len(coded), count), np.int16)
    for start in range(0, len(coded), _BATCH):
        batch = coded[start : start + _BATCH]
        plain = [_is_plain(data, count) for data in batch]
        for row, data in enumerate(batch):
            if plain[row]:
                decoded[start + row] = np.frombuffer(data, "<i2", offset=1)
        rows = [row for row, one in enumerate(plain) if not one]
        if rows:
            places = np.array(rows) + start
            decoded[places] = _decode_batch([batch[row] for row in rows], count)
    return decoded


class _Model:
    """What coder and decoder have learnt of each of N segments; arrays are [N] or [..., N]."""

    def __init__(self, first: Ints) -> None:
        self.last = first
        self._rows = np.arange(len(first))
        self._steps = np.zeros((TAPS, len(first)), np.int64)  # newest first
        self._weights = np.repeat(np.array(FIRST_WEIGHTS)[:, None], len(first), axis=1)
        self._missed = np.full((3, len(first)), FIRST_MISSED, np.int64)  # folded; newest first
        self._means = np.zeros((len(first), ACTIVITY * SLOPE), np.int64)  # 0: not met yet
        self._place = np.zeros(len(first), np.int64)  # of the mean that the parameter came from

    def predict(self) -> Ints:
        """Return the next sample's prediction, which may lie outside int16."""
        total: Ints = (self._weights * self._steps).sum(axis=0) + (1 << (WEIGHT_BITS - 1))
        return self.last + (total >> WEIGHT_BITS)

    def parameter(self) -> Ints:
        """Return the next code's parameter, 0 to 10."""
        activity = 2 * self._missed[0] + self._missed[1] + self._missed[2]
        slope = np.abs(self._steps[0])
        row = np.minimum(_bit_length(activity), ACTIVITY - 1)
        column = np.minimum((_bit_length(slope) + 1) // 2, SLOPE - 1)
        self._place = row * SLOPE + column
        mean = self._means[self._rows, self._place]
        guess = np.minimum(16 * activity + 4 * slope + 1, MEAN_MAX)
        mean = np.where(mean == 0, guess, mean)
        self._means[self._rows, self._place] = mean
        return _bit_length(mean * 9 >> 10)

    def learn(self, missed: Ints, folded: Ints, sample: Ints) -> None:
        """Follow a sample whose prediction missed it by ``missed``."""
        mean = self._means[self._rows, self._place]
        mean += ((np.minimum(folded, MISSED_MAX) << MEAN_BITS) - mean + 8) >> 4
        self._means[self._rows, self._place] = mean
        sizes = np.abs(self._steps)
        shift = _bit_length(sizes.sum(axis=0) + TAPS) - 1
        up = np.where((self._steps < 0) == (missed < 0), 1, -1)
        moved = self._weights + np.where(missed == 0, 0, up * ((sizes << RATE_BITS) >> shift))
        self._weights = np.minimum(np.maximum(moved, -WEIGHT_MAX), WEIGHT_MAX)
        self._steps[1:] = self._steps[:-1].copy()
        self._steps[0] = np.minimum(np.maximum(sample - self.last, -STEP_MAX), STEP_MAX)
        self._missed[1:] = self._missed[:-1].copy()
        self._missed[0] = folded
        self.last = sample


def _encode_batch(segments: Samples) -> list[bytes]:
    count = segments.shape[1]
    plain = [bytes([AS_THEY_ARE]) + one.astype("<i2").tobytes() for one in segments]
    if count == 0:
        return plain
    values, sizes = _codes(segments.astype(np.int64))
    packed = [_pack(*pair) for pair in zip(values, sizes, strict=True)]
    return [one if len(one) <= 2 * count else raw for one, raw in zip(packed, plain, strict=True)]


def _codes(samples: Ints) -> tuple[Ints, Ints]:
    """Return what is written for ``samples`` [N, T]: values and their bits, both [N, 1 + T]."""
    values = np.empty((samples.shape[0], 1 + samples.shape[1]), np.int64)
    sizes = np.empty_like(values)
    values[:, 0], sizes[:, 0] = CODED, 8
    values[:, 1], sizes[:, 1] = samples[:, 0] & 0xFFFF, 16
    model = _Model(samples[:, 0])
    for time in range(1, samples.shape[1]):
        missed = ((samples[:, time] - model.predict() + 0x8000) & 0xFFFF) - 0x8000
        folded = np.where(missed < 0, -2 * missed - 1, 2 * missed)
        values[:, 1 + time], sizes[:, 1 + time] = _rice(folded, model.parameter())
        model.learn(missed, folded, samples[:, time])
    return values, sizes


def _rice(folded: Ints, parameter: Ints) -> tuple[Ints, Ints]:
    """Return the codes of ``folded`` [N], and their bits."""
    ones = np.minimum(folded >> parameter, ESCAPE)
    escaped = ones == ESCAPE
    rest_bits = np.where(escaped, 16, parameter)
    prefix = ((1 << ones) - 1) << np.where(escaped, 0, 1)
    prefix_bits = np.where(escaped, ESCAPE, ones + 1)
    return prefix << rest_bits | folded & ((1 << rest_bits) - 1), prefix_bits + rest_bits


def _pack(values: Ints, sizes: Ints) -> bytes:
    """Write each value in its number of bits, the highest first; the last byte's rest is 0."""
    ends = np.cumsum(sizes)
    below = np.repeat(ends, sizes) - 1 - np.arange(ends[-1])
    return np.packbits((np.repeat(values, sizes) >> below & 1).astype(np.uint8)).tobytes()


def _is_plain(data: bytes, count: int) -> bool:
    """Tell samples as they are from coded ones, once the length is one that either can have."""
    if data[:1] == bytes([AS_THEY_ARE]):
        if len(data) != bytes_max(count):
            raise PacketError(
                f"samples of {len(data) - 1} bytes, {count} samples as they are take {2 * count}."
            )
        return True
    if data[:1] != bytes([CODED]):
        raise PacketError(f"samples start with {data[:1].hex() or 'nothing'}, expected 00 or 01.")
    least = 3 + (count + 6) // 8  # a sample after the first takes a bit or more
    if not least <= len(data) <= 2 * count:
        raise PacketError(
            f"coded samples of {len(data)} bytes, {count} samples take {least} to {2 * count}."
        )
    return False


def _decode_batch(coded: Sequence[bytes], count: int) -> Ints:
    """Return the samples [N, T] of coded segments, all bits accounted for."""
    bits = _Bits(coded)
    samples = np.empty((len(coded), count), np.int64)
    samples[:, 0] = ((bits.take(np.full(len(coded), 16)) + 0x8000) & 0xFFFF) - 0x8000
    model = _Model(samples[:, 0])
    for time in range(1, count):
        predicted = model.predict()
        folded = bits.take_rice(model.parameter())
        missed = np.where(folded & 1, -(folded + 1 >> 1), folded >> 1)
        samples[:, time] = ((predicted + missed + 0x8000) & 0xFFFF) - 0x8000
        model.learn(missed, folded, samples[:, time])
    bits.check_end()
    return samples


class _Bits:
    """A reader of N bit strings side by side, each behind its first byte.

    Beyond an end it reads zeros and stays there: ``check_end`` tells.
    """

    def __init__(self, coded: Sequence[bytes]) -> None:
        lengths = np.array([len(data) for data in coded])
        self._ends = 8 * lengths
        self._rows = np.arange(len(coded))
        self._last = int(lengths.max())
        padded = b"".join(data.ljust(self._last + 8, b"\0") for data in coded)
        self._bytes = np.frombuffer(padded, np.uint8).reshape(len(coded), -1)
        self._at = np.full(len(coded), 8, np.int64)
        self._wrong = np.zeros(len(coded), np.bool_)

    def take(self, sizes: Ints) -> Ints:
        """Return the next ``sizes`` [N] bits of each, 0 to _CODE_BITS_MAX of them."""
        found = self._window() >> (_CODE_BITS_MAX - sizes)
        self._at += sizes
        return found

    def take_rice(self, parameter: Ints) -> Ints:
        """Return the next value of each [N]; a wrongly escaped one is remembered as wrong."""
        window = self._window()
        prefix = window >> 16
        ones = ESCAPE - _bit_length(prefix ^ ((1 << ESCAPE) - 1))
        escaped = ones == ESCAPE
        skipped = np.where(escaped, ESCAPE, ones + 1)
        rest_bits = np.where(escaped, 16, parameter)
        rest = window >> (_CODE_BITS_MAX - skipped - rest_bits) & ((1 << rest_bits) - 1)
        self._at += skipped + rest_bits
        self._wrong |= escaped & (rest >> parameter < ESCAPE)
        value: Ints = np.where(escaped, rest, (ones << parameter) + rest)
        return value

    def check_end(self) -> None:
        """Refuse bits that are left over, missing, or not what the encoder writes."""
        left = self._ends - self._at
        padding = self._window() >> (_CODE_BITS_MAX - 8)
        wrong = self._wrong | (left < 0) | (left > 7) | (padding != 0)
        if wrong.any():
            first = int(wrong.argmax())
            raise PacketError(
                f"coded samples of {self._ends[first] // 8} bytes do not decode: their codes take "
                f"{self._at[first]} bits, or are not what an encoder writes."
            )

    def _window(self) -> Ints:
        """Return the next _CODE_BITS_MAX bits."""
        start = np.minimum(self._at >> 3, self._last)
        window: Ints = np.zeros(len(start), np.int64)
        for offset in range(6):
            window = window << 8 | self._bytes[self._rows, start + offset]
        found: Ints = window >> (48 - _CODE_BITS_MAX - (self._at & 7))
        return found & ((1 << _CODE_BITS_MAX) - 1)


def _bit_length(values: Ints) -> Ints:
    """Return the bits of each value, 0 for 0; exact, as all are below 2^53."""
    exponents: Ints = np.frexp(values.astype(np.float64))[1].astype(np.int64)
    return exponents
