"""What a reader of a format gives: a recording's channels, each loaded when it is chosen."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynadeep.codegen import wfdb_record
from dynadeep.codegen.errors import RecordingError
from dynadeep.host_tools.errors import EcgError

Values = npt.NDArray[np.float64]

BARE = ""
"""The unit of numbers that the file says nothing of."""
MILLIVOLTS = {"V": 1e3, "mV": 1.0, "uV": 1e-3, "nV": 1e-6}
"""Millivolts in each unit of voltage."""


@dataclass(frozen=True)
class Channel:
    """One signal of a recording; ``load`` gives it, float [T], NaN where a sample is missing."""

    name: str  # "" where the file gives none
    unit: str  # one of MILLIVOLTS, BARE, or what is no voltage
    rate_hz: float | None  # None where the file does not say
    load: Callable[[], Values]
    default_scale: tuple[float, float] | None = None
    """Numbers per millivolt and at 0 mV, by the format's rules where the file does not say."""
    default_remark: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def is_voltage(self) -> bool:
        """Whether the unit is one of voltage, or none is stated."""
        return self.unit == BARE or self.unit in MILLIVOLTS


@dataclass(frozen=True)
class Recording:
    """A file's channels."""

    name: str
    channels: tuple[Channel, ...]


def plain_unit(unit: str) -> str:
    """Return a unit as MILLIVOLTS has it ("µV", "uv" and "microvolts" are "uV"), or as it is."""
    folded = unicodedata.normalize("NFKC", unit.strip().strip("'\"[]()")).lower()
    folded = folded.replace("\u03bc", "u").removesuffix("s")
    words = {"millivolt": "mV", "microvolt": "uV", "volt": "V", "nanovolt": "nV"}
    words |= {name.lower(): name for name in MILLIVOLTS}
    return words.get(folded, unit.strip())


def require_file(path: Path, bytes_max: int) -> None:
    """Refuse what is no regular file, or larger than the kit reads.

    Raises:
        EcgError: it is missing, a pipe, a device or a folder, empty, or too large.
    """
    try:
        size = wfdb_record.require_file(path)
    except RecordingError as error:
        raise EcgError(str(error)) from error
    if size == 0:
        raise EcgError(f"{path}: empty. Name a file that holds a recording.")
    if size > bytes_max:
        raise EcgError(f"{path}: {size:,} bytes, the kit reads at most {bytes_max:,}. Cut it.")
