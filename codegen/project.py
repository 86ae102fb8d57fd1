"""What a generated project says of itself: the ``manifest.json`` that ``emit`` wrote beside it."""

import json
from dataclasses import dataclass
from pathlib import Path

from dynadeep.codegen.emit import MANIFEST, MANIFEST_FORMAT, MANIFEST_KIND
from dynadeep.codegen.errors import ProjectError
from dynadeep.codegen.typed import Reader


@dataclass(frozen=True)
class Project:
    """A generated project. ``board`` is None where it holds the model and the runtime alone."""

    kind: str
    format: int
    kit: str
    model_id: str
    board: str | None
    engine: str
    kernels: str
    files: dict[str, str]  # file name -> SHA-256


def read_project(folder: Path) -> Project:
    """Read what the project in ``folder`` was generated for; its files may have been edited since.

    Raises:
        ProjectError: there is no generated project, or it is of another format.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ProjectError(f"{path}: no such file. Is {folder} a project made by 'generate'?")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProjectError(f"{path}: not JSON ({error}). Generate the project again.") from error
    found = (data.get("kind"), data.get("format")) if isinstance(data, dict) else (None, None)
    if found != (MANIFEST_KIND, MANIFEST_FORMAT):
        raise ProjectError(
            f"{path}: expected a {MANIFEST_KIND!r} of format {MANIFEST_FORMAT}, found "
            f"{found[0]!r} of format {found[1]!r}. Generate the project again with this kit."
        )
    reader = Reader(str(path), ProjectError, "Generate the project again.")
    return reader.read(Project, data)
