"""The network's real-valued input map as the three integers that the board works with."""

from typing import Protocol

from dynadeep.codegen.bundle import LARGEST_SHIFT, MULTIPLIER_BITS, InputMap
from dynadeep.export.errors import ExportError

CODES_PER_UNIT = 128
"""int8 codes per unit of x in the affine map: x in [-1, 1) covers all of int8."""


class RealMap(Protocol):
    """What a checkpoint says: x = (adc - offset) / scale, or each window on [0, 1]."""

    @property
    def kind(self) -> str:
        """``affine`` or ``minmax``."""
        ...

    @property
    def offset(self) -> float:
        """The ADC value of x = 0."""
        ...

    @property
    def scale(self) -> float:
        """ADC units per x."""
        ...


def integer_map(real: RealMap) -> InputMap:
    """Return the integers nearest to a real map: multiplier / 2**shift is about 128 / scale.

    Raises:
        ExportError: the offset is no int16 ADC value, or the scale is out of range.
    """
    if real.kind == "minmax":
        return InputMap("minmax")
    if real.kind != "affine":
        raise ExportError(f"input map is {real.kind!r}: the board has affine and minmax.")
    offset = round(real.offset)
    if offset != real.offset or not -(1 << 15) <= offset < 1 << 15:
        raise ExportError(
            f"input map: offset {real.offset} is not a whole int16 ADC value. Train with one."
        )
    shift = _largest_shift(real.scale)
    return InputMap("affine", offset, _multiplier(real.scale, shift), shift)


def _largest_shift(scale: float) -> int:
    fitting = [
        shift
        for shift in range(1, LARGEST_SHIFT + 1)
        if scale > 0 and 1 <= _multiplier(scale, shift) < 1 << MULTIPLIER_BITS
    ]
    if not fitting:
        raise ExportError(
            f"input map: scale {scale} ADC units cannot be written as a {MULTIPLIER_BITS} bit "
            "multiplier and a shift. Train with a scale between 1 and 2**23."
        )
    return fitting[-1]


def _multiplier(scale: float, shift: int) -> int:
    return round(CODES_PER_UNIT * (1 << shift) / scale)
