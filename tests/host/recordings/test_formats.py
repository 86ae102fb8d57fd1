"""NumPy and EDF files, other files, and what the user states of them."""

import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyedflib
import pytest

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings.convert import Stated, resample
from dynadeep.host_tools.recordings.read import read_record

ECG = (1024 + 100 * np.sin(np.arange(2100) / 9)).round().astype(np.int16)


def write_edf(path, labels, *, unit="uV", rate_hz=360, file_type=pyedflib.FILETYPE_EDFPLUS):
    with pyedflib.EdfWriter(str(path), len(labels), file_type=file_type) as writer:
        header = {"dimension": unit, "sample_frequency": rate_hz, "physical_min": -3276.8}
        header |= {"physical_max": 3276.7, "digital_min": -32768, "digital_max": 32767}
        writer.setSignalHeaders([{**header, "label": label} for label in labels])
        microvolts = (ECG - 1024.0) / 200 * 1000
        writer.writeSamples([microvolts[:1800].copy() for _ in labels])
    return path


@pytest.fixture
def manifest(make_manifest):
    return make_manifest(segment_length=500)


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
def test_an_edf_recording_is_brought_to_the_models_units(tmp_path, manifest, suffix):
    kind = {".edf": pyedflib.FILETYPE_EDFPLUS, ".bdf": pyedflib.FILETYPE_BDFPLUS}[suffix]
    path = write_edf(tmp_path / f"a{suffix}", ["Resp belt", "ECG II"], file_type=kind)
    record = read_record(path, manifest)
    assert np.array_equal(record.segments.reshape(-1)[:1800], ECG[:1800])
    assert record.remarks[0] == "channel 1 (ECG II) of 2"


@pytest.mark.parametrize("cut", [0, 100, 700, 4000])
def test_a_cut_off_edf_file_is_refused_in_one_line(tmp_path, manifest, capfd, cut):
    path = write_edf(tmp_path / "a.edf", ["ECG"])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(EcgError, match=r"not a readable EDF|empty"):
        read_record(path, manifest)
    assert capfd.readouterr() == ("", "")


def test_an_array_of_an_npz_is_chosen_by_its_name(tmp_path, manifest):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, ecg=ECG, resp=ECG * 0)
    assert read_record(path, manifest).remarks[0] == "channel 0 (ecg) of 2"
    assert np.array_equal(read_record(path, manifest).segments[0], ECG[:500])


@pytest.mark.parametrize("shape", ["rows", "columns"])
def test_a_table_of_two_channels_is_not_read_as_one(tmp_path, manifest, shape):
    table = np.stack([ECG, 2048 - ECG], axis=1)
    path = tmp_path / "a.npy"
    np.save(path, table if shape == "columns" else table.T)
    with pytest.raises(EcgError, match="2 channels, and no name"):
        read_record(path, manifest)
    record = read_record(path, manifest, Stated(channel="1"))
    assert np.array_equal(record.segments[0], 2048 - ECG[:500])


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_a_length_that_the_file_does_not_hold_is_refused(tmp_path, manifest, name):
    path = tmp_path / "a.npy"
    head = b"{'descr': '<i2', 'fortran_order': False, 'shape': (999999999999,), }\n"
    content = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(99)
    path.write_bytes(content)
    if name == "a.npz":
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("ecg.npy", content)
    with pytest.raises(EcgError, match="not a NumPy"):
        read_record(tmp_path / name, manifest)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path, manifest):
    for name in ("a.npy", "a.csv", "a.edf", "r.hea"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(Exception, match="not a regular file"):
            read_record(tmp_path / name, manifest)


def test_a_pipe_as_signal_file_is_refused_and_not_waited_for(tmp_path, manifest):
    (tmp_path / "r.hea").write_text("r 1 360 4000\nr.dat 16 200(1024)/mV 11 1024 0 0 0 II\n")
    os.mkfifo(tmp_path / "r.dat")
    with pytest.raises(Exception, match=r"r\.dat: not a regular file"):
        read_record(tmp_path / "r", manifest)


@pytest.mark.parametrize("name", ["a.mat", "a.h5", "a.xlsx", "a", "a.csv.gz"])
def test_a_format_that_the_kit_does_not_read_is_named(tmp_path, manifest, name):
    (tmp_path / name).write_bytes(b"1\n2\n")
    with pytest.raises(EcgError, match=r"does not read\. Give a WFDB record, \.edf"):
        read_record(tmp_path / name, manifest)


@pytest.mark.parametrize("package", ["wfdb", "pyedflib"])
def test_a_missing_package_is_a_sentence(tmp_path, manifest, monkeypatch, package):
    path = write_edf(tmp_path / "a.edf", ["ECG"])
    (tmp_path / "r.hea").write_text("r 1 360 4000\nr.dat 16 200(1024)/mV 11 1024 0 0 0 II\n")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf"{package} is not installed.*dynadeep\[ecg"):
        read_record(path if package == "pyedflib" else tmp_path / "r", manifest)


@pytest.mark.parametrize("name", ["", ".", "..", "/"])
def test_a_folder_is_refused_as_one(manifest, name):
    with pytest.raises(EcgError, match="a folder"):
        read_record(Path(name), manifest)


def test_twelve_bits_around_2048_do_not_pass_without_their_baseline(tmp_path, manifest):
    path = tmp_path / "a.npy"
    np.save(path, ECG + 1024)
    with pytest.raises(EcgError, match=r"lie around 2048, \+5.12 mV .* 100.0% of them"):
        read_record(path, manifest)
    record = read_record(path, manifest, Stated(gain=200, baseline=2048))
    assert np.array_equal(record.segments[0], ECG[:500])


def test_a_baseline_that_the_map_takes_is_warned_of(tmp_path, make_manifest):
    path = tmp_path / "a.npy"
    np.save(path, ECG + 1024)
    remarks = read_record(path, make_manifest("minmax", segment_length=500)).remarks
    assert remarks[-1].startswith("warning: its samples lie around 2048, +5.12 mV")


def test_what_is_in_the_models_units_is_taken_as_it_is_and_that_is_said(tmp_path, manifest):
    path = tmp_path / "a.npy"
    np.save(path, ECG)
    record = read_record(path, manifest)
    assert np.array_equal(record.segments[0], ECG[:500])
    assert "states no scale: taken as the model's ADC units (200 per mV, 1024 at 0 mV)" in (
        record.remarks
    )
    assert "states no rate: taken as the model's 360 Hz" in record.remarks


def test_the_share_of_clipped_samples_is_said(tmp_path, manifest):
    path = tmp_path / "a.npy"
    changed = ECG.copy()
    changed[:420] = 3000
    np.save(path, changed)
    assert read_record(path, manifest).remarks[-1] == (
        "warning: 20.0% of its samples lie outside 510 to 1534, the model's input, and are clipped"
    )


def test_a_value_beyond_the_models_int16_is_refused(tmp_path, manifest):
    path = tmp_path / "a.npy"
    np.save(path, np.where(np.arange(2100) == 17, 200.0, 0.0))
    with pytest.raises(EcgError, match="sample 17 is 41024 in the model's ADC units"):
        read_record(path, manifest, Stated(unit="mV"))


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({"gain": 200}, "belong together"),
        ({"baseline": 0}, "belong together"),
        ({"gain": 0, "baseline": 0}, "other than 0"),
        ({"gain": float("nan"), "baseline": 0}, "other than 0"),
        ({"gain": 200, "baseline": float("inf")}, "expected the ADC value"),
        ({"unit": "mV", "gain": 200, "baseline": 0}, "needs no --gain"),
        ({"rate_hz": 0}, "samples a second"),
        ({"rate_hz": -360}, "samples a second"),
        ({"rate_hz": float("nan")}, "samples a second"),
    ],
)
def test_what_is_stated_is_checked(stated, reason):
    with pytest.raises(EcgError, match=reason):
        Stated(**stated)


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({"unit": "mV"}, "states its own scale"),
        ({"gain": 200, "baseline": 0}, "states its own scale"),
        ({"rate_hz": 300}, "the file says 360 Hz, --rate 300"),
    ],
)
def test_what_contradicts_the_file_is_refused(tmp_path, manifest, stated, reason):
    path = write_edf(tmp_path / "a.edf", ["ECG"])
    with pytest.raises(EcgError, match=reason):
        read_record(path, manifest, Stated(**stated))


def test_a_stated_rate_is_held_against_the_models(tmp_path, manifest):
    path = tmp_path / "a.npy"
    np.save(path, ECG)
    with pytest.raises(EcgError, match="sampled at 250 Hz, the model needs 360 Hz"):
        read_record(path, manifest, Stated(rate_hz=250))
    record = read_record(path, manifest, Stated(rate_hz=250, resample=True))
    assert record.samples == 2100 * 360 // 250
    assert "resampled from 250 to 360 Hz" in record.remarks


def test_resampling_keeps_a_slow_wave_and_its_offset():
    time_s = np.arange(3600) / 360
    resampled = resample("r", 1024 + 100 * np.sin(2 * np.pi * time_s), 360, 300)
    expected = 1024 + 100 * np.sin(2 * np.pi * np.arange(3000) / 300)
    assert np.abs(resampled - expected)[50:-50].max() < 0.5


def test_a_rate_without_a_ratio_is_refused():
    with pytest.raises(EcgError, match="cannot be resampled"):
        resample("r", np.zeros(100), 1e-3, 360)


def test_another_lead_unit_is_brought_to_millivolts(tmp_path, manifest):
    volts = manifest.with_codec(adc_gain=1000.0, adc_baseline=0)
    path = tmp_path / "a.csv"
    path.write_text("ECG (V)\n" + "\n".join(f"{(n % 7) / 1000:.4f}" for n in range(600)))
    assert read_record(path, volts).segments[0, :8].tolist() == [
        0, 1000, 2000, 3000, 4000, 5000, 6000, 0
    ]  # fmt: skip
