"""How far a reconstruction is from its window: PRD and PRDN, in percent, one value a window."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def unit_scale(signal: Values, window: Values) -> Values:
    """Scale signals [N, T] by the minimum and maximum of their original windows [N, T].

    A constant window counts as one unit high.
    """
    low = window.min(axis=1, keepdims=True)
    span = np.maximum(window.max(axis=1, keepdims=True) - low, 1)
    return np.asarray((signal - low) / span)


def prd(original: Values, decoded: Values) -> Values:
    """Return 100 sqrt(sum (x - y)^2 / sum x^2) per row, [N, T] -> [N].

    It depends on where zero lies: the published figures are for windows scaled to [0, 1]
    (``unit_scale``). A row of zeros gives infinity, or 0 if it was met exactly.
    """
    return _percent(original - decoded, original)


def prdn(original: Values, decoded: Values) -> Values:
    """Return PRD with each row's mean removed from the denominator, [N, T] -> [N].

    It does not depend on where zero lies, and is about 2.7 times PRD on [0, 1] windows.
    """
    return _percent(original - decoded, original - original.mean(axis=1, keepdims=True))


def _percent(error: Values, reference: Values) -> Values:
    """Return the ratio of the rows' norms in percent; x/0 is infinity, 0/0 is 0."""
    top = np.linalg.norm(error, axis=1)
    bottom = np.linalg.norm(reference, axis=1)
    empty = np.where(top > 0, np.inf, 0.0)
    np.divide(100 * top, bottom, out=empty, where=bottom > 0)
    return empty
