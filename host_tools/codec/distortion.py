"""What decoding changed in a segment, and who can tell what that cost."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from dynadeep.host_tools.recordings.record import Record

Floats = npt.NDArray[np.float64]


class Judge(Protocol):
    """Tells what each segment of a decoded recording lost."""

    def losses(self, record: Record, decoded: Floats) -> list[float] | None:
        """Return the loss of each segment, given all of them decoded, float [N, T] in ADC units.

        None where it cannot be known.
        """


def distortion(segment: npt.NDArray[np.int16], decoded: Floats, real: int) -> tuple[float, float]:
    """Return PRD and PRDN in percent of the first ``real`` samples, the window scaled to [0, 1]."""
    from dynadeep.train import metrics  # the one definition, which training uses too

    original = segment[None, :real].astype(np.float64)
    window = metrics.unit_scale(original, original)
    result = metrics.unit_scale(decoded[None, :real], original)
    return float(metrics.prd(window, result)[0]), float(metrics.prdn(window, result)[0])
