import numpy as np
import pytest

from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings import text_format


def write(path, rows, *, head="", end="\n", encoding="utf-8"):
    path.write_bytes((head + end.join(rows) + end).encode(encoding))
    return path


def read(path, **wishes):
    recording = text_format.read(path, **wishes)
    return [
        (channel.name, channel.unit, channel.rate_hz, channel.load()[:3].tolist())
        for channel in recording.channels
    ]


ROWS = [(n, -n - 1.5) for n in range(1000, 1200)]


@pytest.mark.parametrize(
    ("row", "suffix"),
    [
        ("{0},{1}", ".csv"),
        ("{0}, {1}", ".csv"),
        ("{0};{1}", ".csv"),
        ("{0};{1};", ".csv"),
        ("{0}\t{1}", ".tsv"),
        ("   {0}  {1} ", ".txt"),
        ("'{0}','{1}'", ".csv"),
        ('"{0}";"{1}"', ".csv"),
    ],
)
@pytest.mark.parametrize("head", ["", "\ufeff", "# a comment\n\n"])
def test_columns_are_found_whatever_parts_them(tmp_path, row, suffix, head):
    rows = [row.format(a * (1 + a % 2), b) for a, b in ROWS]
    path = write(tmp_path / f"a{suffix}", rows, head=head, end="\r\n")
    assert read(path) == [
        ("", "", None, [1000, 2002, 1002]),
        ("", "", None, [-1001.5, -1002.5, -1003.5]),
    ]


@pytest.mark.parametrize("row", ["{0};{1}", "{0}\t{1}", "{0} {1}"])
def test_a_decimal_comma_is_read_beside_any_other_delimiter(tmp_path, row):
    rows = [row.format(a * (1 + a % 2), str(b).replace(".", ",")) for a, b in ROWS]
    assert read(write(tmp_path / "a.csv", rows))[1][3] == [-1001.5, -1002.5, -1003.5]


def test_utf_16_is_read(tmp_path):
    path = write(tmp_path / "a.txt", ["1", "2", "3"], encoding="utf-16")
    assert read(path) == [("", "", None, [1, 2, 3])]


def test_names_and_units_come_from_the_header(tmp_path):
    rows = [f"{n / 360:.3f},{n % 7},{n % 5}" for n in range(400)]
    path = write(tmp_path / "a.csv", rows, head="time [s],ECG (uV),RESP (NU)\n")
    assert read(path) == [
        ("ECG", "mV", 360.0, [0.0, 0.001, 0.002]),
        ("RESP", "NU", 360.0, [0, 1, 2]),
    ]


def test_rdsamps_two_lines_of_header_are_read(tmp_path):
    """As PhysioNet's tools write it: quoted names, then units; the time as a clock."""
    head = "'Elapsed time','MLII','V5'\n'hh:mm:ss.mmm','mV','mV'\n"
    rows = [f"'0:{n // 360:02}.{n % 360 * 1000 // 360:03}',-0.{n % 9}45,0.1" for n in range(400)]
    channels = read(write(tmp_path / "a.csv", rows, head=head))
    assert channels == [
        ("MLII", "mV", None, [-0.045, -0.145, -0.245]),
        ("V5", "mV", None, [0.1, 0.1, 0.1]),
    ]


def test_milliseconds_give_the_rate(tmp_path):
    rows = [f"{4 * n};{n % 7}" for n in range(100)]
    assert read(write(tmp_path / "a.csv", rows, head="t;ECG\nms;mV\n"))[0][2] == 250.0


def test_a_time_of_another_language_is_known_by_its_unit(tmp_path):
    rows = [f"{n / 250:.3f};{n % 7}".replace(".", ",") for n in range(100)]
    path = write(tmp_path / "a.csv", rows, head="Zeit [s];EKG [mV]\n")
    assert [(channel[0], channel[2]) for channel in read(path)] == [("EKG", 250.0)]


def test_a_rising_signal_that_has_a_leads_name_is_no_time(tmp_path):
    rows = [f"{n},{n % 7}" for n in range(100)]
    assert [channel[0] for channel in read(write(tmp_path / "a.csv", rows, head="I,II\n"))] == [
        "I",
        "II",
    ]


def test_a_named_column_settles_what_a_comma_is(tmp_path):
    path = write(tmp_path / "a.csv", [f"1,{198 + n % 3}" for n in range(100)])
    with pytest.raises(EcgError, match="may be one number with a decimal comma, or two"):
        read(path)
    assert len(read(path, columns_meant=True)) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n \n# only\n", "holds no samples"),
        (b"\x89PNG\r\n\0\0", "holds zero bytes"),
        (b"no numbers\nat all\n", "do not hold numbers"),
        (b"1\n2\n" * 100 + b"two\n", r"line 201 \('two'\) is not a number"),
        (b"1;2\n" * 100 + b"1;2;3;4\n1\n", "line 102"),
        (b"<html>1,2</html>", "do not hold numbers"),
        (b'{"ecg": [1, 2]}', "do not hold numbers"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused_with_the_line(tmp_path, content, reason):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(EcgError, match=reason):
        read(path)


def test_missing_samples_are_kept_as_missing(tmp_path):
    (channel,) = text_format.read(write(tmp_path / "a.csv", ["1", "nan", "3"])).channels
    assert np.isnan(channel.load()).tolist() == [False, True, False]
