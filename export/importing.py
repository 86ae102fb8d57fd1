"""A network from anywhere -> bundle: the function behind ``dynadeep import``.

Everything that could be refused is, before TensorFlow sees the file.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

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
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from dynadeep.codegen.typed import Reader
from dynadeep.codegen.version import __version__
from dynadeep.export.errors import ExportError
from dynadeep.export.interpreters import Reference, Values, Witness
from dynadeep.export.net_golden import (
    Cases,
    cases_of,
    made_up,
    read_inputs,
    run_cases,
    write_golden,
)
from dynadeep.export.reference import has_witness
from dynadeep.export.replace import replaced

LARGEST_BYTES = 256 << 20
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
class Wanted:
    """What the user asks of an import."""

    golden: Path | None = None  # inputs of the golden vectors; None makes some up
    count: int = 8  # random ones, of those that are made up
    rate_hz: int | None = None


def import_tflite(path: Path, out: Path, wanted: Wanted = Wanted()) -> ImportReport:
    """Turn an int8 .tflite into a bundle, or leave ``out`` as it was.

    Raises:
        ModelError: the file is damaged, or holds what the kit cannot run.
        ExportError: one of its kinds; see export/errors.py.
        MissingDependencyError: TensorFlow, which makes the golden vectors, is not installed.
    """
    content = read_file(path)
    return bundle_of(content, _source(path, content), out, wanted)


def read_file(path: Path) -> bytes:
    """Return the bytes of a network's file.

    Raises:
        ModelError: it is missing, no regular file, or too large.
    """
    return Reader(str(path), ModelError, "Name a .tflite or .onnx file.").content(
        path, LARGEST_BYTES
    )


def _source(path: Path, content: bytes, *notes: str) -> Source:
    """Say what a bundle is made from, and what was done to it."""
    return Source(path.name, hashlib.sha256(content).hexdigest(), notes)


def bundle_of(content: bytes, source: Source, out: Path, wanted: Wanted) -> ImportReport:
    """Write the bundle of an int8 .tflite that was made of ``source``."""
    file = source.file
    graph = read_graph(content, file)
    lower(graph)
    inputs, outputs = ends(content, file)
    cases = _cases(inputs, wanted)
    reference = Reference(content, file)
    runs = run_cases(cases, reference)
    micro, differences = _against_micro(content, file, cases, runs)
    notes = (*source.notes, *_end_notes(inputs, outputs))
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
            sample_rate_hz=wanted.rate_hz,
            source=replace(source, notes=notes),
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


def _cases(inputs: tuple[TensorSpec, ...], wanted: Wanted) -> Cases:
    if wanted.golden is None:
        return made_up(inputs, wanted.count)
    return cases_of(read_inputs(wanted.golden, inputs), inputs)


def _against_micro(
    content: bytes, file: str, cases: Cases, runs: list[Values]
) -> tuple[str, tuple[Difference, ...]]:
    """Say what TFLite-Micro makes of the same inputs."""
    if not has_witness():
        return "not compared: the package tflite-micro is not installed", ()
    try:
        witness = Witness(content, file)
        found = run_cases(cases, witness)
    except ExportError as error:
        return f"not compared: {error}", ()
    makers = {
        tensor.name: f"op {node.index} {node.kind}"
        for node in witness.graph.nodes
        for tensor in node.outputs
    }
    differences = []
    for name in runs[0]:
        ours = np.stack([run[name] for run in runs]).astype(np.int16)
        gap = np.abs(ours - np.stack([run[name] for run in found]))
        if gap.any():
            differences.append(
                Difference(
                    name, makers.get(name, "input"), int((gap > 0).sum()), gap.size, int(gap.max())
                )
            )
    told = "differs" if differences else "equal in every value"
    return told, tuple(differences)


def _end_notes(inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> tuple[str, ...]:
    """Say which ends of the file the network on the board does not have."""
    return tuple(
        f'{end} "{one.name}": the file\'s own is {one.file_end.type} "{one.file_end.name}"; the '
        "board's is int8, which the firmware quantises to and from by the scale and zero point"
        for end, tensors in (("input", inputs), ("output", outputs))
        for one in tensors
        if one.file_end is not None
    )
