"""Archives of packets: Parquet files and their names, as a stranger may have made them."""

import shutil
from pathlib import Path

from dynadeep.codegen.errors import DynadeepError
from dynadeep.host_tools.cloud import archive, parts, schema
from dynadeep.host_tools.cloud.decode import Format, Job, decode_day
from dynadeep.host_tools.cloud.models import find_models
from dynadeep.host_tools.cloud.summary import summarise
from dynadeep.host_tools.errors import ArchiveError
from fuzz.mutate import unpack
from fuzz.readers.target import Target, check_message, scratch
from tests.caching import SMALL_BUNDLE

SLASH = "!"
"""In the names of a ZIP file's members, which are to become folders."""
FORMATS: tuple[Format, ...] = ("parquet", "wfdb", "edf", "npy")


def read_part(data: bytes) -> None:
    """Read one file: what is taken has the archive's schema, and values that can be."""
    path = scratch() / "part.parquet"
    path.write_bytes(data)
    rows = parts.read(path)
    assert rows.schema == schema.SCHEMA
    assert len(rows) == parts.count(path) <= parts.ROWS_MAX
    rows.to_pylist()


def read_archive(data: bytes) -> None:
    """Show and decode an archive; what is refused is told, and the rest is read."""
    root, out = scratch() / "archive", scratch() / "decoded"
    for folder in (root, out):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    _write(root, unpack(data))
    models = find_models(SMALL_BUNDLE)
    refused: list[ArchiveError] = []
    manifests = {number: model.manifest for number, model in models.items()}
    for batch in archive.read(root, on_refused=refused.append):
        batch.validate(full=True)
    for summary in summarise(root, manifests, device=None, on_refused=refused.append):
        summary.as_json()
    job = Job(root, out, models, FORMATS[len(data) % len(FORMATS)])
    for day in archive.days(root, on_refused=refused.append):
        for line in decode_day(job, day).refused:
            check_message(line)
    for error in refused:
        check_message(str(error))
    if refused:
        raise DynadeepError(str(refused[0]))


def _write(root: Path, members: dict[str, bytes]) -> None:
    """Write files in their folders below ``root``, and nothing outside it."""
    for name, content in members.items():
        names = [part[:100] for part in name.split(SLASH)]
        if any(part in {"", ".", ".."} or "/" in part or "\0" in part for part in names):
            continue
        path = root.joinpath(*names)
        if not any(parent.is_file() for parent in path.parents) and not path.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


_CLOUD = "dynadeep.host_tools.cloud"
TARGETS = (
    Target("parquet", read_part, (f"{_CLOUD}.parts",), ".parquet"),
    Target(
        "archive",
        read_archive,
        tuple(f"{_CLOUD}.{name}" for name in ("archive", "parts", "pieces", "records", "summary")),
        ".zip",
    ),
)
