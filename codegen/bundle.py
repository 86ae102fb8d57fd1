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
from typing import Annotated, Any, Literal

from msgspec import Meta

from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.typed import Reader, shown

MANIFEST_FORMAT = 1
ENCODER_TFLITE = "encoder.tflite"
ENCODER_ONNX = "encoder.onnx"
DECODER_ONNX = "decoder.onnx"
GOLDEN = "golden.npz"
MANIFEST = "manifest.json"
BUNDLE_FILES = (ENCODER_TFLITE, ENCODER_ONNX, DECODER_ONNX, GOLDEN)


MULTIPLIER_BITS = 14
LARGEST_SHIFT = 30
"""Of the affine input map: (sample - offset) * multiplier + half a step then fits int32."""

Int16 = Annotated[int, Meta(ge=-(1 << 15), le=(1 << 15) - 1)]
Positive = Annotated[float, Meta(ge=1e-30, le=1e30)]
Margin = Annotated[float, Meta(ge=-1e6, le=1e6)]
Text = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9 %_.,()/+-]{1,64}$", description="a few plain words")
]
"""What is written into C and printed: no quotes, no line ends, no comment's end."""


@dataclass(frozen=True)
class Quantization:
    """Affine int8 quantisation of one tensor: ``real = scale * (q - zero_point)``."""

    scale: Positive
    zero_point: Annotated[int, Meta(ge=-128, le=127)]


@dataclass(frozen=True)
class InputMap:
    """Integer map from int16 ADC samples to the int8 input; see ``numerics.map_input``.

    ``affine`` uses the three integers and the same values for every window; ``minmax`` scales each
    window by its own minimum and maximum and leaves the integers at 0.
    """

    kind: Literal["affine", "minmax"]
    offset: Int16 = 0
    multiplier: Annotated[int, Meta(ge=0, le=(1 << MULTIPLIER_BITS) - 1)] = 0
    shift: Annotated[int, Meta(ge=0, le=LARGEST_SHIFT)] = 0


@dataclass(frozen=True)
class Level:
    """One compressed level. Levels are numbered from 1, weakest compression first; 0 is "none"."""

    name: Annotated[
        str, Meta(pattern="^[A-Za-z][A-Za-z0-9_]{0,30}$", description="letters and digits")
    ]  # "cg32", "cg64"
    codes: Annotated[int, Meta(ge=1, le=1 << 16)]  # int8 values in the payload
    gain: Positive  # samples per code, the paper's compression gain
    latent_tensor: str
    latent: Quantization
    error_tensor: str
    error: Quantization
    margin: Margin  # added to the predicted error before it is held against the bound
    record_margin: Margin  # the same where the mean over a record's segments decides


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.json`` holds."""

    model_id: Annotated[str, Meta(pattern="^[0-9a-f]{16}$", description="16 hexadecimal digits")]
    kit_version: Text
    sample_rate_hz: Annotated[int, Meta(ge=1, le=(1 << 16) - 1)]
    segment_length: Annotated[int, Meta(ge=1, le=1 << 20)]
    adc_gain: Positive  # ADC units per millivolt
    adc_baseline: Annotated[int, Meta(ge=-(1 << 31), le=(1 << 31) - 1)]  # ADC value of 0 mV
    error_unit: Text  # unit of predicted errors and of the bound, e.g. "PRD %"
    default_bound: Annotated[float, Meta(ge=0, le=1e6)]
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
    if isinstance(data, dict) and "kind" in data:
        raise BundleError(
            f"{path}: is that of a {shown(data['kind'])}, not a bundle's. Name the folder that "
            "'export' wrote: a generated project goes with --sources."
        )
    if found != MANIFEST_FORMAT:
        raise BundleError(
            f"{path}: manifest format is {found}, this kit reads {MANIFEST_FORMAT}. "
            "Export the bundle again with this version."
        )
    manifest = reader.read(Manifest, data)
    problem = map_problem(manifest.input_map)
    if problem:
        reader.refuse(problem)
    names = [level.name for level in manifest.levels]
    if len(set(names)) != len(names):
        reader.refuse(f"levels of one name: {', '.join(names)}")
    return manifest


def map_problem(input_map: InputMap) -> str:
    """Say what keeps ``dd_input_map.h`` from computing a map, or nothing."""
    if input_map.kind == "minmax":
        return ""
    least = min(input_map.multiplier, input_map.shift)
    fits = input_map.multiplier < 1 << MULTIPLIER_BITS and input_map.shift <= LARGEST_SHIFT
    if least >= 1 and fits and -(1 << 15) <= input_map.offset < 1 << 15:
        return ""
    return (
        f"input_map is {input_map}; an affine map needs an int16 offset, a multiplier of 1 to "
        f"{(1 << MULTIPLIER_BITS) - 1} and a shift of 1 to {LARGEST_SHIFT}"
    )
