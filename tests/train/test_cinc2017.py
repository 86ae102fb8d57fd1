import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import wfdb

from dynadeep.train.data import cinc2017, excerpt, problems, wfdb_files
from dynadeep.train.data.cinc2017 import Parts, Record
from dynadeep.train.data.wfdb_files import Samples
from dynadeep.train.errors import DataError

needs_database = pytest.mark.skipif(
    "DYNADEEP_DATA" not in os.environ, reason="DYNADEEP_DATA names no database"
)


def noise(seed: int = 0, length: int = 9000) -> Samples:
    return np.random.default_rng(seed).normal(0, 200, length).astype(np.int16)


def write_record(
    folder: Path, name: str, samples: Samples, *, rate_hz: int = 300, units_per_mv: int = 1000
) -> None:
    """Write a record in the database's own form."""
    signal = f"{name}.mat 16+24 {units_per_mv}/mV 16 0 {samples[0]} 0 0 ECG "
    header = f"{name} 1 {rate_hz} {len(samples)} 05:05:15 1/05/2000 \n{signal}\n"
    (folder / f"{name}.hea").write_text(header)
    (folder / f"{name}.mat").write_bytes(bytes(24) + samples.astype("<i2").tobytes())


def write_database(folder: Path, records: dict[str, Samples], labels: Sequence[str] = ()) -> None:
    for name, samples in records.items():
        write_record(folder, name, samples)
    pairs = zip(records, labels or ["N"] * len(records), strict=True)
    rows = [f"{name},{label}\n" for name, label in pairs]
    (folder / cinc2017.REFERENCE).write_text("".join(rows))


def write_noises(folder: Path, count: int) -> None:
    write_database(folder, {f"A{i:05}": noise(i) for i in range(1, count + 1)})


def names(records: Sequence[Record]) -> list[str]:
    return [record.name for record in records]


@pytest.fixture(scope="module")
def database() -> cinc2017.Split:
    """The whole database as published, with nothing skipped."""
    return cinc2017.read_split(cinc2017.find_folder())


@needs_database
def test_published_test_records_are_reproduced(database: cinc2017.Split) -> None:
    assert Counter(r.label for r in database.test) == {"N": 360, "O": 178, "A": 53, "~": 11}
    assert names(database.test)[:8] == [
        "A01752", "A07003", "A04976", "A08023", "A05574", "A07706", "A08005", "A05829",
    ]  # fmt: skip


@needs_database
def test_published_training_records_are_reproduced(database: cinc2017.Split) -> None:
    published = (*database.train, *database.holdout)
    assert Counter(r.label for r in published) == {"N": 3352, "O": 1485, "A": 454, "~": 112}


@needs_database
def test_holdout_is_the_last_900_of_the_published_training_records(
    database: cinc2017.Split,
) -> None:
    assert (len(database.train), len(database.holdout)) == (4503, 900)
    assert Counter(r.label for r in database.holdout) == {"N": 559, "O": 258, "A": 72, "~": 11}
    assert names(database.train)[:3] == ["A03515", "A03700", "A04324"]
    assert names(database.holdout)[:3] == ["A02191", "A02350", "A07672"]


@needs_database
def test_heads_are_fitted_on_nine_tenths_of_training_and_stopped_by_the_last(
    database: cinc2017.Split,
) -> None:
    assert (*database.fitted, *database.watched) == database.train
    assert len(database.watched) == 451


@needs_database
def test_extra_records_are_of_other_lengths_and_on_no_side(database: cinc2017.Split) -> None:
    lengths = np.array([len(r.samples) for r in database.extra])
    sides = {*names(database.train), *names(database.holdout), *names(database.test)}
    assert len(database.extra) == 2273
    assert not (lengths // 256 == 35).any()
    assert not sides & set(names(database.extra))


@needs_database
def test_mean_and_deviation_are_the_published_ones(database: cinc2017.Split) -> None:
    adc = cinc2017.cut((*database.train, *database.holdout))
    assert adc.mean(dtype=np.float64) == pytest.approx(cinc2017.MEAN, abs=5e-6)
    assert adc.std(dtype=np.float64) == pytest.approx(cinc2017.STD, abs=5e-6)
    first = (cinc2017.cut(database.test[:2])[:, :3] - cinc2017.MEAN) / cinc2017.STD
    assert first[0] == pytest.approx([-1.298051, -1.5587167, -1.8235866], abs=1e-6)
    assert first[1, 0] == pytest.approx(-0.07460427, abs=1e-7)


@needs_database
def test_real_records_are_all_usable(database: cinc2017.Split) -> None:
    assert database.problems == ()


@needs_database
def test_known_copies_are_trained_on(database: cinc2017.Split) -> None:
    assert {"A00227", "A01176", "A02656", "A03123"} <= set(names(database.train))


@needs_database
def test_excerpt_is_the_database_unchanged() -> None:
    for path in cinc2017.SAMPLE_FOLDER.glob("A*"):
        if path.suffix in (".hea", ".mat"):
            assert path.read_bytes() == (cinc2017.find_folder() / path.name).read_bytes()


@needs_database
def test_excerpt_holds_published_test_records_only(database: cinc2017.Split) -> None:
    records, _ = cinc2017.read_records(cinc2017.SAMPLE_FOLDER)
    labels = {record.name: record.label for record in database.test}
    assert all(labels[record.name] == record.label for record in records)


def test_excerpt_holds_records_of_every_class() -> None:
    records, bad = cinc2017.read_records(cinc2017.SAMPLE_FOLDER)
    assert Counter(r.label for r in records) == excerpt.RECORDS_OF_CLASS
    assert bad == ()


def test_excerpt_is_parted_in_three_without_overlap() -> None:
    split = cinc2017.read_split(cinc2017.SAMPLE_FOLDER, parts=cinc2017.SAMPLE)
    sides = [split.train, split.holdout, split.test]
    assert [len(side) for side in sides] == [8, 8, 8]
    assert len({r.name for side in sides for r in side}) == 24


def test_excerpt_can_be_made_again_from_itself(tmp_path: Path) -> None:
    excerpt.write_cinc2017(cinc2017.SAMPLE_FOLDER, tmp_path, parts=Parts(24, 24, 0))
    written = {path.name for path in tmp_path.iterdir()}
    committed = {path.name for path in cinc2017.SAMPLE_FOLDER.iterdir()}
    assert committed - written == {"ATTRIBUTION.md"}
    for name in written:
        assert (tmp_path / name).read_bytes() == (cinc2017.SAMPLE_FOLDER / name).read_bytes()


def test_quick_reading_gives_what_wfdb_gives() -> None:
    for record in cinc2017.read_records(cinc2017.SAMPLE_FOLDER)[0]:
        slow = wfdb_files.read_recording(cinc2017.SAMPLE_FOLDER / record.name)
        np.testing.assert_array_equal(record.samples, slow.samples)


def test_record_in_another_form_is_read_by_wfdb(tmp_path: Path) -> None:
    write_database(tmp_path, {"A00001": noise()})
    wfdb.wrsamp(
        "A00001",
        fs=300,
        units=["mV"],
        sig_name=["I"],
        d_signal=noise(5).astype(np.int64)[:, None],
        fmt=["16"],
        adc_gain=[1000.0],
        baseline=[0],
        write_dir=str(tmp_path),
    )
    (record,), _ = cinc2017.read_records(tmp_path)
    np.testing.assert_array_equal(record.samples, noise(5))


def test_only_records_of_35_steps_are_on_a_side(tmp_path: Path) -> None:
    lengths = (8959, 8960, 9215, 9216)
    write_database(tmp_path, {f"A0000{i}": noise(i, n) for i, n in enumerate(lengths)})
    split = cinc2017.read_split(tmp_path, parts=Parts(4, 0, 0))
    assert sorted(len(r.samples) for r in split.train) == [8960, 9215]
    assert sorted(len(r.samples) for r in split.extra) == [8959, 9216]


def test_test_rows_of_other_lengths_are_left_out(tmp_path: Path) -> None:
    write_database(tmp_path, {"A00001": noise(length=8000)})
    split = cinc2017.read_split(tmp_path, parts=Parts(1, 1, 0))
    assert (split.test, split.extra) == ((), ())


def test_reading_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    import random

    write_noises(tmp_path, 3)
    before = random.getstate()
    cinc2017.read_split(tmp_path, parts=Parts(3, 1, 1))
    assert random.getstate() == before


def damage(folder: Path, kind: str) -> None:
    """Damage the record A00002 of a database."""
    samples = noise(2)
    if kind == "nan":
        samples[100:103] = -32768
    elif kind == "flat":
        samples[500:800] = 7
    elif kind == "saturated":
        samples = samples.clip(-300, 300)
    elif kind == "short":
        samples = samples[:255]
    write_record(
        folder,
        "A00002",
        samples,
        rate_hz=250 if kind == "rate" else 300,
        units_per_mv=200 if kind == "scale" else 1000,
    )
    if kind == "unreadable":
        (folder / "A00002.mat").write_bytes(b"cut off")
    if kind == "label":
        (folder / cinc2017.REFERENCE).write_text("A00001,N\nA00002,X\nA00003,N\n")


BAD = {
    "unreadable": "A00002: .*A00002: not a readable WFDB record",
    "label": "A00002: label 'X' is none of A, N, O, ~",
    "rate": "A00002: sampled at 250 Hz, not 300",
    "scale": "A00002: 200 ADC units per mV and 0 at 0 mV, not 1000 and 0",
    "short": "A00002: 255 samples, one step needs 256",
    "nan": r"A00002: 3 invalid samples \(NaN\), the first at 100",
    "flat": r"A00002: flat for 300 samples \(1\.00 s\)",
    "saturated": r"A00002: 1\d\.\d% of the samples at the extremes",
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_record_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    write_noises(tmp_path, 3)
    damage(tmp_path, kind)
    with pytest.raises(DataError, match=f"^1 of 3 records cannot be used: {BAD[kind]}"):
        cinc2017.read_split(tmp_path, parts=Parts(3, 1, 1))


@pytest.mark.parametrize("kind", BAD)
def test_bad_record_is_skipped_and_counted_if_asked(tmp_path: Path, kind: str) -> None:
    write_noises(tmp_path, 3)
    damage(tmp_path, kind)
    records, bad = cinc2017.read_records(tmp_path, on_bad="skip")
    assert names(records) == ["A00001", "A00003"]
    assert problems.count_kinds(bad) == {kind: 1}


def test_every_kind_of_problem_is_tested() -> None:
    from typing import get_args

    assert {*BAD, "duplicate"} == set(get_args(problems.Kind))


@pytest.mark.parametrize("kind", BAD)
def test_skipping_moves_no_other_record(tmp_path: Path, kind: str) -> None:
    write_noises(tmp_path, 9)
    parts = Parts(9, 3, 3)
    whole = cinc2017.read_split(tmp_path, parts=parts)
    reference = (tmp_path / cinc2017.REFERENCE).read_text()
    damage(tmp_path, kind)
    if kind == "label":
        (tmp_path / cinc2017.REFERENCE).write_text(reference.replace("A00002,N\n", ""))
    split = cinc2017.read_split(tmp_path, parts=parts, on_bad="skip")
    for side in ("train", "holdout", "test"):
        expected = [name for name in names(getattr(whole, side)) if name != "A00002"]
        assert names(getattr(split, side)) == expected
    assert [problem.record for problem in split.problems] == ["A00002"]


@pytest.mark.parametrize("row", ["", "A00002\n", "A00002,\n"])
def test_record_without_a_label_is_named(tmp_path: Path, row: str) -> None:
    write_noises(tmp_path, 2)
    (tmp_path / cinc2017.REFERENCE).write_text(f"A00001,N\n{row}")
    with pytest.raises(DataError, match=r"A00002: no label in REFERENCE-v3\.csv"):
        cinc2017.read_records(tmp_path)


def test_labelled_record_without_files_is_named(tmp_path: Path) -> None:
    write_noises(tmp_path, 2)
    (tmp_path / "A00002.hea").unlink()
    with pytest.raises(DataError, match=r"A00002: .*A00002\.hea: no such record"):
        cinc2017.read_records(tmp_path)


@pytest.mark.parametrize("header", ["", "A00001 1 300 9000\n", "not a header\n", "\xff"])
def test_damaged_header_is_named(tmp_path: Path, header: str) -> None:
    write_noises(tmp_path, 1)
    (tmp_path / "A00001.hea").write_text(header, encoding="latin-1")
    with pytest.raises(DataError, match=r"A00001: .*not a readable WFDB record"):
        cinc2017.read_records(tmp_path)


@pytest.mark.parametrize("suffix", [".hea", ".mat"])
def test_a_pipe_is_named_and_not_waited_for(tmp_path: Path, suffix: str) -> None:
    write_noises(tmp_path, 1)
    (tmp_path / f"A00001{suffix}").unlink()
    os.mkfifo(tmp_path / f"A00001{suffix}")
    with pytest.raises(DataError, match=r"A00001: .*not a regular file"):
        cinc2017.read_records(tmp_path)


def test_many_bad_records_are_named_and_counted(tmp_path: Path) -> None:
    write_database(tmp_path, {f"A{i:05}": np.zeros(9000, np.int16) for i in range(12)})
    with pytest.raises(DataError, match=r"^12 of 12 records.*A00009: flat.*; and 2 more"):
        cinc2017.read_records(tmp_path)


def test_unknown_flag_is_refused_with_the_choices(tmp_path: Path) -> None:
    write_noises(tmp_path, 1)
    with pytest.raises(DataError, match="'ignore': choose one of refuse, skip"):
        cinc2017.read_records(tmp_path, on_bad="ignore")  # type: ignore[arg-type]


def test_copies_on_two_sides_are_refused_by_name(tmp_path: Path) -> None:
    write_database(tmp_path, {"A00001": noise(), "A00002": noise()})
    with pytest.raises(DataError, match=r"A0000\d: the same samples as A0000\d of test"):
        cinc2017.read_split(tmp_path, parts=Parts(2, 1, 0))


def test_copy_of_a_holdout_record_is_not_trained_on_if_skipped(tmp_path: Path) -> None:
    write_database(tmp_path, {"A00001": noise(), "A00002": noise()})
    split = cinc2017.read_split(tmp_path, parts=Parts(2, 0, 1), on_bad="skip")
    assert (len(split.holdout), len(split.train)) == (1, 0)
    assert [problem.kind for problem in split.problems] == ["duplicate"]


def test_longer_recording_that_starts_as_a_test_record_is_a_copy(tmp_path: Path) -> None:
    write_database(tmp_path, {"A00001": noise(length=9000), "A00002": noise(length=8000)})
    write_record(tmp_path, "A00002", np.concatenate([noise(length=9000), noise(3)]))
    orders = [Parts(2, 0, 0), Parts(2, 0, 2)]
    train, holdout = (cinc2017.read_split(tmp_path, parts=p, on_bad="skip") for p in orders)
    assert (len(train.train), len(train.extra)) == (1, 1)
    assert (len(holdout.holdout), len(holdout.extra)) == (1, 0)


def test_copies_on_one_side_stay(tmp_path: Path) -> None:
    write_database(tmp_path, {"A00001": noise(), "A00002": noise()})
    assert len(cinc2017.read_split(tmp_path, parts=Parts(2, 0, 0)).train) == 2


def test_incomplete_database_is_refused(tmp_path: Path) -> None:
    write_noises(tmp_path, 3)
    with pytest.raises(DataError, match="3 records, the split is of 8528"):
        cinc2017.read_split(tmp_path)


def test_missing_labels_file_is_named(tmp_path: Path) -> None:
    write_noises(tmp_path, 1)
    (tmp_path / "REFERENCE-v3.csv").rename(tmp_path / "REFERENCE.csv")
    with pytest.raises(DataError, match=r"REFERENCE-v3\.csv: missing.*physionet\.org"):
        cinc2017.read_split(tmp_path)


def test_labels_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / cinc2017.REFERENCE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"REFERENCE-v3\.csv: cannot be read"):
        cinc2017.read_records(tmp_path)


def test_folder_may_be_the_database_or_the_one_that_holds_it(tmp_path: Path) -> None:
    shutil.copytree(cinc2017.SAMPLE_FOLDER, tmp_path / "cinc2017")
    assert cinc2017.find_folder(tmp_path) == cinc2017.find_folder(tmp_path / "cinc2017")


def test_short_record_cannot_be_cut() -> None:
    with pytest.raises(DataError, match="A1: 8959 samples, a cut record has 8960"):
        cinc2017.cut([Record("A1", "N", noise(length=8959))])


def test_no_records_are_cut_to_none() -> None:
    assert cinc2017.cut([]).shape == (0, 8960)


def test_labels_are_numbers_of_the_sorted_classes() -> None:
    records = [Record("A1", label, noise(length=1)) for label in "NA~O"]
    assert cinc2017.labels(records).tolist() == [1, 0, 3, 2]


def test_segments_repeat_the_last_sample() -> None:
    adc = np.arange(8960, dtype=np.int16)[None]
    cut = cinc2017.segments(adc)
    assert (cut.shape, cut.dtype) == ((1, 5, 2000), np.int16)
    np.testing.assert_array_equal(cut.reshape(-1)[:8960], adc[0])
    assert set(cut.reshape(-1)[8960:]) == {8959}


def serve(archive: dict[str, bytes] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let wfdb download an archive of these files, or something that is none."""

    def dl_files(_database: str, folder: str, _names: list[str]) -> None:
        if archive is None:
            (Path(folder) / cinc2017.ARCHIVE).write_bytes(b"not found")
            return
        with zipfile.ZipFile(Path(folder) / cinc2017.ARCHIVE, "w") as packed:
            for name, content in archive.items():
                packed.writestr(name, content)
        (Path(folder) / cinc2017.REFERENCE).write_text("A00001,N\n")

    monkeypatch.setattr(wfdb, "dl_files", dl_files)


def test_download_unpacks_records_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = cinc2017.SAMPLE_FOLDER / "A01752"
    content = {
        f"training2017/A01752{x}": record.with_suffix(x).read_bytes() for x in (".hea", ".mat")
    }
    serve({**content, "training2017/RECORDS": b"", "../../A1.hea": b""}, monkeypatch)
    folder = cinc2017.download(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [
        "A01752.hea",
        "A01752.mat",
        "REFERENCE-v3.csv",
    ]


def test_download_of_something_else_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(None, monkeypatch)
    with pytest.raises(DataError, match=r"CinC 2017 could not be downloaded .*not a zip file"):
        cinc2017.download(tmp_path)


def test_failed_download_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(wfdb, "dl_files", refuse)
    with pytest.raises(DataError, match="could not be downloaded"):
        cinc2017.download(tmp_path)
