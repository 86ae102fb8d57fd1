"""The bundle: the folder that carries a model from export to everything after it.

    encoder.onnx  encoder.tflite  decoder.onnx  golden.npz  manifest.json

The manifest names every file with its SHA-256. ``model_id`` is the first 8 bytes of the SHA-256 of
``encoder.tflite``; it travels into the generated C, the board's handshake and every packet.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.typed import Reader

MANIFEST_FORMAT = 1
ENCODER_TFLITE = "encoder.tflite"
ENCODER_ONNX = "encoder.onnx"
DECODER_ONNX = "decoder.onnx"
GOLDEN = "golden.npz"
MANIFEST = "manifest.json"
BUNDLE_FILES = (ENCODER_TFLITE, ENCODER_ONNX, DECODER_ONNX, GOLDEN)


@dataclass(frozen=True)
class Quantization:
    """Affine int8 quantisation of one tensor: ``real = scale * (q - zero_point)``."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class InputMap:
    """Integer map from int16 ADC samples to the int8 input; see ``numerics.map_input``.

    ``affine`` uses the three integers and the same values for every window; ``minmax`` scales each
    window by its own minimum and maximum and leaves the integers at 0.
    """

    kind: Literal["affine", "minmax"]
    offset: int = 0
    multiplier: int = 0
    shift: int = 0


@dataclass(frozen=True)
class Level:
    """One compressed level. Levels are numbered from 1, weakest compression first; 0 is "none"."""

    name: str  # "cg32", "cg64"
    codes: int  # int8 values in the payload
    gain: float  # samples per code, the paper's compression gain
    latent_tensor: str
    latent: Quantization
    error_tensor: str
    error: Quantization
    margin: float  # added to the predicted error before it is held against the bound
    record_margin: float  # the same where the mean over a record's segments decides


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.json`` holds."""

    model_id: str  # 16 hexadecimal digits
    kit_version: str
    sample_rate_hz: int
    segment_length: int
    adc_gain: float  # ADC units per millivolt
    adc_baseline: int  # ADC value of 0 mV
    error_unit: str  # unit of predicted errors and of the bound, e.g. "PRD %"
    default_bound: float
    input_tensor: str
    input: Quantization
    input_map: InputMap
    levels: tuple[Level, ...]
    files: dict[str, str]  # file name -> SHA-256
    record: dict[str, Any]  # the checkpoint's training record
    format: int = MANIFEST_FORMAT


@dataclass(frozen=True)
class Bundle:
    """A bundle whose hashes were checked."""

    folder: Path
    manifest: Manifest

    def path(self, name: str) -> Path:
        """Return the path of one of ``BUNDLE_FILES``."""
        return self.folder / name


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_id_of(tflite: bytes) -> str:
    """Return the model id of a TFLite flatbuffer: 16 hexadecimal digits."""
    return hashlib.sha256(tflite).hexdigest()[:16]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json``, the last file of a bundle, in a form that diffs well."""
    text = json.dumps(dataclasses.asdict(manifest), indent=2, sort_keys=True)
    write_whole(folder / MANIFEST, text + "\n")


def read_bundle(folder: Path) -> Bundle:
    """Read ``folder`` and check every hash.

    Raises:
        BundleError: a file is missing, altered, or the manifest is of another format.
    """
    manifest = _parse_manifest(folder / MANIFEST)
    for name in BUNDLE_FILES:
        _check_file(folder / name, manifest.files.get(name))
    expected_id = manifest.files[ENCODER_TFLITE][:16]
    if manifest.model_id != expected_id:
        raise BundleError(
            f"{folder / MANIFEST}: model_id is {manifest.model_id}, but {ENCODER_TFLITE} gives "
            f"{expected_id}. Export the bundle again."
        )
    return Bundle(folder, manifest)


def _check_file(path: Path, expected: str | None) -> None:
    if expected is None:
        raise BundleError(f"{path.parent / MANIFEST}: has no hash of {path.name}. Export again.")
    if not path.is_file():
        raise BundleError(f"{path}: missing from the bundle. Export it again.")
    found = sha256_of(path)
    if found != expected:
        raise BundleError(
            f"{path}: SHA-256 is {found[:16]}..., the manifest says {expected[:16]}.... "
            "The file was changed after the export; export the bundle again."
        )


def _parse_manifest(path: Path) -> Manifest:
    if not path.is_file():
        raise BundleError(f"{path}: no such file. Is {path.parent} a bundle made by 'export'?")
    reader = Reader(str(path), BundleError, "Export the bundle again.")
    data = reader.json(reader.content(path))
    found = data.get("format") if isinstance(data, dict) else None
    if found != MANIFEST_FORMAT:
        raise BundleError(
            f"{path}: manifest format is {found}, this kit reads {MANIFEST_FORMAT}. "
            "Export the bundle again with this version."
        )
    return reader.read(Manifest, data)
