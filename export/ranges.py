"""Where the range of a convolution's output may end on the negative side.

The converter spans all values that it saw. SiLU maps a long negative tail to almost zero, so codes
spent on it are lost: a range that ends earlier makes every step behind it finer. Peaks stay whole:
they are few, and the ones that the decoder needs most.
"""

import numpy as np
import numpy.typing as npt
import onnx

from dynadeep.export.accuracy import float_tensors
from dynadeep.train.rounding import NEGATIVE_ENDS

Floats = npt.NDArray[np.float32]

VALUES = 50_000
"""Values of a tensor that the search looks at, drawn with a fixed seed."""


def negative_ends(proto: onnx.ModelProto, windows: Floats) -> dict[str, float]:
    """Return the lowest value to represent of each convolution that a SiLU follows.

    Args:
        proto: the encoder, from ``export_encoder``.
        windows: float [N, 1, T], real ECG.
    """
    rng = np.random.default_rng(0)
    ends: dict[str, float] = {}
    tensors = float_tensors(proto, windows)
    for name, values in tensors.items():
        layer, _, role = name.partition("/")
        if role == "conv" and f"{layer}/silu" in tensors:
            sample = rng.choice(values.ravel(), min(VALUES, values.size), replace=False)
            ends[layer] = negative_end(sample, float(values.min()), float(values.max()))
    return ends


def negative_end(values: Floats, low: float, high: float) -> float:
    """Return the end, at least ``low``, with the least mean squared error after SiLU.

    Args:
        values: what a convolution gives, [N].
        low: the smallest value that it gives.
        high: the largest, which is kept.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    exact = values * _sigmoid(values)

    def error(end: float) -> float:
        rounded = fake_quantize(values, end, high)
        # LOGISTIC has 256 fixed steps of its own.
        gate = np.clip(np.round(_sigmoid(rounded) * 256), 0, 255) / 256
        return float(np.mean(np.square(rounded * gate - exact)))

    return min((low, *(end for end in NEGATIVE_ENDS if end > low)), key=error)


def fake_quantize(values: Floats, low: float, high: float) -> Floats:
    """Round values to the 256 codes of a range that includes 0, as int8 will."""
    scale = (high - low) / 255 or 1.0  # a constant tensor is refused later, by its scale
    zero_point = np.clip(np.round(-128 - low / scale), -128, 127)
    codes = np.clip(np.round(values / scale) + zero_point, -128, 127)
    return np.asarray((codes - zero_point) * scale, np.float32)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-values)), np.float32)
