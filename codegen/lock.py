"""Keep a folder to one command at a time; whoever waits is told for whom."""

import logging
import os
import shlex
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dynadeep.codegen.errors import BusyError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
BEYOND_TEXT = 1 << 30
"""Where Windows locks: what it locks, nobody else can read."""

_held: set[tuple[int, Path]] = set()


@contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a folder, that need not exist, against other commands; ours may hold it twice.

    The lock is a file beside the folder, ``.NAME.lock``, which says who holds it. The system lets
    go of it when its process ends, however that ends.

    Raises:
        BusyError: another command holds it, and ``wait`` is off.
        OSError: the file cannot be made there.
    """
    target = folder.resolve()
    key = (threading.get_ident(), target)
    if key in _held:
        yield
        return
    path = target.with_name(f".{target.name}.lock")
    descriptor = _acquire(path, folder, wait=wait)
    _held.add(key)
    try:
        yield
    finally:
        _held.discard(key)
        _remove(path)
        os.close(descriptor)


def _acquire(path: Path, folder: Path, *, wait: bool) -> int:
    """Return a descriptor of the lock's file, which holds it until it is closed."""
    warned = False
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if _try(descriptor):
            if _same(descriptor, path):
                break
            os.close(descriptor)  # whoever held it has removed the file meanwhile
            continue
        os.close(descriptor)
        if not wait:
            holder = _holder(path)
            raise BusyError(f"{folder}: in use by {holder}. Wait for it, or end it.", holder)
        if not warned:
            log.warning("%s: in use by %s; waiting for it", folder, _holder(path))
            warned = True
        time.sleep(POLL_SECONDS)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, _own_line().encode("utf-8", "replace"))
    return descriptor


def _try(descriptor: int) -> bool:
    """Take the lock of an open file, if nobody has it."""
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, BEYOND_TEXT, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:  # Windows removes no open file; it is taken again as it is
        return


def _own_line() -> str:
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]
    return f"process {os.getpid()} ({command}) since {time.strftime('%Y-%m-%d %H:%M:%S')}"


def _holder(path: Path) -> str:
    try:
        line = path.read_bytes()[:400].decode("utf-8", "replace")
    except OSError:
        line = ""
    return "".join(letter for letter in line if letter.isprintable()) or "another command"
