"""Recordings that a user names, in every format that is read."""

from functools import partial
from pathlib import Path

import numpy as np

from dynadeep.codegen.errors import DynadeepError
from dynadeep.host_tools.recordings.convert import Stated
from dynadeep.host_tools.recordings.read import NOTHING_STATED, read_record
from dynadeep.train.data import cinc2017, mitdb, wfdb_files
from fuzz.mutate import unpack
from fuzz.readers.target import Target, check_message, scratch, write_members
from fuzz.small import small_model

_, MANIFEST = small_model()
ALL_STATED = Stated(unit="adc", rate_hz=250.0, channel="0", resample=True)
RECORD = "r"
"""The name of the record among the files of an archive."""


def read_file(suffix: str, data: bytes) -> None:
    """Read a recording of one file for the small model, as it is and with all stated."""
    path = scratch() / f"{RECORD}{suffix}"
    path.write_bytes(data)
    _read(path)


def _read(path: Path) -> None:
    """Read it as it is, and with what it may not say stated; one of them is to be taken."""
    refused = []
    for stated in (NOTHING_STATED, ALL_STATED):
        try:
            record = read_record(path, MANIFEST, stated)
            assert record.segments.shape[1:] == (MANIFEST.segment_length,)
            assert record.segments.dtype == np.int16
        except DynadeepError as error:
            check_message(str(error))
            refused.append(error)
    if len(refused) == 2:
        raise refused[0]


def read_wfdb(data: bytes) -> None:
    """Read a WFDB record of one or more files, from an archive of them."""
    folder = scratch() / "wfdb"
    write_members(folder, unpack(data))
    _read(folder / RECORD)


def read_database(data: bytes) -> None:
    """Read a record and its beats as training does, from an archive of their files."""
    folder = scratch() / "database"
    write_members(folder, unpack(data))
    refusal = None
    for read in (
        lambda: wfdb_files.read_recording(folder / RECORD),
        lambda: mitdb.read_beats(folder, RECORD),
        lambda: cinc2017.read_reference(folder),
    ):
        try:
            read()
        except DynadeepError as error:
            refusal = error
    if refusal is not None:
        raise refusal


_READ = ("dynadeep.host_tools.recordings",)
SUFFIXES = (".csv", ".tsv", ".txt", ".npy", ".npz", ".edf", ".bdf")
TARGETS = (
    *(Target(suffix[1:], partial(read_file, suffix), _READ, suffix) for suffix in SUFFIXES),
    Target("wfdb", read_wfdb, (*_READ, "dynadeep.codegen.wfdb_record", "wfdb"), ".zip"),
    Target("database", read_database, ("dynadeep.train.data", "wfdb"), ".zip"),
)
