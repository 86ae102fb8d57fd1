"""Decoding an archive: every segment at its place, gaps open, runs that go on where they were."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from dynadeep.codegen.bundle import ENCODER_TFLITE, MANIFEST, sha256_of, write_manifest
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.codec.decode import Decoder
from tests.caching import SMALL_BUNDLE

from . import decoding
from .decoding import BEGIN, MODEL, PERIOD, put, row, sent

pytestmark = pytest.mark.heavy  # decodes with onnxruntime

DAY = "day=2026-03-01"
T = decoding.MANIFEST.segment_length


@pytest.fixture
def decode(tmp_path, capsys):
    """Decode ``tmp_path/archive``; return the exit status and what was said."""

    def check(*options: str, out: str = "out", bundles: Path = SMALL_BUNDLE):
        status = run(
            ["decode", "--archive", str(tmp_path / "archive"), "--out", str(tmp_path / out),
             "--bundles", str(bundles), "--workers", "1", *options]
        )  # fmt: skip
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        assert "fault of the kit" not in printed.err
        return status, printed

    return check


@pytest.fixture
def archive(tmp_path) -> Path:
    """Twelve segments of one device, of which two are lost."""
    root = tmp_path / "archive"
    put(root, [row(i, "gap" if i == 4 else "packet", count=2 if i == 4 else 1)
               for i in range(12) if i != 5])  # fmt: skip
    return root


@pytest.fixture(scope="module")
def alone(request) -> np.ndarray:
    """The twelve segments, each decoded by itself; NaN where they are lost."""
    from dynadeep.codegen.bundle import read_bundle

    decoder = Decoder(read_bundle(SMALL_BUNDLE))
    segments = np.stack([decoder.decode(sent(i)) for i in range(12)])
    segments[4:6] = np.nan
    return segments


def ecg(out: Path, device: str = "a", day: str = DAY):
    return pq.read_table(out / "ecg" / f"device={device}" / day / "ecg.parquet")


def test_every_segment_is_decoded_at_its_place_and_gaps_stay(decode, archive, alone, tmp_path):
    status, printed = decode("--json", str(tmp_path / "report.json"))
    assert (status, printed.err) == (0, "")
    table = ecg(tmp_path / "out")
    assert table["kind"].to_pylist() == ["packet"] * 4 + ["gap"] + ["packet"] * 6
    for index, samples in zip(
        table["index"].to_pylist(), table["samples"].to_pylist(), strict=True
    ):
        if index == 4:
            assert samples is None
        else:
            assert np.array_equal(np.array(samples, np.float32), alone[index].astype(np.float32))
    assert table["time"].to_pylist()[6] == BEGIN + 7 * PERIOD
    units = json.loads(table.schema.metadata[b"dynadeep.models"])[f"{MODEL:08x}"]
    assert (units["adc_gain"], units["sample_rate_hz"]) == (1000, 300)
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["decoded"], report["lost"], report["days"]) == (10, 2, 1)


def millivolts(alone: np.ndarray) -> np.ndarray:
    manifest = decoding.MANIFEST
    return (alone.reshape(-1) - manifest.adc_baseline) / manifest.adc_gain


@pytest.mark.usefixtures("archive")
def test_wfdb_records_have_the_millivolts_the_time_and_the_gaps(decode, alone, tmp_path):
    import wfdb

    assert decode("--format", "wfdb")[0] == 0
    record = wfdb.rdrecord(str(tmp_path / "out" / "ecg" / "device=a" / DAY / "s0-0"))
    assert record.fs == decoding.MANIFEST.rate_hz
    assert record.base_datetime == BEGIN.replace(tzinfo=None)
    actual, expected = record.p_signal[:, 0], millivolts(alone)
    assert np.array_equal(np.isnan(actual), np.isnan(expected))
    assert np.nanmax(np.abs(actual - expected)) <= 0.51 / decoding.MANIFEST.adc_gain


@pytest.mark.usefixtures("archive")
def test_edf_has_the_millivolts_the_time_and_says_where_the_gaps_are(decode, alone, tmp_path):
    import edfio
    import pyedflib

    assert decode("--format", "edf")[0] == 0
    path = tmp_path / "out" / "ecg" / "device=a" / DAY / "s0-0.edf"
    edf = edfio.read_edf(path)
    assert edf.startdatetime == BEGIN.replace(tzinfo=None)
    assert [annotation.text for annotation in edf.annotations] == ["not received"] * 2
    seconds = PERIOD.total_seconds()
    assert [annotation.onset for annotation in edf.annotations] == pytest.approx(
        [4 * seconds, 12 * seconds]
    )
    assert edf.annotations[0].duration == pytest.approx(2 * seconds)
    gain, baseline = decoding.MANIFEST.adc_gain, decoding.MANIFEST.adc_baseline
    assert tuple(edf.signals[0].physical_range) == (  # to the digit: gain and offset are right
        (-32768 - baseline) / gain,
        (32767 - baseline) / gain,
    )
    with pyedflib.EdfReader(str(path)) as reader:  # another library's reading
        assert reader.getSampleFrequency(0) == decoding.MANIFEST.rate_hz
        actual = reader.readSignal(0)
    expected = millivolts(alone)
    there = ~np.isnan(expected)
    assert np.abs(actual[: len(expected)] - expected)[there].max() <= 0.51 / 1000


@pytest.mark.usefixtures("archive")
def test_npy_has_the_samples_and_says_what_they_mean(decode, alone, tmp_path):
    assert decode("--format", "npy")[0] == 0
    folder = tmp_path / "out" / "ecg" / "device=a" / DAY
    assert np.array_equal(
        np.load(folder / "s0-0.npy"), alone.astype(np.float32).reshape(-1), equal_nan=True
    )
    description = json.loads((folder / "s0-0.json").read_text())
    assert description["begin"] == BEGIN.isoformat()


def test_a_gap_of_more_than_an_hour_ends_a_record(decode, tmp_path):
    later = 4000 + int(3600 / PERIOD.total_seconds())
    put(tmp_path / "archive", [row(0), row(1), row(later)])
    assert decode("--format", "npy")[0] == 0
    folder = tmp_path / "out" / "ecg" / "device=a" / DAY
    lengths = {path.name: len(np.load(path)) for path in folder.glob("*.npy")}
    assert lengths == {"s0-0.npy": 2 * T, f"s0-{later}.npy": T}


def test_a_run_goes_on_where_it_was_and_takes_what_came_since(decode, tmp_path):
    root, out = tmp_path / "archive", tmp_path / "out"
    decoding.put_days(root, 3, 4)
    assert decode()[0] == 0
    written_at = {path: path.stat().st_mtime_ns for path in out.rglob("ecg.parquet")}
    shutil.rmtree(out / "ecg" / "device=a" / "day=2026-03-02")  # as if it had been cut off
    put(root, [row(7)], batch=2)
    status, printed = decode()
    assert status == 0
    assert "1 of these days were decoded by an earlier run" in printed.out
    same = [path.parent.name for path, at in written_at.items() if path.stat().st_mtime_ns == at]
    assert same == ["day=2026-03-03"]
    assert ecg(out)["index"].to_pylist() == [0, 1, 2, 3, 7]


def test_what_another_run_asked_for_is_not_replaced(decode, archive, tmp_path):
    assert decode()[0] == 0
    before = (tmp_path / "out/ecg/device=a" / DAY / "ecg.parquet").read_bytes()
    status, printed = decode("--format", "npy")
    assert status == 17
    assert "decoded with format parquet, asked for is npy" in printed.err
    assert (tmp_path / "out/ecg/device=a" / DAY / "ecg.parquet").read_bytes() == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    assert decode(out="other")[0] == 17
    assert decode(out="archive/out")[0] == 17


def test_times_and_devices_are_those_asked_for(decode, tmp_path):
    root = tmp_path / "archive"
    for device in ("a", "b"):
        decoding.put_days(root, 2, 6, device)
    first, end = BEGIN + 2 * PERIOD, BEGIN + 5 * PERIOD
    options = ["--from", first.isoformat(), "--to", end.isoformat(), "--device", "b"]
    assert decode(*options)[0] == 0
    assert [path.parts[-3:-1] for path in (tmp_path / "out").rglob("ecg.parquet")] == [
        ("device=b", DAY)
    ]
    assert ecg(tmp_path / "out", "b")["index"].to_pylist() == [2, 3, 4]
    assert decode("--device", "c", out="two")[0] == 17
    assert decode("--from", "yesterday", out="three")[0] == 2
    for beyond in ("0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"):
        status, printed = decode("--from", beyond, out="three")
        assert status == 2
        assert "is no time" in printed.err
    status, printed = decode("--from", "2026-03-01T10:00", "--to", "2026-03-01T08:00", out="three")
    assert status == 2
    assert "nothing lies between" in printed.err
    status, printed = decode("--device", "b", "--device", "b", out="three")
    assert status == 2
    assert "--device b is given twice" in printed.err
    status, printed = decode(
        "--to", "2026-03-01", out="three"
    )  # the day that begins then is not in it
    assert status == 17
    assert "holds no day" in printed.err


@pytest.fixture
def two_bundles(tmp_path) -> tuple[Path, int]:
    """A folder of the small bundle and of one whose encoder is another file; and its number."""
    folder = tmp_path / "bundles"
    shutil.copytree(SMALL_BUNDLE, folder / "one")
    shutil.copytree(SMALL_BUNDLE, folder / "two")
    model = folder / "two" / ENCODER_TFLITE
    model.write_bytes(model.read_bytes() + bytes(4))
    digest = sha256_of(model)
    files = decoding.MANIFEST.files | {ENCODER_TFLITE: digest}
    (folder / "two" / MANIFEST).unlink()
    write_manifest(
        folder / "two",
        dataclasses.replace(decoding.MANIFEST, model_id=digest[:16], files=files),
    )
    return folder, int(digest[:8], 16)


def test_each_packet_is_decoded_by_its_model_and_an_unknown_one_is_named(
    decode, two_bundles, tmp_path, alone
):
    folder, number = two_bundles
    manifest = dataclasses.replace(decoding.MANIFEST, model_id=f"{number:08x}00000000")
    mixed = [row(i) for i in range(3)]
    mixed += [row(i, model=number, packet=sent(i, manifest)) for i in (3,)]
    put(tmp_path / "archive", [*mixed, row(7, model=0xABCD)])
    status, printed = decode(bundles=folder)
    assert status == 12
    assert "1 packets are of model 0000abcd, of which there is no bundle" in printed.err
    table = ecg(tmp_path / "out")
    samples = table["samples"].to_pylist()
    assert np.array_equal(np.array(samples[:4], np.float32), alone[:4].astype(np.float32))
    assert samples[4] is None
    assert table["detail"].to_pylist()[4] == "no bundle of model 0000abcd"


def test_hostile_packets_and_files_are_left_out_and_counted(decode, tmp_path):
    root = tmp_path / "archive"
    hostile = [b"", b"\xdd" * 40, sent(2)[:-1], sent(3), sent(4) + b"x"]
    rows = [row(i, packet=data, level=9) for i, data in enumerate(hostile)]
    put(root, [*rows, row(3), row(5, "bad_packet", detail="no CRC")])
    folder = root / "device=a" / DAY
    (folder / "0000000009-0000000009.parquet").write_bytes(b"PAR1 and nothing else")
    status, printed = decode("--json", str(tmp_path / "report.json"))
    assert status == 17
    assert "1 files or folders were left out, the first:" in printed.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["decoded"], report["wrong"], report["repeated"]) == (1, 5, 1)


@pytest.mark.usefixtures("archive")
def test_two_workers_write_the_bytes_of_one(decode, tmp_path):
    decoding.put_days(tmp_path / "archive", 3, 5, "b")
    assert decode()[0] == 0
    assert decode("--workers", "2", out="two")[0] == 0
    files = sorted((tmp_path / "out").rglob("ecg.parquet"))
    assert len(files) == 4
    for path in files:
        twin = tmp_path / "two" / path.relative_to(tmp_path / "out")
        assert twin.read_bytes() == path.read_bytes()


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own, within Ray
@pytest.mark.usefixtures("archive")
def test_ray_writes_the_bytes_of_local(decode, tmp_path):
    decoding.put_days(tmp_path / "archive", 3, 5, "b")
    assert decode()[0] == 0
    status, printed = decode("--engine", "ray", "--workers", "2", out="ray")
    assert status == 0, printed.err
    for path in sorted((tmp_path / "out").rglob("ecg.parquet")):
        twin = tmp_path / "ray" / path.relative_to(tmp_path / "out")
        assert twin.read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("archive")
def test_options_that_would_be_ignored_are_refused(decode, tmp_path):
    for options, message in (
        (["--address", "auto"], "--engine ray"),
        (["packets.bin"], "PACKETS"),
        (["--bundle", "x"], "for --bundle:"),
    ):
        status, printed = decode(*options)
        assert status == 2
        assert message in printed.err + " "
    assert run(["decode", "packets.bin", "--out", "x.npy", "--format", "edf"]) == 2
    assert run(["decode", "--out", "x.npy"]) == 2
