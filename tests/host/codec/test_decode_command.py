"""The decode command: what comes whole is written at its place, the rest is told with status 12."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from dynadeep.codegen.bundle import read_bundle
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.application import expected_packet
from dynadeep.host_tools.measure.references import golden_cases
from tests.caching import SMALL_BUNDLE

pytestmark = pytest.mark.heavy  # decodes with onnxruntime

CASES = Path(__file__).parents[1] / "cases" / "packets"
SMALL = read_bundle(SMALL_BUNDLE)
T = SMALL.manifest.segment_length
PARTS = [  # of every level twice, as the board makes them
    expected_packet(SMALL.manifest, case, number % 3, number)
    for number, case in enumerate(golden_cases(SMALL)[:6])
]
SIX = b"".join(PARTS)


@pytest.fixture
def decode(bundle, tmp_path, capsys):
    """Decode bytes with the command; return the exit status, its two outputs and the array."""

    def check(data: bytes, *options: str, name: str = "ecg.npy"):
        received, out = tmp_path / "packets.bin", tmp_path / name
        received.write_bytes(data)
        status = run(
            ["decode", str(received), "--bundle", str(bundle.folder), "--out", str(out), *options]
        )
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        assert len(printed.err.splitlines()) == (status != 0)
        array = np.load(out) if out.exists() and out.suffix == ".npy" else None
        return status, printed, array

    return check


@pytest.fixture
def whole(decode) -> np.ndarray:
    status, _, ecg = decode(SIX)
    assert (status, ecg.shape) == (0, (6, T))
    assert not np.isnan(ecg).any()
    return ecg


def join(order: list[int]) -> bytes:
    return b"".join(PARTS[i] for i in order)


@pytest.mark.parametrize(
    ("order", "rows", "message"),
    [
        ([0, 1, 3, 4, 5], [0, 1, None, 3, 4, 5], "1 of 6 segments were lost (2)"),
        ([5], [None] * 5 + [5], "5 of 6 segments were lost (0 to 4)"),
        ([0, 1, 2, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5], "1 packets came again"),
        ([1, 0, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5], "1 packets came late"),
    ],
    ids=["the third lost", "the first five dropped", "the third doubled", "the first two swapped"],
)
def test_every_segment_is_written_at_its_place_in_time(decode, whole, order, rows, message):
    status, printed, ecg = decode(join(order))
    assert status == 12
    assert message in printed.err
    assert len(ecg) == len(rows)
    for row, expected in zip(ecg, rows, strict=True):
        if expected is None:
            assert np.isnan(row).all()
        else:
            assert np.array_equal(row, whole[expected])


def test_a_packet_that_is_cut_off_costs_no_other(decode, whole):
    status, printed, ecg = decode(SIX[:-1])
    assert status == 12
    left, at = len(PARTS[5]) - 1, len(SIX) - len(PARTS[5])
    assert f"no whole packet in {left} bytes at {at}" in printed.err
    assert np.array_equal(ecg, whole[:5])


def test_one_flipped_bit_costs_one_segment(decode, whole):
    damaged = bytearray(SIX)
    damaged[len(PARTS[0]) + 19] ^= 4
    status, printed, ecg = decode(bytes(damaged))
    assert status == 12
    where = f"{len(PARTS[1])} bytes at {len(PARTS[0])}"
    assert f"1 of 6 segments were lost (1); no whole packet in {where}" in printed.err
    assert np.isnan(ecg[1]).all()
    assert np.array_equal(ecg[[0, 2, 3, 4, 5]], whole[[0, 2, 3, 4, 5]])


@pytest.mark.parametrize("data", [b"", b"these are none", bytes(1000)])
def test_a_file_without_packets_is_refused_and_nothing_is_written(decode, data):
    status, printed, ecg = decode(data)
    assert (status, ecg, printed.out) == (12, None, "")


def test_packets_of_another_version_are_refused_by_it(decode):
    status, printed, ecg = decode((CASES / "six_of_version_2.bin").read_bytes())
    assert (status, ecg) == (12, None)
    assert f"packet version 2, this kit reads {packets.VERSION}" in printed.err


def test_packets_of_another_model_among_ours_are_counted(decode, whole, bundle):
    stranger = packets.Packet(1, b"\1\2\3\4", 0, 0, bytes(10))
    status, printed, ecg = decode(SIX + packets.encode(stranger))
    assert status == 12
    assert "1 packets cannot be decoded, the first: packet 0: made by model 01020304" in printed.err
    assert np.array_equal(ecg, whole)


def test_samples_that_do_not_decode_are_one_lost_segment(decode, whole, bundle):
    """A whole packet, its CRC right, whose payload no encoder makes."""
    model_id = packets.short_model_id(bundle.manifest)
    bad = packets.encode(packets.Packet(0, model_id, 0, 3, b"\xff" * 300))
    status, printed, ecg = decode(b"".join([*PARTS[:3], bad, *PARTS[4:]]))
    assert status == 12
    assert "1 of 6 segments were lost (3)" in printed.err
    assert np.isnan(ecg[3]).all()
    assert np.array_equal(ecg[4:], whole[4:])


def test_gaps_that_no_memory_holds_are_refused(decode, bundle):
    model_id = packets.short_model_id(bundle.manifest)
    far = [
        packets.encode(packets.Packet(1, model_id, 0, n * 30_000 % 65_536, bytes(10)))
        for n in range(24)
    ]
    status, printed, ecg = decode(b"".join(far))
    assert (status, ecg) == (12, None)
    assert "Cut the file and decode its parts" in printed.err


@pytest.mark.parametrize("name", ["d.mat", "d.dat", "d", "d.edf"])
def test_a_suffix_that_names_no_format_is_refused_before_anything_is_read(tmp_path, capsys, name):
    out = tmp_path / name
    assert run(["decode", "absent", "--bundle", "absent", "--out", str(out)]) == 2
    assert "names no format that the kit writes. Give one of .npy, .npz" in capsys.readouterr().err
    assert not out.exists()


def test_text_has_a_line_for_each_sample_nan_where_it_was_lost(decode, tmp_path):
    assert decode(join([0, 2]), name="ecg.csv")[0] == 12
    lines = (tmp_path / "ecg.csv").read_text().split()
    assert len(lines) == 3 * T
    assert lines[T : 2 * T] == ["nan"] * T
    assert "nan" not in lines[:T] + lines[2 * T :]


def test_an_archive_says_which_segment_each_row_is(decode, tmp_path):
    assert decode(join([0, 2]), name="ecg.npz")[0] == 12
    with np.load(tmp_path / "ecg.npz") as arrays:
        assert arrays["received"].tolist() == [True, False, True]
        assert arrays["segment"].tolist() == [0, 1, 2]
        assert arrays["stream"].tolist() == [0, 0, 0]


def test_the_counts_are_written_as_json(decode, tmp_path):
    decode(join([0, 2, 2]), "--json", str(tmp_path / "counts.json"))
    assert json.loads((tmp_path / "counts.json").read_text()) == {
        "decoded": 2, "lost": 1, "damaged": 0, "unusable": 0, "repeated": 1, "late": 0,
        "restarts": 0,
    }  # fmt: skip


def test_a_pipe_is_refused_and_not_waited_for(bundle, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    arguments = ["--bundle", str(bundle.folder), "--out", str(tmp_path / "a.npy")]
    assert run(["decode", str(tmp_path / "pipe"), *arguments]) == 2
    assert "no regular file" in capsys.readouterr().err
