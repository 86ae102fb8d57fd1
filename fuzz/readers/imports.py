"""What an import takes: networks' files, inputs beside them, and the bundle that it makes."""

from pathlib import Path

from dynadeep.codegen.bundle import GOLDEN, MANIFEST, NET_FILES, Manifest, read_bundle
from dynadeep.codegen.canonical import ends
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.golden import read_net_golden
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from dynadeep.export import onnx_network
from dynadeep.export.net_golden import read_inputs, series_form
from fuzz.readers.model import with_hashes
from fuzz.readers.target import Target, check_types, scratch

KERAS = Path(__file__).parents[2] / "tests" / "data" / "keras"
NETWORK = KERAS / "flatten_dense.tflite"


def read_network(data: bytes) -> None:
    """Read a network as an import does before TensorFlow sees it."""
    inputs, outputs = ends(data, "network.tflite")
    lower(read_graph(data, "network.tflite"))
    if not inputs or not outputs:
        raise AssertionError("a network without an input or an output")


def read_onnx(data: bytes) -> None:
    """Read an ONNX file as far as onnxruntime takes it and all its operators are known."""
    path = scratch() / "network.onnx"
    path.write_bytes(data)
    onnx_network.read(path, "network.onnx")


def read_given(data: bytes) -> None:
    """Read inputs that a user gives: an archive if it begins as one, else an array."""
    path = scratch() / ("given.npz" if data[:2] == b"PK" else "given.npy")
    path.write_bytes(data)
    forms = [series_form("x", 8, 3)]
    for codes in (False, True):
        (values,) = read_inputs(path, forms, codes=codes)
        assert values.shape == (len(values), 8, 3)


def read_net_bundle(data: bytes) -> None:
    """Read the bundle of a network without a codec, the hashes of its files put right."""
    folder = scratch() / "net"
    folder.mkdir(exist_ok=True)
    for name in NET_FILES:
        (folder / name).write_bytes(b"" if name == GOLDEN else NETWORK.read_bytes())
    (folder / MANIFEST).write_bytes(with_hashes(data, folder, NET_FILES))
    manifest = read_bundle(folder).manifest
    check_types(manifest, Manifest)
    if manifest.codec is not None:
        raise ModelError("a codec's")


def read_vectors(data: bytes) -> None:
    """Read the golden vectors of a network."""
    path = scratch() / "vectors.npz"
    path.write_bytes(data)
    read_net_golden(path, ends(NETWORK.read_bytes())[0])


_READER = tuple(
    f"dynadeep.codegen.{name}" for name in ("tflite", "shapes", "patterns", "canonical", "ops")
)
TARGETS = (
    Target("network", read_network, _READER, ".tflite"),
    Target("onnx", read_onnx, ("dynadeep.export.onnx_network",)),
    Target("inputs", read_given, ("dynadeep.export.net_golden", "dynadeep.codegen.arrays"), ".npy"),
    Target("net-manifest", read_net_bundle, ("dynadeep.codegen.bundle",), ".json"),
    Target("vectors", read_vectors, ("dynadeep.codegen.golden",), ".npz"),
)
