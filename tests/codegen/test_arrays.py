"""Arrays from outside: what a header declares is not believed, and nothing is unpickled."""

import contextlib
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynadeep.codegen.arrays import read_npy, read_npz
from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.golden import MAPPED, NAMES, SAMPLES, read_golden
from dynadeep.codegen.typed import Reader

GOLDEN = {
    SAMPLES: np.arange(12, dtype=np.int16).reshape(2, 6),
    NAMES: np.array(["real00", "zeros"]),
    MAPPED: np.zeros((2, 6), np.int8),
    "conv1/silu": np.ones((2, 3, 4), np.int8),
}


def reader(path: Path) -> Reader:
    return Reader(str(path), BundleError, "Export again.")


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()


def header(text: str, data: bytes = b"") -> bytes:
    content = text.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + len(content).to_bytes(2, "little") + content + data


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int16).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array(7),
        np.array(["a", "bc"]),
        np.zeros((0, 4), np.int8),
        np.arange(3, dtype=">i4"),
        np.array([True]),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_an_array_comes_back_as_numpy_wrote_it(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", one=array, other=array)
    for loaded in (read_npy(tmp_path / "a.npy", reader(tmp_path)),
                  read_npz(tmp_path / "a.npz", reader(tmp_path))["other"]):  # fmt: skip
        assert loaded.dtype == array.dtype
        np.testing.assert_array_equal(loaded, array)


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, ("trapped",))


BROKEN = {
    "nothing": (b"", "not a NumPy array"),
    "text": (b"1,2,3\n", "not a NumPy array"),
    "a pickle": (pickle.dumps(Trap()), "not a NumPy array"),
    "objects": (npy(np.array([Trap()], object)), "an array of object, expected numbers or text"),
    "a record": (npy(np.zeros(2, "i4,f8")), "expected numbers or text"),
    "dates": (npy(np.zeros(2, "M8[s]")), "expected numbers or text"),
    "a terabyte": (
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000)}"),
        "needs 8,000,000,000,000 bytes, there are 0",
    ),
    "a negative size": (
        header("{'descr': '|i1', 'fortran_order': False, 'shape': (-1,)}", b"x"), "there are 1"
    ),
    "a code": (header("__import__('os').mkdir('trapped')"), "not a NumPy array"),
    "a shape of text": (
        header("{'descr': '|i1', 'fortran_order': False, 'shape': ('2',)}"), "not a NumPy array"
    ),
    "no type": (
        header("{'descr': 'nope', 'fortran_order': False, 'shape': (2,)}"), "not a NumPy array"
    ),
    "one byte less": (npy(np.arange(4, dtype=np.int16))[:-1], "needs 8 bytes, there are 7"),
    "one byte more": (npy(np.arange(4, dtype=np.int16)) + b"x", "needs 8 bytes, there are 9"),
    "a deep header": (header("(" * 5000), "not a NumPy array"),
    "a version": (b"\x93NUMPY\x09\x00" + bytes(20), "not a NumPy array"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_array_is_refused_in_one_line_and_nothing_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    content, message = BROKEN[case]
    (tmp_path / "a.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("one.npy", content)
    for read, name in ((read_npy, "a.npy"), (read_npz, "a.npz")):
        with pytest.raises(BundleError, match=message) as caught:
            read(tmp_path / name, reader(tmp_path / name))
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "trapped").exists()


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.npy", bytes(2_000_000))
    with pytest.raises(BundleError, match="2,000,000 bytes when unpacked, at most 1,000,000"):
        read_npz(tmp_path / "a.npz", reader(tmp_path), largest=1_000_000)


def test_a_pipe_a_folder_and_nothing_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, message in (("pipe", "no regular file"), ("", "no regular"), ("none", "no such")):
        with pytest.raises(BundleError, match=message):
            read_npy(tmp_path / name, reader(tmp_path / name))


def write_golden(path: Path, **changes: np.ndarray | None) -> Path:
    arrays = {key: value for key, value in (GOLDEN | changes).items() if value is not None}
    np.savez_compressed(path, **arrays)
    return path


def test_golden_vectors_come_back_whole(tmp_path: Path) -> None:
    golden = read_golden(write_golden(tmp_path / "golden.npz"), 6)
    assert golden.names == ("real00", "zeros")
    assert list(golden.tensors) == ["conv1/silu"]
    np.testing.assert_array_equal(golden.samples, GOLDEN[SAMPLES])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({NAMES: None}, '"names" is missing'),
        ({SAMPLES: GOLDEN[SAMPLES].astype(np.int32)}, r"segments are int32 \[2, 6\], expected"),
        ({SAMPLES: GOLDEN[SAMPLES][:, :5]}, r"segments are int16 \[2, 5\], expected int16 \[N, 6"),
        ({SAMPLES: GOLDEN[SAMPLES][:0]}, r"segments are int16 \[0, 6\]"),
        ({NAMES: np.arange(2)}, r'"names" is int64 \[2\], expected text'),
        ({NAMES: np.array(["a"])}, r'"names" is <U1 \[1\], expected text \[2\]'),
        ({MAPPED: np.zeros((2, 5), np.int8)}, r'"input" is int8 \[2, 5\]'),
        ({"conv1/silu": np.zeros((1, 3, 4), np.int8)}, r"is int8 \[1, 3, 4\], expected int8 \[2"),
        ({"conv1/silu": np.zeros((2, 3, 4))}, r"is float64 \[2, 3, 4\]"),
    ],
)
def test_golden_vectors_of_another_kind_are_refused(
    tmp_path: Path, changes: dict[str, np.ndarray | None], message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        read_golden(write_golden(tmp_path / "golden.npz", **changes), 6)


CONTENT: list[bytes] = []


@given(data=st.data())
def test_damaged_golden_vectors_are_whole_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    if not CONTENT:
        CONTENT.append(write_golden(folder / "whole.npz").read_bytes())
    content = bytearray(CONTENT[0])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    (folder / "damaged.npz").write_bytes(content[:cut] if data.draw(st.booleans()) else content)
    with contextlib.suppress(BundleError):
        assert read_golden(folder / "damaged.npz", 6).samples.shape == (2, 6)
