"""Each small recording of ../cases, by name, with the right value or the clear refusal."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dynadeep.codegen.errors import DynadeepError
from dynadeep.host_tools.recordings.convert import Stated
from dynadeep.host_tools.recordings.read import read_record

CASES = Path(__file__).parents[1] / "cases"
WFDB, TEXT = CASES / "wfdb", CASES / "text"
FIRST = [1008, 993, 1007, 1006]
"""How the ECG begins in units of 200 per mV, 1024 at 0 mV, the ADC units of the model here."""


@pytest.fixture(scope="module")
def original() -> np.ndarray:
    """The ECG that most WFDB cases hold in one form or another, int16 [4000]."""
    return np.fromfile(WFDB / "f16.dat", "<i2")


@pytest.fixture
def samples_of(make_manifest):
    def read(path: Path, **stated) -> np.ndarray:
        record = read_record(path, make_manifest(), Stated(**stated))
        return record.segments.reshape(-1)[: record.samples]

    return read


@pytest.fixture
def refusal_of(make_manifest):
    def read(path: Path, **stated) -> str:
        with pytest.raises(DynadeepError) as caught:
            read_record(path, make_manifest(), Stated(**stated))
        assert caught.value.exit_status == 2
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return read


@pytest.mark.parametrize(
    "name",
    ["g1000", "negbase", "uV", "f24", "f32", "flac24", "badinit", "mseg", "mgain", "mvarg"],
)
def test_one_ecg_in_any_scale_is_the_same_in_the_models_units(samples_of, original, name):
    samples = samples_of(WFDB / name)
    if name not in {"mseg", "mgain", "mvarg"}:
        assert np.array_equal(samples, original)
    assert samples[:4].tolist() == FIRST


def test_segments_of_different_gains_are_brought_to_one(samples_of):
    """Both halves are one signal: at 200 per mV throughout, and at 200 and then 400 per mV."""
    plain = samples_of(WFDB / "mseg")
    assert np.abs(samples_of(WFDB / "mgain") - plain).max() <= 1
    assert np.array_equal(samples_of(WFDB / "mgain"), samples_of(WFDB / "mvarg"))


def test_a_negative_gain_turns_the_signal_over(samples_of, original):
    assert np.array_equal(samples_of(WFDB / "invert"), 2 * 1024 - original)


def test_eight_bit_differences_are_the_ecg_at_their_own_resolution(samples_of, original):
    """25 units per mV: a unit is 8 of the model's, and steps beyond 127 of them are cut."""
    samples = samples_of(WFDB / "f8")
    assert len(samples) == len(original)
    assert np.median(np.abs(samples - original)) <= 8


def test_a_record_without_gain_takes_wfdbs_default_and_says_so(refusal_of):
    """200 per mV and 0 at 0 mV put this one at 5 mV, where the model's input ends."""
    line = refusal_of(WFDB / "gainless")
    assert "+5.10 mV" in line
    assert "100.0% of them outside 510 to 1534" in line
    assert "default of 200 ADC units per mV" in line


def test_a_record_without_gain_takes_the_one_that_is_stated(samples_of, original):
    samples = samples_of(WFDB / "gainless", gain=200, baseline=1024)
    assert np.array_equal(samples, original)


def test_wfdbs_default_gain_is_said_of_a_record_that_fits_it(make_manifest):
    manifest = make_manifest("minmax").with_codec(adc_baseline=0)
    remarks = read_record(WFDB / "gainless", manifest).remarks
    assert any("WFDB's default of 200 ADC units per mV" in remark for remark in remarks)
    assert any(remark.startswith("warning: its samples lie around 1020") for remark in remarks)


def test_the_ecg_is_taken_and_not_the_respiration_and_that_is_said(make_manifest):
    record = read_record(WFDB / "resp", make_manifest())
    assert record.segments[0, :4].tolist() == FIRST
    assert "channel 1 (II) of 2" in record.remarks


@pytest.mark.parametrize("channel", ["0", "RESP", "resp"])
def test_a_respiration_is_refused_even_if_it_is_named(refusal_of, channel):
    assert "is in NU, which is no voltage" in refusal_of(WFDB / "resp", channel=channel)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mgap", "sample 2000 (nan) is not a number (NaN or infinite), the first of 500"),
        ("mvar", "sample 2000 (nan) is not a number (NaN or infinite), the first of 500"),
        ("mlay", "holds no samples"),
        ("self", "joins segments itself"),
        ("hugelen", "declares 999999999999 samples"),
        ("badsum", "sum up to 50568, the checksum in its header is 50569"),
        ("own300", "sampled at 300 Hz, the model needs 360 Hz. Say --resample"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused_with_the_reason(refusal_of, name, reason):
    assert reason in refusal_of(WFDB / name)


def test_a_record_is_held_against_the_models_rate_whichever_that_is(make_manifest):
    of_300_hz = replace(make_manifest(), sample_rate_hz=300).with_codec(
        adc_gain=1000.0, adc_baseline=0
    )
    record = read_record(WFDB / "own300", of_300_hz)
    raw = np.fromfile(WFDB / "own300.dat", "<i2")
    assert np.array_equal(record.segments.reshape(-1), raw)
    with pytest.raises(DynadeepError, match="sampled at 360 Hz, the model needs 300 Hz"):
        read_record(WFDB / "own360", of_300_hz)


def test_resampling_keeps_the_duration(samples_of):
    samples = samples_of(WFDB / "own300", resample=True)
    assert len(samples) == math.ceil(4000 * 360 / 300)


@pytest.mark.parametrize("name", ["bom.csv", "header.csv", "rdsamp.txt", "semicolon.csv"])
def test_a_text_file_of_any_dialect_has_its_2200_samples(samples_of, name):
    samples = samples_of(TEXT / name)
    assert len(samples) == 2200
    assert samples[:4].tolist() == [1198, 1197, 1200, 1197]


def test_columns_without_names_are_refused_until_one_is_named(refusal_of, samples_of):
    assert "2 channels" in refusal_of(TEXT / "two_leads.csv")
    first = samples_of(TEXT / "two_leads.csv", channel="0")
    assert first[:4].tolist() == [1198, 1197, 1200, 1197]
    assert len(first) == 2200
    second = samples_of(TEXT / "two_leads.csv", channel="1", gain=-200, baseline=-1024)
    assert np.array_equal(second, first)


def test_a_comma_that_may_be_decimal_or_not_is_refused(refusal_of):
    line = refusal_of(TEXT / "comma_decimal.csv")
    assert "'1,198' may be one number with a decimal comma, or two" in line


def test_millivolts_are_refused_as_adc_values_and_taken_when_stated(refusal_of, samples_of):
    assert "Say --unit mV" in refusal_of(TEXT / "mV.csv")
    samples = samples_of(TEXT / "mV.csv", unit="mV")
    assert samples[:4].tolist() == [1198, 1197, 1200, 1197]
    assert len(samples) == 2200


def test_every_case_is_held_to_a_right_value_here():
    """What no test above names is a part of a record that is, or the one that has no fault."""
    text = Path(__file__).read_text(encoding="utf-8")
    parts = {"sg0", "sg1", "sh1"}
    names = {path.stem for path in WFDB.glob("*.hea")} - parts
    names |= {path.name for path in TEXT.iterdir()}
    assert [name for name in sorted(names) if f'"{name}"' not in text] == []
