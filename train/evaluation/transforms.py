"""What classical transform coding makes of a segment at a level's bytes: DCT and wavelets.

Coefficients are rounded to one step, and written as runs of zeros and values in Exp-Golomb codes,
from low frequencies to high ones. The step is the finest with which the bytes suffice. Everything
is in the bytes: ``decode`` needs them, the transform's name and the segment's length.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pywt
from numpy.typing import NDArray
from scipy import fft

from dynadeep.train.data import cinc2017
from dynadeep.train.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS_PER_OCTAVE = 8
"""A step is 2 to the power of a byte over this: 1 to 3.8 thousand million."""
ORDERS = range(8)
"""Of the Exp-Golomb codes: three bits each for runs and for values."""
HEADER_BITS = 8 + 3 + 3
WAVELET, MODE, WAVELET_LEVELS = "bior4.4", "periodization", 7
"""Cohen, Daubechies and Feauveau's 9/7, with as many coefficients as samples, of which there are a
multiple of 2 to the power of the levels: the last one is repeated to fill."""


class Transform(NamedTuple):
    """An orthonormal or nearly orthonormal transform, low frequencies first, and its inverse."""

    forward: Callable[[Floats], Floats]
    inverse: Callable[[Floats], Floats]


def _to_wavelets(signal: Floats) -> Floats:
    padded = np.pad(signal, (0, -len(signal) % (1 << WAVELET_LEVELS)), mode="edge")
    return np.concatenate(_bands(padded))


def _from_wavelets(coefficients: Floats) -> Floats:
    ends = np.cumsum([len(band) for band in _bands(np.zeros(len(coefficients)))])
    bands = np.split(coefficients, ends[:-1])
    return np.asarray(pywt.waverec(bands, WAVELET, MODE))


def _bands(padded: Floats) -> list[Floats]:
    """Return the coefficients by frequency band, as many as the length allows."""
    most = pywt.dwt_max_level(len(padded), WAVELET)
    bands: list[Floats] = pywt.wavedec(padded, WAVELET, MODE, min(WAVELET_LEVELS, most))
    return bands


TRANSFORMS = {
    "DCT": Transform(
        lambda signal: np.asarray(fft.dct(signal, norm="ortho")),
        lambda coefficients: np.asarray(fft.idct(coefficients, norm="ortho")),
    ),
    "wavelet": Transform(_to_wavelets, _from_wavelets),
}


def encode(segment: NDArray[np.int16], transform: str, budget: int) -> bytes:
    """Return a segment, ADC units int16 [T], in at most ``budget`` bytes.

    Raises:
        DataError: the bytes do not even hold the header.
    """
    if 8 * budget < HEADER_BITS:
        raise DataError(f"{budget} bytes: a coded segment takes at least 2. Give more.")
    coefficients = TRANSFORMS[transform].forward(segment.astype(np.float64))
    low, high = 0, 255
    while low < high:
        middle = (low + high) // 2
        if _cheapest(*_tokens(coefficients, middle))[0] <= 8 * budget - HEADER_BITS:
            high = middle
        else:
            low = middle + 1
    runs, values = _tokens(coefficients, low)
    _, run_order, value_order = _cheapest(runs, values)
    words = [f"{low:08b}{run_order:03b}{value_order:03b}"]
    for run, value in zip(runs.tolist(), values.tolist(), strict=True):
        words += [_word(run, run_order), _word(abs(value) - 1, value_order), "01"[value < 0]]
    bits = "".join(words)
    padded = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(padded, 2).to_bytes(len(padded) // 8, "big")


def decode(data: bytes, transform: str, samples: int) -> Floats:
    """Return the segment that bytes hold, ADC units float [samples].

    Raises:
        DataError: they hold more coefficients than samples, or no header.
    """
    if 8 * len(data) < HEADER_BITS:
        raise DataError(f"{len(data)} bytes: a coded segment has at least 2.")
    bits = _Bits(f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}")
    step, orders = _step(bits.take(8)), (bits.take(3), bits.take(3))
    coefficients, position = np.zeros(len(TRANSFORMS[transform].forward(np.zeros(samples)))), -1
    while (run := bits.word(orders[0])) is not None:
        value, sign = bits.word(orders[1]), bits.take(1)
        position += run + 1
        if value is None or position >= len(coefficients):
            raise DataError(f"coded segment: has a coefficient {position}, of {len(coefficients)}.")
        coefficients[position] = step * (value + 1) * (1 - 2 * sign)
    return TRANSFORMS[transform].inverse(coefficients)[:samples]


def code_records(
    adc: NDArray[np.int16], transform: str, budget: int
) -> tuple[NDArray[np.float32], Ints]:
    """Code the segments of records, int16 [N, T <= 10000], in ``budget`` bytes each at most.

    Returns what is decoded, ADC units float32 [N, T], and the bytes taken, int64 [N, S].
    """
    segments = cinc2017.segments(adc)
    count, each, samples = segments.shape
    coded = [encode(segment, transform, budget) for segment in segments.reshape(-1, samples)]
    decoded = np.stack([decode(data, transform, samples) for data in coded]).astype(np.float32)
    sizes = np.array([len(data) for data in coded], np.int64).reshape(count, each)
    return decoded.reshape(count, -1)[:, : adc.shape[1]], sizes


class _Bits:
    """Read a string of 0 and 1 from its start."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def take(self, count: int) -> int:
        """Return the next bits as a number; beyond the end there are zeros."""
        bits = self.text[self.at : self.at + count].ljust(count, "0")
        self.at += count
        return int(bits or "0", 2)

    def word(self, order: int) -> int | None:
        """Return the next Exp-Golomb word; None where only zeros are left."""
        first_one = self.text.find("1", self.at)
        if first_one < 0:
            return None
        width = first_one - self.at + 1 + order
        self.at = first_one
        return self.take(width) - (1 << order)


def _step(index: int) -> float:
    return float(2 ** (index / STEPS_PER_OCTAVE))


def _tokens(coefficients: Floats, index: int) -> tuple[Ints, Ints]:
    """Return the values that are not zero, and how many zeros stand before each."""
    rounded = np.rint(coefficients / _step(index)).astype(np.int64)
    positions = np.flatnonzero(rounded)
    return np.diff(positions, prepend=-1) - 1, rounded[positions]


def _cheapest(runs: Ints, values: Ints) -> tuple[int, int, int]:
    """Return the fewest bits that tokens take, and the orders of both codes."""
    run_bits = [int(_lengths(runs, order).sum()) for order in ORDERS]
    value_bits = [int(_lengths(np.abs(values) - 1, order).sum()) for order in ORDERS]
    run_order, value_order = int(np.argmin(run_bits)), int(np.argmin(value_bits))
    bits = run_bits[run_order] + value_bits[value_order] + len(values)
    return bits, run_order, value_order


def _lengths(numbers: Ints, order: int) -> Ints:
    """Return the bits of each number's word."""
    width = np.frexp((numbers >> order) + 1.0)[1]
    return np.asarray(2 * width - 1 + order, np.int64)


def _word(number: int, order: int) -> str:
    """Return a number's Exp-Golomb word: as many zeros as tell its width, then itself."""
    shifted = number + (1 << order)
    text = f"{shifted:b}"
    return "0" * (len(text) - 1 - order) + text
