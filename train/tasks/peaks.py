"""R peaks and the distance-to-nearest-R curve: one into the other, and peaks held against peaks."""

import numpy as np
from numpy.typing import NDArray
from scipy import signal
from wfdb.processing import compare_annotations

FARTHEST_S = 0.5
"""The curve's highest value: farther from a beat, how far no longer matters."""
TOLERANCE_S = 0.075
"""A peak this near to the true one is found (paper section 3)."""
REFRACTORY_S = 0.2
"""No heart beats twice within this."""
DEEPEST_S = 0.1
"""A minimum of the curve counts as a peak if it lies below this."""

Curve = NDArray[np.float32]
Seconds = NDArray[np.float64]


def distance_curve(beats_s: Seconds, times_s: Seconds) -> Curve:
    """Return how far each time is from the nearest beat, in seconds, float32 like ``times_s``.

    ``beats_s`` rises. Nowhere is it more than FARTHEST_S, and without a beat it is that everywhere.
    """
    if len(beats_s) == 0:
        return np.full(times_s.shape, FARTHEST_S, np.float32)
    right = np.searchsorted(beats_s, times_s)
    to_left = np.abs(times_s - beats_s[np.maximum(right - 1, 0)])
    to_right = np.abs(beats_s[np.minimum(right, len(beats_s) - 1)] - times_s)
    return np.minimum(np.minimum(to_left, to_right), FARTHEST_S).astype(np.float32)


def find_peaks(curve: Curve, rate_hz: float, *, deepest_s: float = DEEPEST_S) -> Seconds:
    """Return where a curve [T] of ``rate_hz`` samples a second has its beats: seconds, rising.

    A beat is a minimum below ``deepest_s`` that has no deeper one within the refractory time.
    Between samples it is placed where the two sides of the V meet.
    """
    indices, _ = signal.find_peaks(-curve, height=-deepest_s, distance=REFRACTORY_S * rate_hz)
    tilt = curve[indices - 1].astype(np.float64) - curve[indices + 1]
    return np.asarray(indices / rate_hz + np.clip(tilt / 2, -0.5 / rate_hz, 0.5 / rate_hz))


def match(
    detected_s: Seconds, expected_s: Seconds, *, tolerance_s: float = TOLERANCE_S
) -> tuple[int, int, int]:
    """Pair rising peaks one to one; return how many are true, false and missed (tp, fp, fn)."""
    if len(detected_s) == 0 or len(expected_s) == 0:  # wfdb would divide by their number
        return 0, len(detected_s), len(expected_s)
    compared = compare_annotations(expected_s, detected_s, tolerance_s)
    return compared.tp, compared.fp, compared.fn


def scores(true: int, false: int, missed: int) -> dict[str, float]:
    """Return sensitivity, PPV and F1; 1 where there was nothing to find, or nothing found."""
    return {
        "sensitivity": true / (true + missed) if true + missed else 1.0,
        "ppv": true / (true + false) if true + false else 1.0,
        "f1": 2 * true / (2 * true + false + missed) if true + false + missed else 1.0,
    }
