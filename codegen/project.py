"""What a generated project says of itself: the ``manifest.json`` that ``emit`` wrote beside it."""

from dataclasses import dataclass
from pathlib import Path

from dynadeep.codegen.errors import ProjectError
from dynadeep.codegen.typed import Reader, shown

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 2
MANIFEST_KIND = "dynadeep generated project"


@dataclass(frozen=True)
class Project:
    """A generated project. ``board`` is None where it holds the model and the runtime alone."""

    kind: str
    format: int
    kit: str
    model_id: str
    name: str  # what the model's symbols and files begin with
    application: str  # one of codegen.applications
    board: str | None
    engine: str
    kernels: str
    files: dict[str, str]  # file name -> SHA-256
    former: dict[str, list[str]] | None = None
    """While it is written: the hashes that its files may still have from before."""


def read_project(folder: Path) -> Project:
    """Read what the project in ``folder`` was generated for; its files may have been edited since.

    Raises:
        ProjectError: there is no generated project, or it is of another format.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ProjectError(f"{path}: no such file. Is {folder} a project made by 'generate'?")
    reader = Reader(str(path), ProjectError, "Generate the project again.")
    data = reader.json(reader.content(path))
    kind, version = (
        (data.get("kind"), data.get("format")) if isinstance(data, dict) else (None, None)
    )
    if kind != MANIFEST_KIND:
        raise ProjectError(
            f"{path}: is not that of a {MANIFEST_KIND}. Name the folder that 'generate' wrote: "
            "the bundle goes with --bundle."
        )
    if version != MANIFEST_FORMAT:
        raise ProjectError(
            f"{path}: expected format {MANIFEST_FORMAT}, found {shown(version)}. "
            "Generate the project again with this kit."
        )
    return reader.read(Project, data)


def read_whole_project(folder: Path) -> Project:
    """Read what a project was generated for, one that was generated to its end.

    Raises:
        ProjectError: as ``read_project``; or it was interrupted while it was written.
    """
    project = read_project(folder)
    if project.former is not None:
        raise ProjectError(
            f"{folder}: its generation was interrupted, so that old and new files are mixed. "
            "Generate the project again."
        )
    return project
