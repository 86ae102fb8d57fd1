"""What tests make once and share: between tests, between workers of a run, and between runs.

Each thing lies in build/tests under a name that holds the hash of all that it is made of, so that
nothing there is ever out of date.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import mkdtemp

from filelock import FileLock

ROOT = Path(__file__).parents[1]
CACHE = ROOT / "build" / "tests"
SMALL_BUNDLE = ROOT / "tests" / "data" / "small_bundle"


def hash_of(parts: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(hashlib.sha256(part).digest())
    return found.hexdigest()[:16]


def hash_of_files(paths: Iterable[Path], *also: str) -> str:
    """Return the hash of files by name and content, and of other text that the result hangs on."""
    texts = [text.encode() for text in also]
    return hash_of(part for path in paths for part in (path.name.encode(), path.read_bytes())) + (
        f"-{hash_of(texts)[:8]}" if texts else ""
    )


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that ``make`` filled, here or in another run, and that nobody changes."""
    folder = CACHE / name
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / f"{name}.lock"):
        if not folder.exists():
            unfinished = Path(mkdtemp(prefix=f"{name}.", dir=CACHE))
            try:
                make(unfinished)
                unfinished.rename(folder)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def runtime_archive(project: Path, compiler: tuple[str, ...]) -> Path:
    """Return a project's runtime, compiled once for a kernel set and the compiler's options."""
    sources = sorted(project.glob("runtime/*.[ch]"))
    include = tuple(f"-I{project / folder}" for folder in ("model", "runtime"))

    def make(folder: Path) -> None:
        command = [*compiler, *include, "-c", *sorted(project.glob("runtime/*.c"))]
        subprocess.run(command, cwd=folder, check=True)
        objects = [path.name for path in sorted(folder.glob("*.o"))]
        subprocess.run(["ar", "rc", "runtime.a", *objects], cwd=folder, check=True)

    made_of = [*sources, *_headers_of_the_model(project, sources)]
    return made_once(f"runtime-{hash_of_files(made_of, *compiler)}", make) / "runtime.a"


def _headers_of_the_model(project: Path, sources: list[Path]) -> list[Path]:
    """Return those of the generated headers that the runtime itself includes."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    return [path for path in sorted(project.glob("model/*.h")) if f'"{path.name}"' in text]
