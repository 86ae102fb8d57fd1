"""The models whose packets an archive may hold: bundles in a folder, by their model id."""

from pathlib import Path

from dynadeep.codegen.bundle import MANIFEST, Bundle, Manifest, read_bundle
from dynadeep.codegen.errors import BundleError
from dynadeep.host_tools.cloud.schema import model_number
from dynadeep.host_tools.codec.packet import short_model_id


def find_bundles(folder: Path) -> dict[int, Bundle]:
    """Return the codecs' bundles of a folder, or the one that it is, by the column ``model``.

    Raises:
        BundleError: there is none, one is damaged, or two have model ids that begin alike.
    """
    if not folder.is_dir():
        raise BundleError(f"{folder}: no such folder. Name a folder of bundles, or a bundle.")
    folders = [folder] if (folder / MANIFEST).is_file() else sorted(folder.iterdir())
    bundles: dict[int, Bundle] = {}
    for path in folders:
        if (path / MANIFEST).is_file():
            _add(bundles, read_bundle(path))
    if not bundles:
        raise BundleError(
            f"{folder}: no bundle of a codec in it. Make one by 'dynadeep export', or name the "
            "folder that holds them."
        )
    return bundles


def period_us(manifest: Manifest) -> float:
    """Return the time that a segment takes, in microseconds."""
    return manifest.segment_length / manifest.rate_hz * 1e6


def _add(bundles: dict[int, Bundle], bundle: Bundle) -> None:
    if bundle.manifest.codec is None:
        return
    number = model_number(short_model_id(bundle.manifest))
    known = bundles.setdefault(number, bundle)
    if known.manifest.model_id != bundle.manifest.model_id:
        raise BundleError(
            f"{bundle.folder}: its model id {bundle.manifest.model_id} begins as that of "
            f"{known.folder}, so that packets do not tell them apart. Take one of them away."
        )
