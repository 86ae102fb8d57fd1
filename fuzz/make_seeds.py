"""Write the committed seeds anew, after a format has changed: ``python -m fuzz.make_seeds``.

Each target has a folder of small inputs: valid ones, made by what writes them in earnest, and those
that once failed, whose names begin with ``was-`` and which stay.
"""

import dataclasses
import io
import json
import struct
import tempfile
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyedflib
import safetensors.torch
import torch
import wfdb
from torch import nn

from dynadeep.codegen.board import boards_folder
from dynadeep.codegen.bundle import BUNDLE_FILES, NET_FILES, Manifest, Source, model_id_of
from dynadeep.codegen.canonical import ends
from dynadeep.codegen.numerics import map_input
from dynadeep.codegen.plan import plan_model
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec import rice
from dynadeep.host_tools.link.frames import CRC, HEADER, cobs_encode
from dynadeep.host_tools.link.protocol import PROTOCOL_VERSION, Command
from dynadeep.train import resume
from dynadeep.train.checkpoint import DEFAULT_CHECKPOINT
from dynadeep.train.evaluation import cost
from fuzz import SEEDS
from fuzz.mutate import pack
from fuzz.readers.archives import SLASH
from fuzz.readers.imports import KERAS, NETWORK
from fuzz.readers.recordings import RECORD
from fuzz.readers.training import RUN, TASK, TINY
from fuzz.small import small_model, small_project
from tests.cloud import decoding
from tests.codegen.models import small_encoder

CONTENT, MANIFEST = small_model()
LENGTH = MANIFEST.segment_length
CONVOLVED = [spec.name for spec in small_encoder().model.tensors].index("conv1/conv")
KEPT = "was-"
ECG = np.round(200 * np.sin(np.arange(2000) / 9) ** 9).astype(np.int16)

Seeds = dict[str, bytes]


def main() -> None:
    """Write every target's seeds."""
    for make in (_c_targets, _wire, _model, _imports, _recordings, _training, _archives):
        for target, seeds in make().items():
            _write(SEEDS / target, seeds)


def _write(folder: Path, seeds: Seeds) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if not old.name.startswith(KEPT):
            old.unlink()
    for name, content in seeds.items():
        (folder / name).write_bytes(content)


def _c_targets() -> dict[str, Seeds]:
    words = ECG[: 4 * LENGTH].astype("<i2").tobytes()
    steps = np.diff(ECG[: 2 * LENGTH]).clip(-127, 127).astype(np.int8).tobytes()
    samples = bytes([2]) + struct.pack("<HbH", 7, 8, 0) + steps[:LENGTH]
    tensor = bytes([2, 2]) + struct.pack("<HBxHI", 9, 1, 4, 0) + bytes([LENGTH - 1]) + words
    hello = bytes([3]) + struct.pack("<H", 5)
    return {
        "cobs": {"frame": struct.pack("<H", 300) + bytes(range(256)) * 2},
        "commands": {
            "segment": hello + bytes([2, 0x40]) + struct.pack("<H", 7) + bytes([39]) + words,
            "pieces": hello + samples + samples,
            "tensor": hello + tensor,
            "reset": hello + bytes([1]) + struct.pack("<HBBH2s", 9, Command.RESET, 0, 2, b"ab"),
            "noise": bytes([0, 200]) + words[:200] + hello,
        },
        "encoder": {
            "quiet": bytes([1, 0, 0]) + b"\0\0\0" + steps + bytes([3, 0, 1, 200]),
            "noise": bytes([1, 0, 40]) + b"\1\0\0" + words[: 2 * LENGTH] + bytes(9),
            "strong": bytes([1, 0, 3]) + b"\1\0\0" + words,
        },
        "input_map": {"ecg": struct.pack("<hHB", 1024, 8192, 14) + words},
        "samples": {
            "words": struct.pack("<BH8s", 0, 90, bytes(range(8))) + words,
            "steps": struct.pack("<BH8s", 3, 300, bytes(8)) + steps,
        },
    }


def _frame(command: int, payload: bytes) -> bytes:
    body = HEADER.pack(3, command, 0) + payload
    return cobs_encode(body + CRC.pack(zlib.crc32(body))) + b"\0"


def _wire() -> dict[str, Seeds]:
    model_id = bytes.fromhex(MANIFEST.model_id)
    hello = struct.pack(
        "<B8sBBBBIIIHBBHHHHBB",
        *(PROTOCOL_VERSION, model_id, 1, 1, 2, 1),  # the codec, streaming, the lanes, a counter
        *(1000, 360, 2 * LENGTH, 2 * LENGTH, 1, 4, 9, 12, 88, 120, 2, 1),
    )
    hello += b"\x06native\x050.1.0"
    replies = {
        "hello": hello,
        "run": struct.pack("<BBiiQIH", 1, 2, 5, 6, 99, 9, 0) + _packets()[0],
        "trace": struct.pack("<HIIHII", 0, 1, 2, 1, 3, 4),
        "constants": struct.pack("<II", 1, 2),
        "memory": struct.pack("<II", 4096, 900),
        "bound": struct.pack("<i", 77),
        "fault": struct.pack("<BBIIIII5I", 1, 3, 0x8000, 0x8001, 0, 0, 0, *range(5)),
    }
    coded = rice.encode_samples(ECG[:LENGTH])
    plain = rice.encode_samples((ECG[:3] * 7919).astype(np.int16))
    return {
        "frames": {"two": b"\0" + _frame(1, hello) + b"\0" + _frame(2, bytes(300))},
        "requests": {"zeros": bytes(600), "bytes": bytes(range(256)) * 2},
        "replies": {name: bytes([i]) + data for i, (name, data) in enumerate(replies.items())},
        "packets": {"three": b"".join(_packets())},
        "rice-decode": {
            "coded": struct.pack("<H", LENGTH - 1) + coded,
            "plain": struct.pack("<H", 2) + plain,
        },
        "rice-encode": {
            "words": b"\0" + ECG[:100].astype("<i2").tobytes(),
            "steps": b"\xff" + np.diff(ECG[:100]).astype(np.int8).tobytes(),
        },
    }


def _packets() -> list[bytes]:
    """Return one packet of each level."""
    encoded = []
    for level in range(len(MANIFEST.levels) + 1):
        codes = np.arange(MANIFEST.levels[level - 1].codes, dtype=np.int8) if level else None
        payload = packets.payload_of(MANIFEST, level, ECG[:LENGTH], codes)
        packet = packets.Packet(level, packets.short_model_id(MANIFEST), 1, level, payload)
        encoded.append(packets.encode(packet))
    return encoded


def _json(content: Any) -> bytes:
    return json.dumps(content, indent=1).encode()


def _array(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def _archive(arrays: dict[str, np.ndarray]) -> bytes:
    return pack({f"{name}.npy": _array(array) for name, array in arrays.items()})


def _model() -> dict[str, Seeds]:
    files = dict.fromkeys(BUNDLE_FILES, "0" * 64)
    manifest = dataclasses.replace(MANIFEST, files=files, record={"training": {"seed": 0}})
    tensors = {
        tensor.name: np.zeros((2, tensor.time, tensor.channels), np.int8)
        for tensor in plan_model(CONTENT, MANIFEST).tensors
    }
    samples = np.stack([ECG[:LENGTH], ECG[LENGTH : 2 * LENGTH]])
    golden = {"samples": samples, "names": np.array(["one", "two"]), **tensors}
    golden["input"] = map_input(samples, MANIFEST.input_map)
    boards = ("native", "mps2-an386", "microbit", "stm32vldiscovery")
    return {
        "tflite": {"small.tflite": CONTENT},
        "tflite-fields": {
            "scale": struct.pack("<BBf", CONVOLVED, 0, 0.02),
            "zero-point": struct.pack("<BBi", CONVOLVED, 2, 159),
            "name": bytes([CONVOLVED, 3]) + b"name",
        },
        "manifest": {"small.json": _json(dataclasses.asdict(manifest))},
        "golden": {"two.npz": _archive(golden)},
        "board": {
            f"{name}.toml": (boards_folder() / name / "board.toml").read_bytes() for name in boards
        },
        "project": {"small.json": small_project()["manifest.json"]},
        "elf": {"small.elf": _small_elf()},
    }


def _small_elf() -> bytes:
    """Return an ELF file with a section and a symbol in it, as a linker writes it."""
    names = b"\0.text\0.symtab\0.strtab\0.shstrtab\0"
    strings = b"\0layer_weights\0"
    symbols = bytes(16) + struct.pack("<IIIBBH", 1, 0x8000, 4, 0x11, 0, 1)
    parts = (b"\0" * 4, symbols, strings, names)
    header, table, at = 52, b"\0" * 40, 52
    rows = ((1, 1, 6, 0, 0, 0), (7, 2, 0, 3, 1, 16), (15, 3, 0, 0, 0, 0), (23, 3, 0, 0, 0, 0))
    for part, (name, kind, flags, link, info, size) in zip(parts, rows, strict=True):
        table += struct.pack(
            "<10I", name, kind, flags, 0x8000 * (kind == 1), at, len(part), link, info, 4, size
        )
        at += len(part)
    ident = b"\x7fELF\1\1\1" + bytes(9)
    head = struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0x8000, 0, at, 0, header, 0, 0, 40, 5, 4)
    return ident + head + b"".join(parts) + table


def _imports() -> dict[str, Seeds]:
    content = NETWORK.read_bytes()
    inputs, outputs = ends(content)
    digest = "0" * 64
    manifest = Manifest(
        model_id=model_id_of(content),
        kit_version="0.1.0",
        inputs=inputs,
        outputs=outputs,
        files=dict.fromkeys(NET_FILES, digest),
        record={},
        sample_rate_hz=16_000,
        source=Source("network.tflite", digest, ("quantised to int8",)),
    )
    values = np.linspace(-1, 1, 48, dtype=np.float32).reshape(2, 8, 3)
    count = 2 * inputs[0].time * inputs[0].channels
    codes = np.arange(count).astype(np.int8).reshape(2, inputs[0].time, inputs[0].channels)
    return {
        "network": {path.name: path.read_bytes() for path in sorted(KERAS.glob("*.tflite"))},
        "onnx": {"small.onnx": _onnx()},
        "inputs": {"real.npy": _array(values), "codes.npz": _archive({"x": codes[:, :8]})},
        "net-manifest": {"small.json": _json(dataclasses.asdict(manifest))},
        "vectors": {"two.npz": _archive({"#names": np.array(["a", "b"]), inputs[0].name: codes})},
    }


def _onnx() -> bytes:
    """Return a convolution and a pool with an open batch."""
    weights = onnx.numpy_helper.from_array(np.ones((2, 1, 3), np.float32), "w")
    shapes = {"x": ("batch", 1, 16), "y": ("batch", 2, 7)}
    ends_of = {
        name: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    }
    nodes = [
        onnx.helper.make_node("Conv", ["x", "w"], ["c"], name="conv"),
        onnx.helper.make_node("MaxPool", ["c"], ["y"], name="pool", kernel_shape=[2], strides=[2]),
    ]
    graph = onnx.helper.make_graph(nodes, "small", [ends_of["x"]], [ends_of["y"]], [weights])
    opset = [onnx.helper.make_opsetid("", 17)]
    return onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def _recordings() -> dict[str, Seeds]:
    values = ECG[: 2 * LENGTH]
    lines = "\n".join(map(str, values)).encode()
    columns = np.stack([values, values // 2])
    table = "\n".join(f"{i / 360:.4f},{value}" for i, value in enumerate(values)).encode()
    records = {
        "f16": _wfdb("16"),
        "f212": _wfdb("212"),
        "f80": _wfdb("80"),
    }
    beats = {**records["f212"], f"{RECORD}.atr": _beats(), "REFERENCE-v3.csv": b"A1,N\nA2,A\n"}
    return {
        "csv": {
            "lines.csv": lines,
            "header.csv": b"time,ECG\n" + table,
            "decimal.csv": (table.replace(b",", b";")).replace(b".", b","),
        },
        "tsv": {"columns.tsv": b"ECG\tresp\n" + lines.replace(b"\n", b"\t7\n") + b"\t7\n"},
        "txt": {"lines.txt": lines + b"\n"},
        "npy": {
            "record.npy": _array(values),
            "segments.npy": _array(values.reshape(2, LENGTH)),
            "floats.npy": _array(values.astype(np.float32)),
        },
        "npz": {"ecg.npz": _archive({"ECG": values, "resp": columns[1]})},
        "edf": {"two.edf": _edf(pyedflib.FILETYPE_EDFPLUS)},
        "bdf": {"two.bdf": _edf(pyedflib.FILETYPE_BDFPLUS)},
        "wfdb": {f"{name}.zip": pack(members) for name, members in records.items()},
        "database": {"beats.zip": pack(beats)},
    }


def _wfdb(kind: str) -> Seeds:
    """Return the files of a record at 360 Hz in one of WFDB's formats."""
    signal = ECG // 4 if kind == "80" else ECG
    with tempfile.TemporaryDirectory() as folder:
        wfdb.wrsamp(
            RECORD,
            fs=360,
            units=["mV"],
            sig_name=["ECG"],
            d_signal=signal[:, None].astype(np.int64),
            fmt=[kind],
            adc_gain=[200.0],
            baseline=[0],
            write_dir=folder,
        )
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def _edf(kind: int) -> bytes:
    """Return a second of ECG and respiration at 360 Hz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r"
        with pyedflib.EdfWriter(str(path), 2, file_type=kind) as writer:
            for channel, label in enumerate(("ECG II", "resp")):
                limits = {"physical_max": 5000, "physical_min": -5000}
                digital = {"digital_max": 32767, "digital_min": -32768}
                head = {"label": label, "dimension": "uV", "sample_frequency": 360}
                writer.setSignalHeader(channel, head | limits | digital)
            writer.setStartdatetime(datetime(2020, 1, 1, tzinfo=None))
            writer.writeSamples([ECG[:360] * 5.0, ECG[:360] * 1.0])
        return path.read_bytes()


def _beats() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        wfdb.wrann(RECORD, "atr", np.array([40, 300, 700]), ["N", "V", "N"], write_dir=folder)
        return (Path(folder) / f"{RECORD}.atr").read_bytes()


def _training() -> dict[str, Seeds]:
    return {
        "checkpoint": {"shipped.json": DEFAULT_CHECKPOINT.with_suffix(".json").read_bytes()},
        "task": {"shipped.json": TASK.with_suffix(".json").read_bytes()},
        "weights": {"tiny.safetensors": safetensors.torch.save(TINY)},
        "state": {"one.safetensors": _written(_write_state)},
        "prices": {"shipped.toml": cost.PRICES_PATH.read_bytes()},
    }


def _archives() -> dict[str, Seeds]:
    gap = {"kind": "gap", "count": 2, "model": None, "level": None, "packet": None}
    rows = [decoding.row(0), decoding.row(1) | gap, *map(decoding.row, (3, 4))]
    begun = decoding.row(0, "restart", stream=1, count=0, time=rows[-1]["time"])
    odd = decoding.row(5, "bad_packet", packet=b"x", detail="no packet") | {"index": None}
    with tempfile.TemporaryDirectory() as folder:
        decoding.put(Path(folder), [*rows, begun, odd])
        (path,) = Path(folder).rglob("*.parquet")
        content, names = path.read_bytes(), path.relative_to(folder).parts
    return {
        "parquet": {"day.parquet": content},
        "archive": {"one.zip": pack({SLASH.join(names): content})},
    }


def _written(write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "written"
        write(path)
        return path.read_bytes()


def _write_state(path: Path) -> None:
    torch.manual_seed(0)
    module = nn.Linear(3, 2)
    adam = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 3)).sum().backward()
    adam.step()
    resume.write_state(path, module, adam, 1, RUN)


if __name__ == "__main__":
    main()
