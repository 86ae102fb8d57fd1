"""The files that carry a model: the bundle's, a generated project's, a board's description."""

import json
import struct
from pathlib import Path

import numpy as np

from dynadeep.codegen.board import Board, parse_board
from dynadeep.codegen.bundle import (
    BUNDLE_FILES,
    ENCODER_TFLITE,
    GOLDEN,
    MANIFEST,
    Bundle,
    Manifest,
    read_bundle,
    sha256_of,
)
from dynadeep.codegen.codec_context import codec_context
from dynadeep.codegen.emit import write_project
from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.net_context import net_context
from dynadeep.codegen.plan import Plan, plan_model
from dynadeep.codegen.tflite import read_graph
from dynadeep.host_tools.codec.decode import to_adc
from dynadeep.host_tools.measure.memory import read_image
from dynadeep.host_tools.measure.references import golden_cases
from fuzz.readers.target import Target, check_types, scratch
from fuzz.small import small_model
from tests.codegen.models import small_encoder
from tests.codegen.tflite_builder import TensorSpec

CONTENT, SMALL = small_model()


def _contexts(plan: Plan) -> None:
    net_context(plan)
    codec_context(plan, plan.manifest.need_codec())


def read_tflite(data: bytes) -> None:
    """Read a model, and plan it if it can be lowered."""
    lower(read_graph(data))


def read_fields(data: bytes) -> None:
    """Plan the small network with other scales, zero points and names: six bytes a change."""
    net = small_encoder()
    for at in range(0, len(data) - 5, 6):
        which, field, *value = data[at : at + 6]
        _change(net.model.tensors[which % len(net.model.tensors)], field, bytes(value))
    content = net.model.build()
    _contexts(plan_model(content, SMALL))


def _change(tensor: TensorSpec, field: int, value: bytes) -> None:
    number, (scale,) = int.from_bytes(value, "little", signed=True), struct.unpack("<f", value)
    count = max(1, len(tensor.scales))
    if field % 4 == 0:
        tensor.scales = (scale,) * count
    elif field % 4 == 1:
        tensor.scales = (*tensor.scales[:-1], scale)
    elif field % 4 == 2:
        tensor.zero_points = (number % 300 - 150 if field < 128 else number,) * count
    else:
        tensor.name = value.rstrip(b"\0").decode("latin-1")


def read_manifest(data: bytes) -> None:
    """Read a bundle with this manifest, the hashes of its files put right, and use all it says."""
    folder = scratch() / "bundle"
    folder.mkdir(exist_ok=True)
    for name in BUNDLE_FILES:
        if not (folder / name).is_file():
            (folder / name).write_bytes(CONTENT if name == ENCODER_TFLITE else b"")
    (folder / MANIFEST).write_bytes(with_hashes(data, folder))
    manifest = read_bundle(folder).manifest
    check_types(manifest, Manifest)
    to_adc(np.zeros(manifest.segment_length), manifest, (-5, 5))
    _contexts(plan_model(CONTENT, manifest))


def read_golden(data: bytes) -> None:
    """Read golden vectors behind a right hash."""
    folder = scratch() / "golden"
    folder.mkdir(exist_ok=True)
    (folder / GOLDEN).write_bytes(data)
    golden_cases(Bundle(folder, SMALL))


def read_board(data: bytes) -> None:
    """Read a board's description."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BoardError("not text") from error
    check_types(parse_board(text, "board.toml"), Board)


def read_project(data: bytes) -> None:
    """Generate into a folder that holds this manifest."""
    folder = scratch() / "project"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_bytes(data)
    write_project({"manifest.json": data}, folder)


def read_elf(data: bytes) -> None:
    """Read the sections and symbols of a firmware."""
    path = scratch() / "firmware.elf"
    path.write_bytes(data)
    read_image(path)


def with_hashes(data: bytes, folder: Path, names: tuple[str, ...] = BUNDLE_FILES) -> bytes:
    """Put the hashes of the bundle's files right, so that the rest is looked at too."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if isinstance(content, dict) and isinstance(content.get("files"), dict):
        content["files"] |= {name: sha256_of(folder / name) for name in names}
        return json.dumps(content).encode()
    return data


_CODEGEN = "dynadeep.codegen"
TARGETS = (
    Target(
        "tflite",
        read_tflite,
        tuple(f"{_CODEGEN}.{name}" for name in ("tflite", "graph", "lowering", "passes", "ops")),
        ".tflite",
    ),
    Target("tflite-fields", read_fields, (_CODEGEN,)),
    Target(
        "manifest",
        read_manifest,
        tuple(
            f"{_CODEGEN}.{name}"
            for name in ("bundle", "typed", "plan", "net_context", "codec_context")
        ),
        ".json",
    ),
    Target("golden", read_golden, (f"{_CODEGEN}.golden",), ".npz"),
    Target("board", read_board, (f"{_CODEGEN}.board", f"{_CODEGEN}.typed"), ".toml"),
    Target("project", read_project, (f"{_CODEGEN}.emit",), ".json"),
    Target("elf", read_elf, ("dynadeep.host_tools.measure.memory",), ".elf"),
)
