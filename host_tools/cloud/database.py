"""An SQLite file of our own: what was committed outlives a kill and a power cut."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Kind:
    """What a file is; it says so itself."""

    application_id: int
    version: int
    tables: str  # SQL that makes those that are not there yet


class WrongKindError(sqlite3.DatabaseError):
    """The file is none of that kind, or of another version."""


def open_file(path: Path, kind: Kind, **options: Any) -> sqlite3.Connection:
    """Open a file of a kind, or begin one.

    Args:
        path: of the file.
        kind: what it is, or is to be.
        options: of ``sqlite3.connect``.

    Raises:
        WrongKindError: it is something else.
        sqlite3.Error: it is damaged, or cannot be written.
    """
    file: sqlite3.Connection = sqlite3.connect(path, **options)
    try:
        _check(file, kind)
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = FULL")  # a commit outlives a power cut
        stamp = f"PRAGMA application_id = {kind.application_id}; PRAGMA user_version = "
        file.executescript(f"BEGIN; {kind.tables} {stamp}{kind.version}; COMMIT;")
    except BaseException:
        file.close()
        raise
    return file


def _check(file: sqlite3.Connection, kind: Kind) -> None:
    (made_by,) = file.execute("PRAGMA application_id").fetchone()
    (version,) = file.execute("PRAGMA user_version").fetchone()
    (tables,) = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and made_by != kind.application_id:
        raise WrongKindError("a database of something else")
    if version not in {0, kind.version}:
        raise WrongKindError(f"of format {version}, this kit reads {kind.version}")
