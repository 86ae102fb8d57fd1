import numpy as np
import pytest

from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings.read import read_record
from dynadeep.host_tools.recordings.record import cut_record
from dynadeep.host_tools.study.excerpt import sample_records


def save(path, values):
    np.save(path, np.asarray(values))
    return path


def test_a_record_is_cut_and_its_rest_padded_with_the_last_sample():
    record = cut_record("r", np.arange(25, dtype=np.int16), 10)
    assert record.segments.shape == (3, 10)
    assert record.segments[2].tolist() == [20, 21, 22, 23, 24, 24, 24, 24, 24, 24]
    assert [record.real_samples(i) for i in range(3)] == [10, 10, 5]


def test_a_record_of_whole_segments_is_not_padded():
    record = cut_record("r", np.arange(20, dtype=np.int16), 10)
    assert record.segments.shape == (2, 10)
    assert record.real_samples(1) == 10


def test_a_record_shorter_than_a_segment_is_refused(tmp_path, make_manifest):
    path = save(tmp_path / "short.npy", np.zeros(1999, np.int16))
    with pytest.raises(EcgError, match="1999 samples, one segment needs 2000"):
        read_record(path, make_manifest())


def test_segments_of_another_length_are_refused(tmp_path, make_manifest):
    path = save(tmp_path / "segments.npy", np.zeros((3, 1999), np.int16))
    with pytest.raises(EcgError, match=r"shape \[3, 1999\], expected segments \[N, 2000\]"):
        read_record(path, make_manifest())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.nan, "not a number"),
        (np.inf, "not a number"),
        (0.5, "not a whole ADC value"),
        (40000, "does not fit int16"),
    ],
)
def test_a_sample_that_is_no_adc_value_is_named(tmp_path, make_manifest, value, reason):
    samples = np.zeros(2000)
    samples[17] = value
    with pytest.raises(EcgError, match=f"sample 17 .* {reason}"):
        read_record(save(tmp_path / "bad.npy", samples), make_manifest())


def test_a_text_file_holds_one_sample_a_line(tmp_path, make_manifest):
    path = tmp_path / "record.csv"
    path.write_text("\n".join(str(1024 + n % 7) for n in range(2000)))
    record = read_record(path, make_manifest())
    assert record.segments[0, :8].tolist() == [1024, 1025, 1026, 1027, 1028, 1029, 1030, 1024]


@pytest.mark.parametrize("name", ["missing.npy", "missing.csv"])
def test_a_missing_file_is_refused(tmp_path, make_manifest, name):
    with pytest.raises(EcgError, match="no such file"):
        read_record(tmp_path / name, make_manifest())


@pytest.mark.parametrize(("name", "content"), [("a.npy", b"no"), ("a.csv", b"1\ntwo\n")])
def test_a_file_of_something_else_is_refused(tmp_path, make_manifest, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EcgError):
        read_record(tmp_path / name, make_manifest())


def test_pickled_objects_are_refused(tmp_path, make_manifest):
    path = tmp_path / "objects.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(EcgError, match="not a NumPy array"):
        read_record(path, make_manifest())


def test_the_shipped_excerpt_has_two_hundred_unseen_segments(make_manifest):
    records = sample_records(make_manifest())
    assert sum(len(record.segments) for record in records) >= 200
    assert all(record.samples == record.segments.size for record in records)
