"""Windows around the beats of MIT-BIH, with what kind of beat each is: the data of two networks."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynadeep.train.data import mitdb

Floats = NDArray[np.float32]

NORMAL, SUPRAVENTRICULAR, VENTRICULAR = 0, 1, 2
SYMBOLS = ("NLRej", "AaJS", "VE")
"""What the kinds are annotated as, in the AAMI's groups; fusions and unknown beats are left out."""


@dataclass(frozen=True)
class Beats:
    """Windows of a signal in ADC samples, float32 [N, span], and the kind of the beat in each."""

    windows: Floats
    kinds: NDArray[np.int64]  # [N]


def read(folder: Path, names: Iterable[str], span: int) -> Beats:
    """Read a window of ``span`` samples at 360 Hz around each beat of records."""
    parts = [_of_record(folder, name, span) for name in names]
    windows, kinds = zip(*((part.windows, part.kinds) for part in parts), strict=True)
    return Beats(np.concatenate(windows), np.concatenate(kinds))


def standardised(windows: Floats) -> Floats:
    """Take its mean off each window [N, span] and divide by its spread."""
    centred = windows - windows.mean(axis=1, keepdims=True)
    return centred / (centred.std(axis=1, keepdims=True) + np.float32(1))


def _of_record(folder: Path, name: str, span: int) -> Beats:
    signal = mitdb.read_record(folder, name).astype(np.float32)
    beats = mitdb.read_annotated_beats(folder, name)
    first = beats.positions - span // 2
    inside = (first >= 0) & (first + span <= len(signal))
    kinds = np.array([_kind(symbol) for symbol in beats.symbols])
    used = inside & (kinds >= 0)
    at = first[used, None] + np.arange(span)
    return Beats(signal[at], kinds[used])


def _kind(symbol: str) -> int:
    return next((kind for kind, symbols in enumerate(SYMBOLS) if symbol in symbols), -1)
