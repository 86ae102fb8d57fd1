"""What a result was made from: data, split, commit, weights and version of the kit."""

import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dynadeep.codegen.version import __version__
from dynadeep.train.errors import DataError

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Provenance:
    """Stands in every table file, and in the metadata of every plot."""

    data: str
    split: str
    commit: str
    weights: Mapping[str, str]  # what they are -> SHA-256
    kit: str

    def block(self) -> dict[str, object]:
        """Return it for a JSON file."""
        return {
            "data": self.data,
            "split": self.split,
            "commit": self.commit,
            "weights_sha256": dict(sorted(self.weights.items())),
            "kit": self.kit,
        }

    def line(self) -> str:
        """Return it as one line of text, hashes cut to 12 digits."""
        weights = ", ".join(
            f"{name} {digest[:12]}" for name, digest in sorted(self.weights.items())
        )
        return (
            f"Data: {self.data}; split: {self.split}; commit: {self.commit[:12]}; "
            f"weights (SHA-256): {weights}; dynadeep {self.kit}"
        )


def provenance(
    data: str, split: str, weights: Mapping[str, Path], commit: str | None = None
) -> Provenance:
    """Hash the files of weights, and ask git for the commit unless it is given."""
    return Provenance(
        data=data,
        split=split,
        commit=commit or current_commit(Path(__file__).parent),
        weights={name: sha256_of(path) for name, path in weights.items()},
        kit=__version__,
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex; DataError where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be hashed ({error}). Give the weights' file.") from error


def current_commit(folder: Path) -> str:
    """Return the commit that ``folder`` stands at, "-dirty" where files differ, or "unknown"."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return UNKNOWN
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}-dirty" if changed else commit


def _git(folder: Path, *arguments: str) -> str:
    """Return what git prints, or nothing where it cannot."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
