"""Write files and folders whole: a reader finds the old content or the new one, never a part.

Every file that the kit writes goes through here; ``tests/test_architecture.py`` holds it to that.
Content goes to a temporary name in the same folder, reaches the disk, and takes the old one's name
in a single step. A command that is killed leaves at most the temporary file or folder, which a
later one that writes there removes.
"""

import contextlib
import ctypes
import errno
import functools
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY = re.compile(r"\..+\.dynadeep-[0-9a-f]{8}(\..+)?")
STALE_SECONDS = 3600.0
"""A temporary file that nobody has changed for so long is what a killed command has left."""

BLOCK = 1 << 16

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux, fcntl.h and fs.h


def write_whole(path: Path, content: bytes | str) -> Path:
    """Write a file, text as UTF-8 with its line ends as they are; return ``path``.

    Missing folders are made. Permissions are those that the umask gives a new file.

    Raises:
        OSError: it cannot be written; ``filename`` is ``path``, and what was there still is.
    """
    with open_whole(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)
    return path


@contextmanager
def open_whole(path: Path) -> Iterator[BinaryIO]:
    """Yield a new binary file, to write and read, that becomes ``path`` when all went well.

    For content that comes in pieces. What is no regular file, such as /dev/stdout or a pipe, is
    written to as it is. Raises OSError as ``write_whole``.
    """
    if _is_device(path):
        with path.open("wb") as file:
            yield file
        return
    with path_whole(path) as temporary, temporary.open("xb+") as file:
        yield file


def reserve(file: BinaryIO, size: int, path: Path) -> None:
    """Take room on the disk for ``size`` bytes of a file of ``open_whole``; ``fill`` writes it.

    Devices and pipes, which hold nothing, are left alone.

    Raises:
        OSError: there is no room; ``filename`` is ``path``.
    """
    if size == 0 or not _is_regular(file):
        return
    with _errors_name(path):
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            for start in range(0, size, BLOCK):
                file.write(bytes(min(BLOCK, size - start)))
            file.flush()
        file.seek(0)


def fill(file: BinaryIO, content: bytes) -> None:
    """Write a reserved file's content, and give back the room that it does not need."""
    file.write(content)
    if _is_regular(file):
        file.truncate()


def _is_regular(file: BinaryIO) -> bool:
    return stat.S_ISREG(os.fstat(file.fileno()).st_mode)


@contextmanager
def path_whole(path: Path) -> Iterator[Path]:
    """Yield a path of the same suffix; what is written there becomes ``path`` when all went well.

    For libraries that take a path alone. Raises OSError as ``write_whole``.
    """
    target = path.resolve()  # a link stays one, and what it points to is replaced
    temporary = _temporary_beside(target)
    with _errors_name(path):
        _prepare(target)
        try:
            yield temporary
            _sync(temporary)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync(target.parent)


@contextmanager
def write_folder_whole(path: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes ``path`` when all went well, in place of what was there.

    Whoever calls has made sure that nothing of the user's is in the old one. Where the system
    cannot exchange two folders in one step, a kill between two renames may leave ``path`` missing:
    then the old one lies beside it as ".<name>.replaced-...", and stays there.

    Raises:
        OSError: it cannot be written; what was there still is.
    """
    target = path.resolve()
    fresh = _temporary_beside(target)
    with _errors_name(path):
        _prepare(fresh)
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
        try:
            fresh.mkdir()
            yield fresh
            for item in (*fresh.rglob("*"), fresh):
                _sync(item)
            _swap(fresh, target)
        finally:  # by now it is what was there before, or what failed
            shutil.rmtree(fresh, ignore_errors=True)
        _sync(target.parent)


def _swap(fresh: Path, target: Path) -> None:
    """Give ``fresh`` the name ``target``, and what that named the name ``fresh``."""
    if not target.exists():
        fresh.rename(target)
        return
    if _exchange(fresh, target):
        return
    # Until the second rename this is all that the user has: a name that is never cleared away.
    old = target.with_name(f".{target.name}.replaced-{secrets.token_hex(4)}")
    target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        old.rename(target)
        raise
    old.rename(fresh)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two paths in one step; False where the system or the file system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # only Linux has it, Windows not even the library
        return False
    paths = (AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second))
    return bool(rename(*paths, RENAME_EXCHANGE) == 0)


def _temporary_beside(target: Path) -> Path:
    """Return a path in ``target``'s folder, of its suffix, that nothing else has."""
    return target.with_name(f".{target.stem}.dynadeep-{secrets.token_hex(4)}{target.suffix}")


def _prepare(target: Path) -> None:
    """Make the folder, and refuse what ``open`` would refuse though renaming over it would work."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_remains(target.parent)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))


@functools.cache
def _remove_remains(folder: Path) -> None:
    """Remove, once a process, the temporary files and folders that killed commands have left."""
    for leftover in folder.iterdir():
        if TEMPORARY.fullmatch(leftover.name) is None:
            continue
        with contextlib.suppress(OSError):
            if time.time() - leftover.lstat().st_mtime < STALE_SECONDS:
                continue
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, reach the disk."""
    folder = path.is_dir()
    if folder and os.name == "nt":
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError:
        if not folder:  # some file systems cannot sync folders
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _errors_name(path: Path) -> Iterator[None]:
    """Have errors name the file that was asked for, not its temporary one or none."""
    try:
        yield
    except OSError as error:
        named = Path(os.fsdecode(error.filename)).name if error.filename is not None else ""
        if error.errno is None or (named and TEMPORARY.fullmatch(named) is None):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def _is_device(path: Path) -> bool:
    """Whether a path is to be written to and not replaced: a terminal, a pipe, /dev/stdout."""
    if path.is_absolute() and path.parts[1:2] in {("dev",), ("proc",)}:
        return True
    return path.exists() and not path.is_file() and not path.is_dir()
