"""A checkpoint's bundle: exported, or taken from where an earlier study left it."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from dynadeep.codegen.bundle import Bundle, read_bundle
from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.lock import locked
from dynadeep.codegen.version import __version__

if TYPE_CHECKING:
    from dynadeep.export.bundle import ExportReport


def export_checkpoint(
    checkpoint: Path | None, out: Path, calibration: Path | None = None
) -> "ExportReport":
    """Export a checkpoint, by default the one that the kit ships, to the bundle ``out``."""
    from dynadeep.export.bundle import export_bundle  # needs torch and tensorflow
    from dynadeep.train.checkpoint import DEFAULT_CHECKPOINT

    return export_bundle(checkpoint or DEFAULT_CHECKPOINT, out, calibration)


def export_once(checkpoint: Path, folder: Path) -> Bundle:
    """Return a checkpoint's bundle in ``folder``; export it unless this kit has already done so."""
    from dynadeep.train import checkpoint as checkpoints  # needs torch

    record = checkpoints.as_plain(checkpoints.read_record(checkpoint))
    with locked(folder):
        with contextlib.suppress(BundleError):
            bundle = read_bundle(folder)
            if (bundle.manifest.kit_version, bundle.manifest.record) == (__version__, record):
                return bundle
        return read_bundle(export_checkpoint(checkpoint, folder).folder)
