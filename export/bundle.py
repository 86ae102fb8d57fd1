"""Checkpoint -> bundle: the function behind ``dynadeep export``, and the check of a bundle."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dynadeep.codegen.bundle import (
    BUNDLE_FILES,
    DECODER_ONNX,
    ENCODER_ONNX,
    ENCODER_TFLITE,
    GOLDEN,
    MANIFEST,
    Codec,
    InputMap,
    Level,
    Manifest,
    model_id_of,
    read_bundle,
    sha256_of,
    write_manifest,
)
from dynadeep.codegen.canonical import ends
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.golden import read_golden
from dynadeep.codegen.numerics import map_input, predicted_error, real_error
from dynadeep.codegen.progress import step
from dynadeep.codegen.version import __version__
from dynadeep.export import flatbuffer, packages
from dynadeep.export.errors import DisagreementError, ExportError
from dynadeep.export.golden import segments, write_golden
from dynadeep.export.input_map import integer_map
from dynadeep.export.reference import Int8, Reference, Tensors, Witness, cross_check, has_witness
from dynadeep.export.replace import replaced

try:
    from onnx import ModelProto

    from dynadeep.export import accuracy, calibration, onnx, quantize
    from dynadeep.train import checkpoint as checkpoints
    from dynadeep.train.input_map import as_tensor
    from dynadeep.train.levels import Level as NetworkLevel
    from dynadeep.train.model import DynamicDeep
except ImportError as error:
    raise packages.missing(error) from error

PRD_UNIT = "PRD %"
"""What heads predict that were fitted to no task."""

ONNX_WINDOWS = 32
ACCURACY_WINDOWS = 64


@dataclass(frozen=True)
class ExportReport:
    """What an export found out, for the user to read."""

    folder: Path
    model_id: str
    onnx_difference: float  # largest, of an output's range, ONNX against PyTorch
    operators: dict[str, int]  # of encoder.tflite
    tensors_checked: int  # reference against witness; 0 where tflite-micro has no package
    segments_checked: int
    losses: tuple[accuracy.LevelLoss, ...]  # over patients that the network never saw
    layer_sqnr_db: dict[str, float]
    levels: tuple[Level, ...]
    default_bound: float
    file_bytes: dict[str, int]


@dataclass(frozen=True)
class _Source:
    """What an export starts from."""

    checkpoint: checkpoints.Checkpoint
    record: dict[str, Any]
    recordings: calibration.Recordings
    input_map: InputMap

    @property
    def levels(self) -> "tuple[NetworkLevel, ...]":
        """The network's levels, weakest compression first."""
        return self.checkpoint.config.levels

    def real_inputs(self, windows: calibration.Samples) -> accuracy.Floats:
        """Return the network's float input [N, 1, T] for ADC windows, not rounded to int8."""
        mapped = self.checkpoint.input_map.apply(as_tensor(windows))
        return np.asarray(mapped.numpy(), np.float32)


@dataclass(frozen=True)
class _Models:
    """The three models of a bundle."""

    encoder: ModelProto
    decoder: ModelProto
    tflite: bytes
    onnx_difference: float


def export_bundle(
    checkpoint: Path, out: Path, calibration_data: Path | None = None
) -> ExportReport:
    """Turn a checkpoint into a bundle, or leave ``out`` as it was.

    Args:
        checkpoint: a .safetensors with its .json record beside it.
        out: the bundle's folder; an earlier bundle there is replaced.
        calibration_data: a folder with the database that the checkpoint was trained on last; None
            is the excerpt of it that comes with the kit.

    Raises:
        CheckpointError: the checkpoint is not one.
        DataError: a calibration record is missing or unreadable.
        ExportError: one of its kinds; see export/errors.py.
        MissingDependencyError: a package is not installed.
    """
    source = _read_source(checkpoint, calibration_data)
    with replaced(out, (*BUNDLE_FILES, MANIFEST)) as folder:
        models = _convert(source)
        _write_models(models, folder)
        with step("golden vectors, by the reference and its witness"):
            checked = _write_golden(source, models, folder)
        reference = Reference(models.tflite)
        manifest = _manifest(source, models, reference, folder)
        write_manifest(folder, manifest)
        with step("measuring what int8 loses"):
            losses, sqnr = _measure(source, models, reference)
        sizes = {item.name: item.stat().st_size for item in sorted(folder.iterdir())}
    return ExportReport(
        folder=out,
        model_id=manifest.model_id,
        onnx_difference=models.onnx_difference,
        operators=quantize.operator_counts(models.tflite),
        tensors_checked=checked[0],
        segments_checked=checked[1],
        losses=losses,
        layer_sqnr_db=sqnr,
        levels=manifest.levels,
        default_bound=manifest.default_bound,
        file_bytes=sizes,
    )


def check_bundle(folder: Path) -> int:
    """Check a bundle's hashes, scales and golden vectors; return how many tensors were compared.

    Raises:
        BundleError: a file is missing or altered.
        QuantizationError: a scale is not what it has to be.
        DisagreementError: reference or witness compute something else than the golden vectors.
    """
    bundle = read_bundle(folder)
    content = bundle.path(ENCODER_TFLITE).read_bytes()
    quantize.check(content, bundle.manifest.input)
    golden = read_golden(bundle.path(GOLDEN), bundle.manifest.segment_length)
    inputs = map_input(golden.samples, bundle.manifest.input_map)
    if not np.array_equal(inputs, golden.inputs):
        raise DisagreementError(f"{folder}: the input map gives other inputs than {GOLDEN} holds.")
    cross_check(golden.tensors, Reference(content).run(inputs))
    return _witness(content, inputs, golden.tensors)


def _read_source(checkpoint: Path, calibration_data: Path | None) -> _Source:
    loaded = checkpoints.load(checkpoint)
    if not isinstance(loaded.model, DynamicDeep):
        raise ExportError(
            f"{checkpoint}: a {loaded.config.architecture}; only dynamic-deep has packets. "
            "Its encoder alone becomes a bundle by `dynadeep import --torch`."
        )
    record = checkpoints.as_plain(checkpoints.read_record(checkpoint))
    recordings = calibration.read_recordings(loaded.training.dataset, calibration_data)
    return _Source(loaded, record, recordings, integer_map(loaded.input_map))


def _convert(source: _Source) -> _Models:
    """Make the three models, each checked against what it was made from."""
    model, windows = source.checkpoint.model, source.recordings.training
    assert isinstance(model, DynamicDeep)
    with step("exporting to ONNX"):
        encoder, decoder = onnx.export_encoder(model), onnx.export_decoder(model)
        real = source.real_inputs(spread(windows, ONNX_WINDOWS))
        difference = max(
            onnx.check_encoder(model, encoder, real), onnx.check_decoder(model, decoder, real)
        )
    with step("quantising to int8"):
        inputs = map_input(windows, source.input_map)
        scales = calibration.INPUT_QUANTIZATION[source.input_map.kind]
        tflite = quantize.quantize(encoder, inputs, scales)
    return _Models(encoder, decoder, tflite, difference)


def _write_models(models: _Models, folder: Path) -> None:
    onnx.write(models.encoder, folder / ENCODER_ONNX)
    onnx.write(models.decoder, folder / DECODER_ONNX)
    write_whole(folder / ENCODER_TFLITE, models.tflite)


def _write_golden(source: _Source, models: _Models, folder: Path) -> tuple[int, int]:
    """Write the golden vectors; return how many tensors and segments the witness confirmed."""
    chosen = segments(source.recordings.unseen)
    reference = Reference(models.tflite)
    golden = write_golden(folder / GOLDEN, chosen, source.input_map, reference)
    inputs = golden[flatbuffer.INPUT][:, :, 0]
    return _witness(models.tflite, inputs, golden), len(inputs)


def _witness(content: bytes, inputs: Int8, expected: Tensors) -> int:
    """Compare with TFLite-Micro; return the number of tensors, or 0 where it has no package."""
    if not has_witness():
        return 0
    return cross_check(expected, Witness(content).run(inputs))


def _measure(
    source: _Source, models: _Models, reference: Reference
) -> tuple[tuple[accuracy.LevelLoss, ...], dict[str, float]]:
    """Measure what int8 costs on unseen patients: per level, and per layer in decibels."""
    windows = spread(source.recordings.unseen, ACCURACY_WINDOWS)
    tensors = reference.run(map_input(windows, source.input_map))
    floats = accuracy.float_tensors(models.encoder, source.real_inputs(windows))
    scales = quantize.quantizations(models.tflite)
    latents = {level.name: latent_tensor(level) for level in source.levels}
    codec = accuracy.Codec(models.decoder, source.checkpoint.input_map, latents)
    losses = accuracy.level_losses(codec, windows, floats, tensors, scales)
    return losses, accuracy.layer_sqnr_db(floats, tensors, scales)


def _manifest(source: _Source, models: _Models, reference: Reference, folder: Path) -> Manifest:
    promise = source.checkpoint.promise
    levels = tuple(_level(level, models.tflite, promise) for level in source.levels)
    recordings = source.recordings
    inputs, outputs = ends(models.tflite)
    return Manifest(
        model_id=model_id_of(models.tflite),
        kit_version=__version__,
        sample_rate_hz=recordings.rate_hz,
        inputs=inputs,
        outputs=outputs,
        files={name: sha256_of(folder / name) for name in BUNDLE_FILES},
        record=source.record,
        codec=Codec(
            adc_gain=recordings.adc_gain,
            adc_baseline=recordings.adc_baseline,
            error_unit=promise.unit if promise else PRD_UNIT,
            default_bound=promise.bound if promise else _usual_error(source, reference, levels[-1]),
            margin_bounds=promise.bounds if promise else (0.0,),
            input_map=source.input_map,
            levels=levels,
        ),
    )


def _level(level: "NetworkLevel", content: bytes, promise: "checkpoints.Promise | None") -> Level:
    """Describe one level; without a promise its margins are 0."""
    scales = quantize.quantizations(content)
    latent, error = latent_tensor(level), f"head{level.name}/conv"
    return Level(
        name=f"cg{level.name}",
        codes=level.codes,
        gain=level.gain,
        latent_tensor=latent,
        latent=scales[latent],
        error_tensor=error,
        error=scales[error],
        margins=promise.margins[level.name] if promise else (0.0,),
        record_margins=promise.record_margins[level.name] if promise else (0.0,),
    )


def latent_tensor(level: "NetworkLevel") -> str:
    """Return the tensor of a level's codes: behind its SiLU if it has one."""
    return f"latent{level.name}/{'silu' if level.activated else 'conv'}"


def _usual_error(source: _Source, reference: Reference, strongest: Level) -> float:
    """Return the median predicted error of the training windows: half of them are within it."""
    windows = spread(source.recordings.training, ACCURACY_WINDOWS)
    codes = reference.run(map_input(windows, source.input_map))[strongest.error_tensor]
    errors = [real_error(predicted_error(int(code), strongest)) for code in codes.ravel()]
    return round(float(np.median(errors)), 1)


def spread(windows: calibration.Samples, count: int) -> calibration.Samples:
    """Return at most ``count`` windows, evenly spread."""
    rows = np.linspace(0, len(windows) - 1, min(count, len(windows))).round().astype(int)
    chosen: calibration.Samples = windows[rows]
    return chosen
