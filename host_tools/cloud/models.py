"""The decoders of an archive's packets, as workers are told of them."""

import functools
from dataclasses import dataclass
from pathlib import Path

from dynadeep.codegen.bundle import DECODER_ONNX, Manifest, read_bundle
from dynadeep.codegen.errors import BundleError
from dynadeep.host_tools.cloud.bundles import find_bundles
from dynadeep.host_tools.codec.decode import Decoder


@dataclass(frozen=True)
class Model:
    """A bundle of a codec, as workers are told of it."""

    folder: Path
    manifest: Manifest

    @property
    def decoder_sha256(self) -> str:
        """What the decoded samples depend on besides the packets."""
        return self.manifest.files[DECODER_ONNX]

    def decoder(self) -> Decoder:
        """Return the decoder, opened once a process.

        Raises:
            BundleError: the bundle was changed since it was found.
            MissingDependencyError: onnxruntime is not installed.
        """
        return _decoder(self.folder, self.decoder_sha256)


Models = dict[int, Model]
"""By the number that the archive's column ``model`` has for them."""


def find_models(folder: Path) -> Models:
    """Find the bundles of codecs that ``folder`` is or holds.

    Raises:
        BundleError: as ``find_bundles``.
    """
    bundles = find_bundles(folder).items()
    return {number: Model(bundle.folder.resolve(), bundle.manifest) for number, bundle in bundles}


@functools.cache
def _decoder(folder: Path, decoder_sha256: str) -> Decoder:
    bundle = read_bundle(folder)
    if bundle.manifest.files[DECODER_ONNX] != decoder_sha256:
        raise BundleError(f"{folder}: the bundle was changed meanwhile. Run the command again.")
    return Decoder(bundle)
