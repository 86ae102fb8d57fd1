"""A recording as the board takes it: whole segments of int16 ADC samples."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynadeep.host_tools.errors import EcgError

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Record:
    """A recording cut into whole segments, the last one padded if ``samples`` ends within it."""

    name: str
    segments: Samples  # int16 [N, T], ADC units
    samples: int  # real ones; the rest of the last segment repeats the last of them
    label: str | None = None  # its rhythm, one of CinC 2017's classes, where it is known
    remarks: tuple[str, ...] = ()  # what was found, taken for granted or changed in reading it

    def real_samples(self, index: int) -> int:
        """Return how many samples of segment ``index`` are not padding."""
        length = self.segments.shape[1]
        return min(int(length), self.samples - index * int(length))


def cut_record(name: str, signal: Samples, length: int) -> Record:
    """Cut ``signal`` [T] into segments of ``length``; a rest is padded with its last sample.

    Raises:
        EcgError: the signal is shorter than one segment.
    """
    if len(signal) < length:
        raise EcgError(
            f"{name}: {len(signal)} samples, one segment needs {length}. Use a longer record."
        )
    padding = -len(signal) % length
    padded = np.concatenate([signal, np.repeat(signal[-1:], padding)])
    return Record(name, padded.reshape(-1, length), len(signal))
