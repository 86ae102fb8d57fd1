"""The bundle: the folder that carries a network from export or import to everything after it.

    model.tflite  golden.npz  manifest.json                                     of any network
    encoder.tflite  encoder.onnx  decoder.onnx  golden.npz  manifest.json       of a codec

The manifest names every file with its SHA-256. ``model_id`` is the first 8 bytes of the SHA-256 of
the .tflite; it travels into the generated C, the board's handshake and every packet.
"""

import dataclasses
import hashlib
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.typed import Reader, shown

MANIFEST_FORMAT = 3
MODEL_TFLITE = "model.tflite"
ENCODER_TFLITE = "encoder.tflite"
ENCODER_ONNX = "encoder.onnx"
DECODER_ONNX = "decoder.onnx"
GOLDEN = "golden.npz"
MANIFEST = "manifest.json"
MAKE_AGAIN = "Make the bundle again, by 'dynadeep export' or 'dynadeep import'."
BUNDLE_FILES = (ENCODER_TFLITE, ENCODER_ONNX, DECODER_ONNX, GOLDEN)
"""Of a codec."""

NET_FILES = (MODEL_TFLITE, GOLDEN)
"""Of a network without one."""


MOST_MARGIN_BOUNDS = 64
MULTIPLIER_BITS = 14
LARGEST_SHIFT = 30
"""Of the affine input map: (sample - offset) * multiplier + half a step then fits int32."""

Int16 = Annotated[int, Meta(ge=-(1 << 15), le=(1 << 15) - 1)]
Positive = Annotated[float, Meta(ge=1e-30, le=1e30)]
Margin = Annotated[float, Meta(ge=-1e6, le=1e6)]
Bound = Annotated[float, Meta(ge=0, le=1e6)]
Text = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9 %_.,()/+-]{1,64}$", description="a few plain words")
]
"""What is written into C and printed: no quotes, no line ends, no comment's end."""

Name = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9_./:;+-]{1,4096}$", description="a tensor's name as C can hold it"),
]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="64 hexadecimal digits")]
Size = Annotated[int, Meta(ge=1, le=1 << 20)]


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
    margins: tuple[Margin, ...]  # added to the predicted error, one at each of margin_bounds
    record_margins: tuple[Margin, ...]  # where the mean over a record's segments decides


@dataclass(frozen=True)
class FileEnd:
    """What an imported file has for an input or output, where the network's own is another.

    A float or uint8 end is left to the host or the firmware, which take it to int8 and back.
    """

    name: Name
    type: Text  # "FLOAT32", "UINT8"
    scale: Positive | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class TensorSpec(Quantization):
    """One int8 input or output of the network, [time, channels]."""

    name: Name
    time: Size
    channels: Size
    file_end: FileEnd | None = None


@dataclass(frozen=True)
class Codec:
    """What makes a network of one channel an ECG codec."""

    adc_gain: Positive  # ADC units per millivolt
    adc_baseline: Annotated[int, Meta(ge=-(1 << 31), le=(1 << 31) - 1)]  # ADC value of 0 mV
    error_unit: Text  # unit of predicted errors and of the bound, e.g. "PRD %"
    default_bound: Bound
    margin_bounds: tuple[Bound, ...]  # ascending; between two of them margins are linear
    input_map: InputMap
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Source:
    """What an import was made from."""

    file: str  # its name, without the folder
    sha256: Sha256
    notes: tuple[str, ...] = ()  # what the import made of it, and what it said


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.json`` holds: the network, and the codec where it is one."""

    model_id: Annotated[str, Meta(pattern="^[0-9a-f]{16}$", description="16 hexadecimal digits")]
    kit_version: Text
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    files: dict[str, Sha256]  # file name -> SHA-256
    record: dict[str, Any]  # the checkpoint's training record
    sample_rate_hz: Annotated[int, Meta(ge=1, le=(1 << 32) - 1)] | None = None
    source: Source | None = None
    codec: Codec | None = None
    format: int = MANIFEST_FORMAT

    @property
    def model(self) -> str:
        """The name of the .tflite."""
        return MODEL_TFLITE if self.codec is None else ENCODER_TFLITE

    @property
    def input(self) -> TensorSpec:
        """The first input."""
        return self.inputs[0]

    @property
    def segment_length(self) -> int:
        """The time steps of the first input."""
        return self.input.time

    @property
    def rate_hz(self) -> int:
        """The sample rate.

        Raises:
            BundleError: none is known.
        """
        if self.sample_rate_hz is None:
            raise BundleError(
                f"{MANIFEST}: no sample rate is known. Import the network with --rate."
            )
        return self.sample_rate_hz

    def need_codec(self) -> Codec:
        """Return the codec.

        Raises:
            BundleError: there is none.
        """
        if self.codec is None:
            raise BundleError(
                f"{MANIFEST}: model {self.model_id} is a network without a codec, which has no "
                "packets, levels or bounds. Name the bundle of a codec, as 'export' writes it."
            )
        return self.codec

    def with_codec(self, **changes: Any) -> "Manifest":
        """Return a manifest whose codec has other fields."""
        return dataclasses.replace(self, codec=dataclasses.replace(self.need_codec(), **changes))

    @property
    def adc_gain(self) -> float:
        """``Codec.adc_gain``; as those below it raises BundleError where there is no codec."""
        return self.need_codec().adc_gain

    @property
    def adc_baseline(self) -> int:
        """``Codec.adc_baseline``."""
        return self.need_codec().adc_baseline

    @property
    def error_unit(self) -> str:
        """``Codec.error_unit``."""
        return self.need_codec().error_unit

    @property
    def default_bound(self) -> float:
        """``Codec.default_bound``."""
        return self.need_codec().default_bound

    @property
    def input_map(self) -> InputMap:
        """``Codec.input_map``."""
        return self.need_codec().input_map

    @property
    def levels(self) -> tuple[Level, ...]:
        """``Codec.levels``."""
        return self.need_codec().levels


@dataclass(frozen=True)
class Bundle:
    """A bundle whose hashes were checked."""

    folder: Path
    manifest: Manifest

    def path(self, name: str) -> Path:
        """Return the path of one of its files."""
        return self.folder / name

    @property
    def model_path(self) -> Path:
        """The path of the .tflite."""
        return self.path(self.manifest.model)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_id_of(tflite: bytes) -> str:
    """Return the model id of a TFLite flatbuffer: 16 hexadecimal digits."""
    return hashlib.sha256(tflite).hexdigest()[:16]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json``, the last file of a bundle, in a form that diffs well."""
    text = json.dumps(_without_none(dataclasses.asdict(manifest)), indent=2, sort_keys=True)
    write_whole(folder / MANIFEST, text + "\n")


def _without_none(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_none(value) for key, value in data.items() if value is not None}
    return [_without_none(item) for item in data] if isinstance(data, (list, tuple)) else data


def read_bundle(folder: Path) -> Bundle:
    """Read ``folder`` and check every hash.

    Raises:
        BundleError: a file is missing, altered, or the manifest is of another format.
    """
    manifest = _parse_manifest(folder / MANIFEST)
    for name in NET_FILES if manifest.codec is None else BUNDLE_FILES:
        _check_file(folder / name, manifest.files.get(name))
    expected_id = manifest.files[manifest.model][:16]
    if manifest.model_id != expected_id:
        raise BundleError(
            f"{folder / MANIFEST}: model_id is {manifest.model_id}, but {manifest.model} gives "
            f"{expected_id}. {MAKE_AGAIN}"
        )
    return Bundle(folder, manifest)


def _check_file(path: Path, expected: str | None) -> None:
    if expected is None:
        raise BundleError(f"{path.parent / MANIFEST}: has no hash of {path.name}. {MAKE_AGAIN}")
    if not path.is_file():
        raise BundleError(f"{path}: missing from the bundle. {MAKE_AGAIN}")
    digest = sha256_of(path)
    if digest != expected:
        raise BundleError(
            f"{path}: SHA-256 is {digest[:16]}..., the manifest says {expected[:16]}.... "
            f"The file was changed since. {MAKE_AGAIN}"
        )


def _parse_manifest(path: Path) -> Manifest:
    if not path.is_file():
        raise BundleError(
            f"{path}: no such file. Is {path.parent} a bundle made by 'export' or 'import'?"
        )
    reader = Reader(str(path), BundleError, MAKE_AGAIN)
    data = reader.json(reader.content(path))
    version = data.get("format") if isinstance(data, dict) else None
    if isinstance(data, dict) and "kind" in data:
        raise BundleError(
            f"{path}: is that of a {shown(data['kind'])}, not a bundle's. Name the folder that "
            "'export' or 'import' wrote: a generated project goes with --sources."
        )
    if version != MANIFEST_FORMAT:
        raise BundleError(
            f"{path}: manifest format is {version}, this kit reads {MANIFEST_FORMAT}. "
            "Make the bundle again with this version: by 'dynadeep export', or 'dynadeep import'."
        )
    manifest = reader.read(Manifest, data)
    _check_ends(manifest, reader)
    if manifest.codec is not None:
        _check_codec(manifest, manifest.codec, reader)
    return manifest


def _check_ends(manifest: Manifest, reader: Reader) -> None:
    """Check that there is an input and an output, and that no name stands for two tensors."""
    for end, tensors in (("inputs", manifest.inputs), ("outputs", manifest.outputs)):
        names = [tensor.name for tensor in tensors]
        if not names or (end == "inputs" and len(set(names)) != len(names)):
            reader.refuse(f'"{end}" are {shown(names)}, expected one or more')


def _check_codec(manifest: Manifest, codec: Codec, reader: Reader) -> None:
    """Check what the sections of a codec's manifest say of each other."""
    problem = map_problem(codec.input_map)
    if problem:
        reader.refuse(problem)
    names = [level.name for level in codec.levels]
    if len(set(names)) != len(names):
        reader.refuse(f"levels of one name: {', '.join(names)}")
    _check_margins(codec, reader)
    if manifest.sample_rate_hz is None:
        reader.refuse('key "sample_rate_hz" is missing')
    if len(manifest.inputs) != 1 or manifest.input.channels != 1:
        shapes = [[tensor.time, tensor.channels] for tensor in manifest.inputs]
        reader.refuse(f"a codec has one input of one channel, these are {shapes}")


def _check_margins(codec: Codec, reader: Reader) -> None:
    """Check that the bounds of the margins ascend, and that each level has one margin a bound."""
    bounds = codec.margin_bounds
    if not 1 <= len(bounds) <= MOST_MARGIN_BOUNDS:
        expected = f"expected 1 to {MOST_MARGIN_BOUNDS}"
        reader.refuse(f'key "codec.margin_bounds" has {len(bounds)} bounds, {expected}')
    if any(low >= high for low, high in itertools.pairwise(bounds)):
        reader.refuse(f'key "codec.margin_bounds" is {shown(list(bounds))}, expected it to ascend')
    for index, level in enumerate(codec.levels):
        for name in ("margins", "record_margins"):
            count = len(getattr(level, name))
            if count != len(bounds):
                key = f"codec.levels[{index}].{name}"
                reader.refuse(
                    f'key "{key}" has {count} values, expected {len(bounds)} as "margin_bounds"'
                )


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
