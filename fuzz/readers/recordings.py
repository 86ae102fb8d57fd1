"""Recordings that a user names, in every format that is read."""

from dynadeep.codegen.errors import DynadeepError
from dynadeep.host_tools.recordings.read import read_record
from dynadeep.train.data import cinc2017, mitdb, wfdb_files
from fuzz.mutate import unpack
from fuzz.readers.target import Target, scratch, write_members
from fuzz.small import small_model

_, MANIFEST = small_model()
RECORD = "r"
"""The name of the record among the files of an archive."""


def read_file(suffix: str, data: bytes) -> None:
    """Read a recording of one file for the small model."""
    path = scratch() / f"{RECORD}{suffix}"
    path.write_bytes(data)
    record = read_record(path, MANIFEST)
    assert record.segments.shape[1] == MANIFEST.segment_length


def read_csv(data: bytes) -> None:
    """Read comma-separated values."""
    read_file(".csv", data)


def read_txt(data: bytes) -> None:
    """Read numbers in a text file."""
    read_file(".txt", data)


def read_npy(data: bytes) -> None:
    """Read a NumPy array."""
    read_file(".npy", data)


def read_wfdb(data: bytes) -> None:
    """Read a WFDB record of one or more files, from an archive of them."""
    folder = scratch() / "wfdb"
    write_members(folder, unpack(data))
    read_record(folder / RECORD, MANIFEST)


def read_database(data: bytes) -> None:
    """Read a record and its beats as training does, from an archive of their files."""
    folder = scratch() / "database"
    write_members(folder, unpack(data))
    found = None
    for read in (
        lambda: wfdb_files.read_recording(folder / RECORD),
        lambda: mitdb.read_beats(folder, RECORD),
        lambda: cinc2017.read_reference(folder),
    ):
        try:
            read()
        except DynadeepError as error:
            found = error
    if found is not None:
        raise found


_READ = ("dynadeep.host_tools.recordings",)
TARGETS = (
    Target("csv", read_csv, _READ, ".csv"),
    Target("txt", read_txt, _READ, ".txt"),
    Target("npy", read_npy, _READ, ".npy"),
    Target("wfdb", read_wfdb, (*_READ, "dynadeep.train.data", "wfdb"), ".zip"),
    Target("database", read_database, ("dynadeep.train.data", "wfdb"), ".zip"),
)
