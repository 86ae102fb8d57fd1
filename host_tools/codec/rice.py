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
LOUD = 4 * (MISSED_MAX + 1)
"""Activity from which on the means say too little, and gives the parameter itself."""

PARAMETER_MAX = 15
SAMPLE_BITS = 16
ESCAPE = 20
"""Ones that announce a value of 16 bits."""

SLACK_BITS = 64
"""What a segment may take beyond 16 bits for each sample."""

_CODE_BITS_MAX = ESCAPE + 16
_BATCH = 1024

Samples = npt.NDArray[np.int16]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def bytes_max(count: int) -> int:
    """Return the most bytes that ``count`` samples take."""
    return 2 * count + SLACK_BITS // 8


def bytes_min(count: int) -> int:
    """Return the least: a sample after the first takes a bit or more."""
    return 2 + (count + 6) // 8


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
    """Code segments, int16 [N, T], each on its own; T is 1 or more."""
    coded: list[bytes] = []
    for start in range(0, len(segments), _BATCH):
        values, sizes = _codes(segments[start : start + _BATCH].astype(np.int64))
        coded += [_pack(*pair) for pair in zip(values, sizes, strict=True)]
    return coded


def decode_segments(coded: Sequence[bytes], count: int) -> Samples:
    """Return the segments of ``count`` samples each, int16 [N, T].

    Raises:
        PacketError: no encoder can have made one of them.
    """
    samples, right = decode_all(coded, count)
    if not right.all():
        raise refusal(coded[int(right.argmin())], count)
    return samples


def decode_all(coded: Sequence[bytes], count: int) -> tuple[Samples, Bools]:
    """Return segments of ``count`` samples each, int16 [N, T], and which an encoder made, bool [N].

    The samples of the others are 0.
    """
    samples = np.zeros((len(coded), count), np.int16)
    right = np.array([_has_length(data, count) for data in coded], np.bool_)
    sized = np.flatnonzero(right)
    for start in range(0, len(sized), _BATCH):
        rows = sized[start : start + _BATCH]
        decoded, fits = _decode_batch([coded[row] for row in rows], count)
        samples[rows[fits]] = decoded[fits]
        right[rows] = fits
    return samples, right


def refusal(data: bytes, count: int) -> PacketError:
    """Return what is wrong with bytes that ``decode_all`` does not decode."""
    if not _has_length(data, count):
        return PacketError(
            f"coded samples of {len(data)} bytes, {count} samples take {bytes_min(count)} to "
            f"{bytes_max(count)}."
        )
    return PacketError(
        f"coded samples of {len(data)} bytes do not decode: their codes are not {count}, or are "
        "not what an encoder writes."
    )


class _Model:
    """What coder and decoder have learnt of each of N segments; arrays are [N] or [..., N]."""

    def __init__(self, first: Ints) -> None:
        self.last = first
        self._rows = np.arange(len(first))
        self._steps = np.zeros((TAPS, len(first)), np.int64)  # newest first
        self._weights = np.repeat(np.array(FIRST_WEIGHTS)[:, None], len(first), axis=1)
        self._missed = np.full((3, len(first)), FIRST_MISSED, np.int64)  # folded; newest first
        self._means = np.zeros((len(first), ACTIVITY * SLOPE), np.int64)  # 0: not met yet
        self._place = np.zeros(len(first), np.int64)  # of the mean in the present circumstances
        self._spare_bits = np.full(len(first), SLACK_BITS, np.int64)

    def may_be_coded(self) -> Bools:
        """Return whether the longest code leaves 16 bits for each sample behind it."""
        return self._spare_bits >= ESCAPE

    def predict(self) -> Ints:
        """Return the next sample's prediction, which may lie outside int16."""
        total: Ints = (self._weights * self._steps).sum(axis=0) + (1 << (WEIGHT_BITS - 1))
        return self.last + (total >> WEIGHT_BITS)

    def parameter(self) -> Ints:
        """Return the next code's parameter, 0 to 15."""
        activity = 2 * self._missed[0] + self._missed[1] + self._missed[2]
        slope = np.abs(self._steps[0])
        row = np.minimum(_bit_length(activity), ACTIVITY - 1)
        column = np.minimum((_bit_length(slope) + 1) // 2, SLOPE - 1)
        self._place = row * SLOPE + column
        mean = self._means[self._rows, self._place]
        guess = np.minimum(16 * activity + 4 * slope + 1, MEAN_MAX)
        mean = np.where(mean == 0, guess, mean)
        self._means[self._rows, self._place] = mean
        loud = np.minimum(_bit_length(activity * 9 >> 6), PARAMETER_MAX)
        return np.where(activity < LOUD, _bit_length(mean * 9 >> 10), loud)

    def learn(self, sample: Ints, missed: Ints, bits: Ints) -> None:
        """Follow a sample whose prediction missed it by ``missed`` and that took ``bits``."""
        self._spare_bits += SAMPLE_BITS - bits
        folded = _fold(missed)
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


def _wrap(values: Ints) -> Ints:
    """Return ``values`` modulo 2^16, as int16."""
    wrapped: Ints = ((values + 0x8000) & 0xFFFF) - 0x8000
    return wrapped


def _fold(missed: Ints) -> Ints:
    return np.where(missed < 0, -2 * missed - 1, 2 * missed)


def _unfold(folded: Ints) -> Ints:
    return np.where(folded & 1, -(folded + 1 >> 1), folded >> 1)


def _codes(samples: Ints) -> tuple[Ints, Ints]:
    """Return what is written for ``samples`` [N, T]: values and their bits, both [N, T]."""
    values = samples & 0xFFFF
    sizes = np.full_like(values, SAMPLE_BITS)
    model = _Model(samples[:, 0])
    for time in range(1, samples.shape[1]):
        missed = _wrap(samples[:, time] - model.predict())
        code, bits = _rice(_fold(missed), model.parameter())
        coded = model.may_be_coded()
        values[:, time] = np.where(coded, code, values[:, time])
        sizes[:, time] = np.where(coded, bits, SAMPLE_BITS)
        model.learn(samples[:, time], missed, sizes[:, time])
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


def _has_length(data: bytes, count: int) -> bool:
    return count > 0 and bytes_min(count) <= len(data) <= bytes_max(count)


def _decode_batch(coded: Sequence[bytes], count: int) -> tuple[Ints, Bools]:
    """Return the samples [N, T] of coded segments, and of which all bits are accounted for."""
    bits = _Bits(coded)
    samples = np.empty((len(coded), count), np.int64)
    samples[:, 0] = _wrap(bits.take_sample())
    model = _Model(samples[:, 0])
    for time in range(1, count):
        predicted, parameter, rice = model.predict(), model.parameter(), model.may_be_coded()
        values, sizes = bits.take(parameter, rice)
        missed = np.where(rice, _unfold(values), _wrap(values - predicted))
        samples[:, time] = _wrap(predicted + missed)
        model.learn(samples[:, time], missed, sizes)
    return samples, bits.are_right()


class _Bits:
    """A reader of N bit strings side by side.

    Beyond an end it reads zeros and stays there: ``are_right`` tells.
    """

    def __init__(self, coded: Sequence[bytes]) -> None:
        lengths = np.array([len(data) for data in coded])
        self._ends = 8 * lengths
        self._rows = np.arange(len(coded))
        self._last = int(lengths.max())
        padded = b"".join(data.ljust(self._last + 8, b"\0") for data in coded)
        self._bytes = np.frombuffer(padded, np.uint8).reshape(len(coded), -1)
        self._at = np.zeros(len(coded), np.int64)
        self._wrong = np.zeros(len(coded), np.bool_)

    def take_sample(self) -> Ints:
        """Return the next 16 bits of each [N]."""
        sample = self._window() >> (_CODE_BITS_MAX - SAMPLE_BITS)
        self._at += SAMPLE_BITS
        return sample

    def take(self, parameter: Ints, coded: Bools) -> tuple[Ints, Ints]:
        """Return the next value of each [N] and its bits: a code where ``coded``, else a sample.

        A wrongly escaped one, and one beyond 16 bits, is remembered as wrong.
        """
        window = self._window()
        prefix = window >> 16
        ones = ESCAPE - _bit_length(prefix ^ ((1 << ESCAPE) - 1))
        escaped = ones == ESCAPE
        skipped = np.where(escaped, ESCAPE, ones + 1)
        rest_bits = np.where(escaped, 16, parameter)
        rest = window >> (_CODE_BITS_MAX - skipped - rest_bits) & ((1 << rest_bits) - 1)
        value = np.where(escaped, rest, (ones << parameter) + rest)
        self._wrong |= coded & escaped & (rest >> parameter < ESCAPE)
        self._wrong |= coded & (value >= 1 << SAMPLE_BITS)
        bits = np.where(coded, skipped + rest_bits, SAMPLE_BITS)
        self._at += bits
        return np.where(coded, value, window >> (_CODE_BITS_MAX - SAMPLE_BITS)), bits

    def are_right(self) -> Bools:
        """Return where no bits are left over, missing, or not what the encoder writes."""
        left = self._ends - self._at
        padding = self._window() >> (_CODE_BITS_MAX - 8)
        right: Bools = ~(self._wrong | (left < 0) | (left > 7) | (padding != 0))
        return right

    def _window(self) -> Ints:
        """Return the next _CODE_BITS_MAX bits."""
        start = np.minimum(self._at >> 3, self._last)
        window: Ints = np.zeros(len(start), np.int64)
        for offset in range(6):
            window = window << 8 | self._bytes[self._rows, start + offset]
        aligned: Ints = window >> (48 - _CODE_BITS_MAX - (self._at & 7))
        return aligned & ((1 << _CODE_BITS_MAX) - 1)


def _bit_length(values: Ints) -> Ints:
    """Return the bits of each value, 0 for 0; exact, as all are below 2^53."""
    exponents: Ints = np.frexp(values.astype(np.float64))[1].astype(np.int64)
    return exponents
