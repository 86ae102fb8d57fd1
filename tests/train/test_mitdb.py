import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import wfdb

from dynadeep.train.data import augment, cinc2017, excerpt, mitdb
from dynadeep.train.errors import DataError


def write_record(folder: Path, signal: list[int], *, rate_hz: int = 360) -> None:
    wfdb.wrsamp(
        "900",
        fs=rate_hz,
        units=["mV"],
        sig_name=["MLII"],
        d_signal=np.array(signal, dtype=np.int64)[:, None],
        fmt=["212"],
        adc_gain=[200.0],
        baseline=[1024],
        write_dir=str(folder),
    )


def test_no_patient_is_on_both_sides_of_the_default_split() -> None:
    assert not set(mitdb.DS1) & set(mitdb.DS2)
    assert {"201", "202"} <= set(mitdb.DS1)


def test_default_split_is_de_chazals_but_for_202() -> None:
    assert (len(mitdb.DS1), len(mitdb.DS2), len(mitdb.ALL_RECORDS)) == (23, 21, 48)


def test_excerpt_holds_ten_windows_of_every_record_of_the_split() -> None:
    split = mitdb.read_split(mitdb.SAMPLE_FOLDER, "patient")
    assert (split.train.shape, split.test.shape) == ((230, 2000), (210, 2000))


def test_samples_are_raw_adc_units() -> None:
    signal = mitdb.read_record(mitdb.SAMPLE_FOLDER, "101")
    assert (signal.dtype, len(signal), signal[:5].tolist()) == (
        np.dtype(np.int16),
        20_000,
        [955, 955, 955, 955, 955],
    )


def test_windows_follow_each_other_without_overlap() -> None:
    windows = mitdb.cut_windows(np.arange(7, dtype=np.int16), length=3)
    assert windows.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_published_split_draws_a_fifth_of_the_windows_and_repeats_with_the_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mitdb, "ALL_RECORDS", mitdb.DS1[:4])
    first, again, other = (
        mitdb.read_split(mitdb.SAMPLE_FOLDER, "published", seed=seed) for seed in (1, 1, 2)
    )
    assert len(first.test) == 8
    np.testing.assert_array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


def test_published_split_uses_every_window_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mitdb, "ALL_RECORDS", mitdb.DS1[:4])
    split = mitdb.read_split(mitdb.SAMPLE_FOLDER, "published")
    both = np.concatenate([split.train, split.test])
    expected = mitdb.read_windows(mitdb.SAMPLE_FOLDER, mitdb.DS1[:4])
    assert sorted(map(bytes, both)) == sorted(map(bytes, expected))


def test_published_split_may_draw_from_every_stretch_between_test_windows_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mitdb, "ALL_RECORDS", mitdb.DS1[:4])
    split = mitdb.read_split(mitdb.SAMPLE_FOLDER, "published")
    for stretch in split.train_records:
        of_records = [
            stretch.tobytes() in mitdb.read_record(mitdb.SAMPLE_FOLDER, name).tobytes()
            for name in mitdb.DS1[:4]
        ]
        assert of_records.count(True) == 1
    cut = np.concatenate([mitdb.cut_windows(stretch) for stretch in split.train_records])
    np.testing.assert_array_equal(cut, split.train)


@pytest.mark.parametrize("split", ["patient", "published"])
def test_each_test_window_is_of_the_record_named_for_it(
    monkeypatch: pytest.MonkeyPatch, split: mitdb.SplitName
) -> None:
    monkeypatch.setattr(mitdb, "ALL_RECORDS", mitdb.DS1[:4])
    windows = mitdb.read_split(mitdb.SAMPLE_FOLDER, split)
    assert len(windows.test_names) == len(windows.test)
    for name, window in zip(windows.test_names, windows.test, strict=True):
        of_record = mitdb.read_windows(mitdb.SAMPLE_FOLDER, [name])
        assert (of_record == window).all(axis=1).sum() == 1


def test_unknown_split_is_refused_with_the_choices() -> None:
    with pytest.raises(DataError, match="'random': choose one of patient, published"):
        mitdb.read_split(mitdb.SAMPLE_FOLDER, "random")  # type: ignore[arg-type]


def test_folder_may_be_the_database_or_the_one_that_holds_it(tmp_path: Path) -> None:
    shutil.copytree(mitdb.SAMPLE_FOLDER, tmp_path / "mitdb")
    assert mitdb.find_folder(tmp_path) == mitdb.find_folder(tmp_path / "mitdb")


def test_folder_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNADEEP_DATA", str(mitdb.SAMPLE_FOLDER))
    assert mitdb.find_folder() == mitdb.SAMPLE_FOLDER


def test_no_folder_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DYNADEEP_DATA", raising=False)
    with pytest.raises(DataError, match="no data folder: name one, or set DYNADEEP_DATA"):
        mitdb.find_folder()


def test_folder_without_records_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path}: no WFDB header"):
        mitdb.find_folder(tmp_path)


def test_another_database_is_not_taken_for_it() -> None:
    with pytest.raises(DataError, match="no WFDB header"):
        mitdb.find_folder(cinc2017.SAMPLE_FOLDER)


def test_missing_record_is_named() -> None:
    with pytest.raises(DataError, match=r"999\.hea: no such record"):
        mitdb.read_record(mitdb.SAMPLE_FOLDER, "999")


def test_record_shorter_than_a_segment_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path, [1000] * 1999)
    with pytest.raises(DataError, match="900: 1999 samples, one segment needs 2000"):
        mitdb.read_record(tmp_path, "900")


def test_signal_shorter_than_a_segment_is_refused() -> None:
    with pytest.raises(DataError, match="has 7 samples, one segment needs 2000"):
        mitdb.cut_windows(np.zeros(7, dtype=np.int16))


def test_invalid_samples_are_counted_and_located(tmp_path: Path) -> None:
    write_record(tmp_path, [1000] * 2000 + [-2048] * 3 + [1000] * 100)
    with pytest.raises(DataError, match=r"3 invalid samples \(NaN\), the first at 2000"):
        mitdb.read_record(tmp_path, "900")


def test_other_sampling_rate_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path, [1000] * 2000, rate_hz=250)
    with pytest.raises(DataError, match="sampled at 250 Hz, the network needs 360 Hz"):
        mitdb.read_record(tmp_path, "900")


@pytest.mark.parametrize("header", ["", "900 1 360 2000\n", "not a header\n"])
def test_damaged_header_is_refused(tmp_path: Path, header: str) -> None:
    (tmp_path / "900.hea").write_text(header)
    with pytest.raises(DataError, match="900: not a readable WFDB record"):
        mitdb.read_record(tmp_path, "900")


def test_cut_off_signal_file_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path, [1000] * 4000)
    (tmp_path / "900.dat").write_bytes((tmp_path / "900.dat").read_bytes()[:100])
    with pytest.raises(DataError, match="900: not a readable WFDB record"):
        mitdb.read_record(tmp_path, "900")


def write_annotations(folder: Path, symbols: list[str]) -> None:
    at = np.arange(1, len(symbols) + 1) * 100
    wfdb.wrann("900", "atr", at, symbols, write_dir=str(folder))


def test_beats_are_the_annotations_that_mark_one(tmp_path: Path) -> None:
    write_annotations(tmp_path, ["+", "N", "V", "~", "A"])
    assert mitdb.read_beats(tmp_path, "900").tolist() == [200, 300, 500]


def test_each_beat_keeps_what_it_is_annotated_as(tmp_path: Path) -> None:
    write_annotations(tmp_path, ["+", "N", "V", "~", "A"])
    beats = mitdb.read_annotated_beats(tmp_path, "900")
    assert beats.positions.tolist() == [200, 300, 500]
    assert beats.symbols == ("N", "V", "A")


def test_missing_annotations_are_named() -> None:
    with pytest.raises(DataError, match=r"101\.atr: no annotations"):
        mitdb.read_beats(mitdb.SAMPLE_FOLDER, "101")


def test_damaged_annotations_are_refused(tmp_path: Path) -> None:
    (tmp_path / "900.atr").write_bytes(b"\x00")
    with pytest.raises(DataError, match=r"900\.atr: not readable annotations"):
        mitdb.read_beats(tmp_path, "900")


@pytest.mark.skipif("DYNADEEP_DATA" not in os.environ, reason="DYNADEEP_DATA names no database")
def test_database_has_the_published_count_of_beats() -> None:
    folder = mitdb.find_folder()
    assert sum(len(mitdb.read_beats(folder, name)) for name in mitdb.ALL_RECORDS) == 109_494


def test_failed_download_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(wfdb, "dl_database", refuse)
    with pytest.raises(DataError, match="could not be downloaded"):
        mitdb.download(tmp_path)


def test_drawn_windows_repeat_with_the_generator() -> None:
    record = mitdb.read_record(mitdb.SAMPLE_FOLDER, "101")
    first, again = (augment.draw_windows([record], 3, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_drawn_windows_stay_within_the_converters_range() -> None:
    record = np.tile(np.array([0, 2047], dtype=np.int16), 2000)
    drawn = augment.draw_windows([record], 8, np.random.default_rng(0))
    assert (drawn.shape, drawn.min() >= 0, drawn.max() <= 2047) == ((8, 2000), True, True)


def test_excerpt_can_be_made_again_from_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mitdb, "DS1", ("201",))
    monkeypatch.setattr(mitdb, "DS2", ("200",))
    excerpt.write_mitdb(mitdb.SAMPLE_FOLDER, tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["200.dat", "200.hea", "201.dat", "201.hea"]
    for name in written:
        assert (tmp_path / name).read_bytes() == (mitdb.SAMPLE_FOLDER / name).read_bytes()


@pytest.mark.skipif("DYNADEEP_DATA" not in os.environ, reason="DYNADEEP_DATA names no database")
def test_excerpt_is_the_database_unchanged() -> None:
    names = (*mitdb.DS1, *mitdb.DS2)
    np.testing.assert_array_equal(
        mitdb.read_windows(mitdb.SAMPLE_FOLDER, names),
        mitdb.read_windows(mitdb.find_folder(), names, count=10),
    )
