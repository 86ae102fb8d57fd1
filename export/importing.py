"""A network from anywhere -> bundle: the function behind ``dynadeep import``.

Everything that could be refused is, before TensorFlow sees the file.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dynadeep.codegen.arrays import Array
from dynadeep.codegen.bundle import (
    BUNDLE_FILES,
    GOLDEN,
    MANIFEST,
    MODEL_TFLITE,
    NET_FILES,
    Manifest,
    Source,
    TensorSpec,
    model_id_of,
    sha256_of,
    write_manifest,
)
from dynadeep.codegen.canonical import ends
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.graph import Graph
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from dynadeep.codegen.typed import Reader
from dynadeep.codegen.version import __version__
from dynadeep.export import onnx_network, torch_network
from dynadeep.export.errors import CalibrationError, ExportError
from dynadeep.export.float_network import float_runner, is_float, quantize, refuse_dynamic_range
from dynadeep.export.interpreters import Reference, Values, Witness
from dynadeep.export.net_golden import (
    Cases,
    Form,
    cases_of,
    read_inputs,
    run_cases,
    series_form,
    spread,
    synthetic_cases,
    write_golden,
)
from dynadeep.export.reference import has_witness
from dynadeep.export.replace import replaced

COMPARED = 32
"""Calibration inputs over which int8 is held against float."""

LARGEST_BYTES = 256 << 20
Shape = tuple[int, ...]
KNOWN_FILES = (*BUNDLE_FILES, *NET_FILES, MANIFEST)


@dataclass(frozen=True)
class Difference:
    """A tensor that TFLite-Micro computes otherwise than TFLite's reference."""

    tensor: str
    operator: str
    values: int  # that differ, of ``of``
    of: int
    largest: int  # difference, in codes


@dataclass(frozen=True)
class ImportReport:
    """What an import found out, for the user to read."""

    folder: Path
    model_id: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    operators: dict[str, int]
    cases: int
    tensors: int
    micro: str  # what came of the comparison with TFLite-Micro
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ImportOptions:
    """What the user asks of an import."""

    calibration: Path | None = None  # real values that a float network is quantised by
    golden: Path | None = None  # inputs of the golden vectors; None makes some up
    count: int = 8  # of those of the calibration, or else of random ones, that go with them
    rate_hz: int | None = None
    clip: float = 0.0  # share of each inner tensor's values that may lie beyond its int8 range


@dataclass(frozen=True)
class _Network:
    """A network on its way into a bundle: int8, and what it came from."""

    content: bytes
    source: Source
    forms: Sequence[Form]  # of the inputs, in files of the user's
    calibration: Sequence[Array] = ()  # real values [N, time, channels] for each input
    real: bytes = b""  # the float .tflite that it was quantised from


def import_network(path: Path, out: Path, options: ImportOptions) -> ImportReport:
    """Turn a .tflite or .onnx into a bundle, or leave ``out`` as it was.

    Raises:
        ModelError: the file is damaged, or holds what the kit cannot run.
        ExportError: one of its kinds; see export/errors.py.
        MissingDependencyError: TensorFlow, which makes the golden vectors, is not installed.
    """
    content = _read(path)
    if path.suffix == ".onnx":
        return _import_onnx(path, _source(path.name, content), out, options)
    graph = read_graph(content, path.name)
    source = _source(path.name, content)
    forms = [series_form(tensor.name, tensor.time, tensor.channels) for tensor in graph.inputs]
    if not is_float(graph):
        if options.calibration is not None or options.clip:
            raise CalibrationError(
                f"{path.name}: it is quantised already, --calibration and --clip are for a float "
                "network. Leave them away."
            )
        return _bundle(_Network(content, source, forms), out, options)
    refuse_dynamic_range(graph)
    return _bundle(_quantized(content, graph, source, forms, options), out, options)


def import_torch(
    factory: str, shapes: Sequence[Shape], out: Path, options: ImportOptions
) -> ImportReport:
    """Turn what a function of the user's returns, a torch.nn.Module, into a bundle.

    Args:
        factory: ``module:function``; the module is found as Python finds it, or in this folder.
        shapes: of the inputs, the batch of 1 included.
        out: the bundle's folder.
        options: what else was asked for.

    Raises:
        ExportError: there is no such function, its code fails, or PyTorch cannot export it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        torch_network.export(factory, shapes, path)
        return _import_onnx(path, _source(factory, path.read_bytes()), out, options)


def _read(path: Path) -> bytes:
    reader = Reader(str(path), ModelError, "Name a .tflite or .onnx file.")
    return reader.content(path, LARGEST_BYTES)


def _import_onnx(path: Path, source: Source, out: Path, options: ImportOptions) -> ImportReport:
    _need_calibration(source.file, options)
    converted = onnx_network.convert(path, source.file)
    forms = [onnx_network.form_of(end) for end in converted.inputs]
    network = _quantized(
        converted.content, read_graph(converted.content, source.file), source, forms, options
    )
    difference = onnx_network.check(converted, network.calibration, source.file)
    note = f"as a float .tflite at most {difference:.2g} of an output's range from onnxruntime"
    return _bundle(_noted(network, note, *onnx_network.notes(converted)), out, options)


def _quantized(
    content: bytes, graph: Graph, source: Source, forms: Sequence[Form], options: ImportOptions
) -> _Network:
    """Quantise a float network by the user's calibration data."""
    calibration = read_inputs(_need_calibration(source.file, options), forms, codes=False)
    shaped = [
        values.astype(np.float32).reshape(-1, *tensor.shape[1:])
        for values, tensor in zip(calibration, graph.inputs, strict=True)
    ]
    int8_content = quantize(content, graph, shaped, options.clip)
    network = _Network(int8_content, source, forms, calibration, content)
    clipped = (
        f", inner ranges without the outermost {options.clip:g} of the values"
        if options.clip
        else ""
    )
    return _noted(
        network, f"quantised to int8 by {len(calibration[0])} calibration inputs{clipped}"
    )


def _need_calibration(file: str, options: ImportOptions) -> Path:
    if options.calibration is None:
        raise ModelError(
            f"{file}: a float network, which is quantised by inputs as it will see them. Give "
            "--calibration x.npy (real values, some hundred inputs), or import an int8 .tflite."
        )
    return options.calibration


def _source(file: str, content: bytes) -> Source:
    """Say what a bundle is made from."""
    return Source(file, hashlib.sha256(content).hexdigest())


def _noted(network: _Network, *notes: str) -> _Network:
    source = network.source
    return replace(network, source=replace(source, notes=(*source.notes, *notes)))


def _bundle(network: _Network, out: Path, options: ImportOptions) -> ImportReport:
    """Write the bundle of an int8 .tflite."""
    content, file = network.content, network.source.file
    graph = read_graph(content, file)
    lower(graph)
    inputs, outputs = ends(content, file)
    cases = _cases(network, inputs, options)
    reference = Reference(content, file)
    runs = run_cases(cases, reference)
    micro, differences = _against_micro(content, file, cases, runs)
    losses = _losses(network, reference, inputs, outputs) if network.real else ()
    notes = (*network.source.notes, *losses, *_end_notes(inputs, outputs))
    with replaced(out, KNOWN_FILES) as folder:
        write_whole(folder / MODEL_TFLITE, content)
        write_golden(folder / GOLDEN, cases, runs)
        manifest = Manifest(
            model_id=model_id_of(content),
            kit_version=__version__,
            inputs=inputs,
            outputs=outputs,
            files={name: sha256_of(folder / name) for name in NET_FILES},
            record={},
            sample_rate_hz=options.rate_hz,
            source=replace(network.source, notes=notes),
        )
        write_manifest(folder, manifest)
    return ImportReport(
        folder=out,
        model_id=manifest.model_id,
        inputs=inputs,
        outputs=outputs,
        operators=dict(sorted(Counter(node.kind for node in graph.nodes).items())),
        cases=len(cases),
        tensors=len(runs[0]),
        micro=micro,
        differences=differences,
        notes=notes,
    )


def _losses(
    network: _Network,
    reference: Reference,
    inputs: tuple[TensorSpec, ...],
    outputs: tuple[TensorSpec, ...],
) -> Iterator[str]:
    """Say of each output how far int8 is from float, over some calibration inputs."""
    chosen = spread(network.calibration, COMPARED)
    run = float_runner(network.real, network.source.file)
    cases = cases_of(chosen, inputs)
    int8_runs = run_cases(cases, reference)
    rows = range(len(cases))
    float_runs = [run([values[row].astype(np.float32) for values in chosen]) for row in rows]
    for index, spec in enumerate(outputs):
        real = np.stack([tensors[index].ravel() for tensors in float_runs]).astype(np.float64)
        codes = np.stack([tensors[spec.name].ravel() for tensors in int8_runs]).astype(np.float64)
        gap = spec.scale * (codes - spec.zero_point) - real
        power = float((real**2).sum()) / max(float((gap**2).sum()), 1e-30)
        worst = float(np.abs(gap).max()) / max(float(np.ptp(real)), 1e-30)
        yield (
            f'output "{spec.name}": int8 is {10 * np.log10(max(power, 1e-30)):.0f} dB from float, '
            f"at most {worst:.1%} of its range, over {len(rows)} calibration inputs"
        )


def _cases(network: _Network, inputs: tuple[TensorSpec, ...], options: ImportOptions) -> Cases:
    """Return the golden inputs: those given, or made up ones and some of the calibration's."""
    if options.golden is not None:
        return cases_of(read_inputs(options.golden, network.forms, codes=True), inputs)
    if not network.calibration:
        return synthetic_cases(inputs, options.count)
    chosen = spread(network.calibration, options.count)
    return synthetic_cases(inputs, 1) | cases_of(chosen, inputs, "calibration")


def _against_micro(
    content: bytes, file: str, cases: Cases, runs: list[Values]
) -> tuple[str, tuple[Difference, ...]]:
    """Say what TFLite-Micro makes of the same inputs."""
    if not has_witness():
        return "not compared: the package tflite-micro is not installed", ()
    try:
        witness = Witness(content, file)
        micro_runs = run_cases(cases, witness)
    except ExportError as error:
        why = str(error).partition(": ")[2].removesuffix(" Convert the network again.")
        return f"not compared: {why}", ()
    makers = {
        tensor.name: f"op {node.index} {node.kind}"
        for node in witness.graph.nodes
        for tensor in node.outputs
    }
    differences = []
    for name in runs[0]:
        codes = np.stack([run[name] for run in runs]).astype(np.int16)
        gap = np.abs(codes - np.stack([run[name] for run in micro_runs]))
        if gap.any():
            differences.append(
                Difference(
                    name, makers.get(name, "input"), int((gap > 0).sum()), gap.size, int(gap.max())
                )
            )
    verdict = "differs" if differences else "equal in every value"
    return verdict, tuple(differences)


def _end_notes(inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> tuple[str, ...]:
    """Say which ends of the file the network on the board does not have."""
    return tuple(
        f'{end} "{spec.name}": the file\'s own is {spec.file_end.type} "{spec.file_end.name}"; the '
        "board's is int8, which the firmware quantises to and from by the scale and zero point"
        for end, tensors in (("input", inputs), ("output", outputs))
        for spec in tensors
        if spec.file_end is not None
    )
