"""Replace a folder as a whole, unless it holds what is not the kit's own."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from dynadeep.codegen.files import write_folder_whole
from dynadeep.codegen.lock import locked
from dynadeep.export.errors import ExportError


@contextmanager
def replaced(out: Path, known: Collection[str]) -> Iterator[Path]:
    """Yield an empty folder that becomes ``out`` on success and vanishes on an error.

    Args:
        out: the folder to make or replace.
        known: names of the files that may be replaced; any other is the user's own.

    Raises:
        ExportError: ``out`` is a file, or holds files of others.
    """
    with locked(out):
        _refuse_foreign(out, known)
        with write_folder_whole(out) as folder:
            yield folder


def _refuse_foreign(out: Path, known: Collection[str]) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise ExportError(f"{out}: is a file; a bundle is a folder. Name another one.")
    foreign = sorted(item.name for item in out.iterdir() if item.name not in known)
    if foreign:
        raise ExportError(
            f"{out}: holds {foreign[0]}, which is no file of a bundle. Name an empty folder."
        )
