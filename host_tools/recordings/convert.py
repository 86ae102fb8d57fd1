"""From a recording's own numbers to the ADC units that a model was trained for."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.codegen.numerics import clipped_samples
from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings.channel import BARE, Channel, Values
from dynadeep.host_tools.recordings.record import Samples

INT16 = np.iinfo(np.int16)
RATE_TOLERANCE = 1e-4
"""Rates that differ by less are the same: a second in three hours."""
RATIO_MAX = 10_000
"""Of resampling, up or down: its filter is 20 times as long."""
FAR_FROM_ZERO_MV = 1.0
"""An ECG's median is nearer to 0 mV than this, unless its baseline is another."""
WARNED_SHARE = 0.01
"""Of clipped samples: the input maps are fitted to clip a few in a thousand."""
REFUSED_SHARE = 0.5
"""Of clipped samples, of a recording whose scale is a guess."""


@dataclass(frozen=True)
class Stated:
    """What the user says of recordings whose files do not."""

    gain: float | None = None  # ADC units per millivolt
    baseline: float | None = None  # ADC value at 0 mV
    unit: str | None = None  # "mV" or "adc"
    rate_hz: float | None = None
    channel: str | None = None  # name, or number from 0
    resample: bool = False  # to the model's rate

    def __post_init__(self) -> None:
        if (self.gain is None) != (self.baseline is None):
            raise EcgError("--gain and --baseline belong together: state both or none.")
        if self.gain is not None and not (np.isfinite(self.gain) and self.gain):
            raise EcgError(f"--gain is {self.gain:g}, expected ADC units per mV, other than 0.")
        if self.baseline is not None and not np.isfinite(self.baseline):
            raise EcgError(f"--baseline is {self.baseline:g}, expected the ADC value of 0 mV.")
        if self.unit == "mV" and self.gain is not None:
            raise EcgError("--unit mV needs no --gain and --baseline: leave them or --unit out.")
        if self.rate_hz is not None and not 0 < self.rate_hz < 1e6:
            raise EcgError(f"--rate is {self.rate_hz:g}, expected samples a second.")


@dataclass(frozen=True)
class Converted:
    """A signal, int16 [T], in the model's ADC units, and what to say of it."""

    samples: Samples
    remarks: tuple[str, ...]
    is_sure: bool  # whether its scale is known, not a guess


@dataclass(frozen=True)
class _Scale:
    """Numbers per millivolt and at 0 mV, and where that is known from."""

    gain: float
    baseline: float
    remark: str
    is_sure: bool = True


def convert(name: str, channel: Channel, stated: Stated, manifest: Manifest) -> Converted:
    """Bring a channel to the rate and the ADC units of a model.

    Raises:
        EcgError: what is stated contradicts the file, the rate is another and no resampling was
            asked for, or samples are missing, out of range or plainly of another scale.
        MissingDependencyError: scipy, which resampling needs, is not installed.
    """
    scale = _scale(name, channel, stated, manifest)
    rate_hz, rate_remark = _rate(name, channel, stated, manifest)
    values = channel.load()
    _refuse_missing(name, values)
    if (scale.gain, scale.baseline) == (manifest.adc_gain, manifest.adc_baseline):
        _refuse_fractions(name, values)
    else:
        values = (values - scale.baseline) / scale.gain
        values = values * manifest.adc_gain + manifest.adc_baseline
    if not _same_rate(rate_hz, manifest.rate_hz):
        values = resample(name, values, rate_hz, manifest.rate_hz)
    samples = _to_int16(name, values, manifest)
    return Converted(samples, (scale.remark, rate_remark, *channel.remarks), scale.is_sure)


def doubts(name: str, converted: Converted, manifest: Manifest) -> tuple[str, ...]:
    """Return warnings of a signal that lies elsewhere than the model expects.

    Raises:
        EcgError: most of it does, and its scale is a guess.
    """
    samples = converted.samples
    share = float(clipped_samples(samples, manifest.input_map)) / len(samples)
    median = float(np.median(samples))
    offset_mv = (median - manifest.adc_baseline) / manifest.adc_gain
    position = f"around {median:.0f}, {offset_mv:+.2f} mV in the model's ADC units"
    limits = input_limits(manifest)
    low, high = limits or (INT16.min, INT16.max)
    span = f"outside {low:.0f} to {high:.0f}, the model's input"
    if share > REFUSED_SHARE and not converted.is_sure:
        raise EcgError(
            f"{name}: {converted.remarks[0]}. Its samples then lie {position}, {share:.1%} of them "
            f"{span}. State --gain and --baseline or --unit mV, or --unit adc if it is right."
        )
    warnings = []
    if share > WARNED_SHARE:
        warnings.append(f"warning: {share:.1%} of its samples lie {span}, and are clipped")
    elif share > 0:
        warnings.append(f"{share:.2%} of its samples are clipped by the model's input")
    if abs(offset_mv) > FAR_FROM_ZERO_MV:
        warnings.append(f"warning: its samples lie {position}; is that its baseline?")
    return tuple(warnings)


def resample(name: str, values: Values, rate_hz: float, wanted_hz: float) -> Values:
    """Return values [T] at another rate, by a polyphase filter.

    Raises:
        EcgError: the two rates have no ratio of small whole numbers.
        MissingDependencyError: scipy is not installed.
    """
    try:
        from scipy.signal import resample_poly
    except ImportError as error:
        raise MissingDependencyError(
            "the Python package scipy is not installed; --resample needs it. "
            "Run: pip install 'dynadeep[ecg]'"
        ) from error
    ratio = Fraction(wanted_hz / rate_hz).limit_denominator(RATIO_MAX)
    if not 0 < ratio.numerator <= RATIO_MAX or not _same_rate(float(ratio) * rate_hz, wanted_hz):
        raise EcgError(
            f"{name}: {rate_hz:g} Hz cannot be resampled to {wanted_hz:g} Hz. "
            "Resample the recording with a tool for it."
        )
    middle = float(np.median(values))  # what lies beyond the ends counts as 0
    changed: Values = resample_poly(values - middle, ratio.numerator, ratio.denominator)
    return changed + middle


def input_limits(manifest: Manifest) -> tuple[float, float] | None:
    """Return the ADC values between which the input map clips nothing; None if it never does."""
    mapping = manifest.input_map
    if mapping.kind == "minmax":
        return None
    step = (1 << mapping.shift) / mapping.multiplier
    # A value is rounded to the nearest code, so each limit lies half a step beyond its own.
    return mapping.offset - 128.5 * step, mapping.offset + 127.5 * step


def _scale(name: str, channel: Channel, stated: Stated, manifest: Manifest) -> _Scale:
    if channel.unit != BARE:
        if stated.gain is not None or stated.unit is not None:
            raise EcgError(
                f"{name}: states its own scale. Leave --gain, --baseline and --unit out for it."
            )
        return _Scale(1.0, 0.0, "in mV by the file's own scale")
    if stated.unit == "mV":
        return _Scale(1.0, 0.0, "in mV, as stated")
    if stated.gain is not None and stated.baseline is not None:
        remark = f"{stated.gain:g} ADC units per mV, {stated.baseline:g} at 0 mV, as stated"
        return _Scale(stated.gain, stated.baseline, remark)
    if channel.default_scale is not None and stated.unit is None:
        return _Scale(*channel.default_scale, channel.default_remark, is_sure=False)
    units = f"{manifest.adc_gain:g} per mV, {manifest.adc_baseline} at 0 mV"
    if stated.unit == "adc":
        return _Scale(manifest.adc_gain, manifest.adc_baseline, f"the model's ADC units ({units})")
    remark = f"states no scale: taken as the model's ADC units ({units})"
    return _Scale(manifest.adc_gain, manifest.adc_baseline, remark, is_sure=False)


def _rate(name: str, channel: Channel, stated: Stated, manifest: Manifest) -> tuple[float, str]:
    """Return a channel's rate in Hz, and what to say of it."""
    model_hz = manifest.rate_hz
    if channel.rate_hz is None and stated.rate_hz is None:
        return model_hz, f"states no rate: taken as the model's {model_hz} Hz"
    rate_hz = channel.rate_hz if channel.rate_hz is not None else stated.rate_hz
    assert rate_hz is not None
    if stated.rate_hz is not None and not _same_rate(rate_hz, stated.rate_hz):
        raise EcgError(
            f"{name}: the file says {rate_hz:g} Hz, --rate {stated.rate_hz:g}. Leave --rate out."
        )
    if _same_rate(rate_hz, model_hz):
        return rate_hz, f"{rate_hz:g} Hz"
    if not stated.resample:
        raise EcgError(
            f"{name}: sampled at {rate_hz:g} Hz, the model needs {model_hz} Hz. "
            "Say --resample to have it resampled."
        )
    return rate_hz, f"resampled from {rate_hz:g} to {model_hz} Hz"


def _same_rate(first: float, second: float) -> bool:
    return abs(first - second) <= RATE_TOLERANCE * second


def _refuse_missing(name: str, values: Values) -> None:
    missing = ~np.isfinite(values)
    if missing.any():
        first = int(missing.argmax())
        raise EcgError(
            f"{name}: sample {first} ({values[first]:g}) is not a number (NaN or infinite), the "
            f"first of {int(missing.sum())} that are missing. Cut the recording around them."
        )


def _refuse_fractions(name: str, values: Values) -> None:
    wrong = values != np.round(values)
    if wrong.any():
        first = int(wrong.argmax())
        raise EcgError(
            f"{name}: sample {first} ({values[first]:g}) is not a whole ADC value. Say --unit mV "
            "if these are millivolts, or state --gain and --baseline."
        )


def _to_int16(name: str, values: Values, manifest: Manifest) -> Samples:
    rounded = np.round(values)
    wrong = (rounded < INT16.min) | (rounded > INT16.max)
    if wrong.any():
        first = int(wrong.argmax())
        raise EcgError(
            f"{name}: sample {first} is {rounded[first]:.0f} in the model's ADC units "
            f"({manifest.adc_gain:g} per mV, {manifest.adc_baseline} at 0 mV), which does not fit "
            "int16. State the recording's scale, or remove its offset."
        )
    return rounded.astype(np.int16)
