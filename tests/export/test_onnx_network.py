"""Any one-dimensional ONNX network becomes a .tflite that computes what onnxruntime computes."""

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

from dynadeep.codegen.bundle import read_bundle
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.tflite import read_graph
from dynadeep.export import onnx_network
from dynadeep.export.errors import CalibrationError, ExportError, UnsupportedOpError
from dynadeep.export.importing import ImportOptions, import_network, import_torch
from dynadeep.export.packages import quiet

pytestmark = pytest.mark.heavy


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(6, 6, 3, padding=1)
        self.norm = nn.BatchNorm1d(6)
        self.second = nn.Conv1d(6, 6, 3, padding=2, dilation=2, groups=6)

    def forward(self, x):
        return functional.relu(x + self.second(functional.relu(self.norm(self.first(x)))))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv1d(1, 4, 9, padding=4)
        self.deep = nn.Conv1d(4, 8, 9, stride=2, padding=4)
        self.up = nn.Upsample(scale_factor=2)
        self.out = nn.Conv1d(12, 1, 9, padding=4)

    def forward(self, x):
        first = functional.leaky_relu(self.down(x), 0.1)
        deep = functional.hardswish(self.deep(first))
        return torch.sigmoid(self.out(torch.cat([self.up(deep), first], 1)))


class Flattened(nn.Module):
    """PyTorch flattens channels before time, the board has time before channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 8, 5, stride=2, padding=2)
        self.act = nn.PReLU(8)
        self.dense = nn.Linear(8 * 16, 10)

    def forward(self, x):
        return functional.softmax(self.dense(self.act(self.conv(x)).flatten(1)), -1)


class TimeFirst(nn.Module):
    """Its input is [1, time, channels], which only its layers tell."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(3, 8)
        self.conv = nn.Conv1d(8, 4, 3)

    def forward(self, x):
        return self.conv(torch.tanh(self.dense(x)).transpose(1, 2)).mean(2)


class Gate(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 8, 3, padding=1)
        self.dense = nn.Linear(8, 8)

    def forward(self, x):
        y = self.conv(x)
        return y * torch.sigmoid(self.dense(y.mean(-1))).unsqueeze(-1)


NETWORKS = {
    "residual, pooled, dense": (
        lambda: nn.Sequential(
            nn.Conv1d(2, 6, 7, stride=2, padding=3),
            nn.MaxPool1d(3, 2, 1),
            Residual(),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(6, 4),
        ),
        (1, 2, 64),
    ),
    "U-Net": (UNet, (1, 1, 64)),
    "flattened channels": (Flattened, (1, 3, 32)),
    "time first": (TimeFirst, (1, 20, 3)),
    "squeeze and excite": (Gate, (1, 2, 24)),
    "dense autoencoder": (
        lambda: nn.Sequential(nn.Linear(64, 8), nn.ReLU6(), nn.Linear(8, 64)),
        (1, 64),
    ),
    "two-dimensional layers over one": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, (1, 3), padding=(0, 1)), nn.ELU(), nn.Conv2d(4, 4, (1, 3), groups=2)
        ),
        (1, 1, 1, 32),
    ),
    "transposed": (
        lambda: nn.Sequential(
            nn.ConvTranspose1d(1, 2, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.ConvTranspose1d(2, 1, 3, stride=2, padding=1, output_padding=1),
        ),
        (1, 1, 16),
    ),
    "causal": (
        lambda: nn.Sequential(nn.ZeroPad1d((3, 0)), nn.Conv1d(1, 4, 4), nn.AvgPool1d(2), nn.GELU()),
        (1, 1, 32),
    ),
}


def exported(network: nn.Module, shape: tuple[int, ...], path: Path) -> Path:
    torch.manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    with quiet():
        torch.onnx.export(
            network.eval(), (torch.randn(shape),), str(path), input_names=["x"], verbose=False
        )
    return path


@pytest.mark.parametrize("case", NETWORKS)
def test_a_network_of_pytorch_computes_the_same_as_a_tflite(case: str, tmp_path: Path) -> None:
    make, shape = NETWORKS[case]
    converted = onnx_network.convert(exported(make(), shape, tmp_path / "n.onnx"), "n.onnx")
    source = read_graph(converted.content).input
    inputs = np.random.default_rng(0).normal(size=(3, source.time, source.channels))
    assert onnx_network.check(converted, [inputs.astype(np.float32)], "n.onnx") < 1e-5


def test_an_onnx_file_is_quantised_by_data_in_its_own_layout(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv1d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2))
    path = exported(network, (1, 2, 32), tmp_path / "n.onnx")
    inputs = np.random.default_rng(0).normal(size=(20, 2, 32)).astype(np.float32)
    np.save(tmp_path / "x.npy", inputs)
    report = import_network(path, tmp_path / "b", ImportOptions(tmp_path / "x.npy", count=2))
    source = read_bundle(tmp_path / "b").manifest.input
    assert (source.name, source.time, source.channels) == ("x", 32, 2)
    assert source.scale == pytest.approx(float(np.ptp(inputs)) / 255, rel=1e-3)
    assert "quantised to int8 by 20 calibration inputs" in report.notes
    assert 'input "x": [time, channels] on the board, channels first in ONNX' in report.notes
    assert report.micro == "equal in every value"


def test_a_function_that_returns_a_network_is_imported(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "own_network.py").write_text(
        "from torch import nn\ndef make():\n    return nn.Conv1d(1, 2, 3)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(20, 1, 16)))
    options = ImportOptions(tmp_path / "x.npy", count=1)
    import_torch("own_network:make", [(1, 1, 16)], tmp_path / "b", options)
    manifest = read_bundle(tmp_path / "b").manifest
    assert manifest.source.file == "own_network:make"
    assert [(spec.time, spec.channels) for spec in manifest.outputs] == [(14, 2)]


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("no_such_module:make", "its code fails (ModuleNotFoundError"),
        ("math:nothing", "its code fails (AttributeError"),
        ("builtins:dict", "returned dict, expected a torch.nn.Module"),
        ("math", "expected module:function"),
    ],
)
def test_a_function_that_makes_no_network_is_refused(factory: str, message: str, tmp_path) -> None:
    with pytest.raises(ExportError, match=re.escape(message)):
        import_torch(factory, [(1, 1, 16)], tmp_path / "b", ImportOptions())
    assert not (tmp_path / "b").exists()


def made_of(operators: list[str], shape: tuple[int | str, ...], path: Path) -> Path:
    """Write an ONNX file of operators that read one tensor each."""
    names = ["x", *(f"t{number}" for number in range(len(operators)))]
    nodes = [
        helper.make_node(op, names[i : i + 1], names[i + 1 : i + 2], name=f"node{i}")
        for i, op in enumerate(operators)
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name in (names[0], names[-1])
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path


def test_all_nodes_that_cannot_be_converted_are_named_at_once(tmp_path: Path) -> None:
    path = made_of(["Sin", "Relu", "Sin", "Erf"], (1, 1, 8), tmp_path / "n.onnx")
    with pytest.raises(UnsupportedOpError, match=r"3 nodes .*Sin \(node0, node2\); Erf \(node3\)"):
        onnx_network.convert(path, "n.onnx")


def test_an_open_batch_is_one_and_an_open_length_refused(tmp_path: Path) -> None:
    path = made_of(["Relu"], ("batch", 2, 8), tmp_path / "n.onnx")
    assert onnx_network.convert(path, "n.onnx").inputs[0].shape == (1, 2, 8)
    path = made_of(["Relu"], (1, 2, "length"), tmp_path / "n.onnx")
    with pytest.raises(ExportError, match=r'dimension 2 of the input "x" is open \(length\)'):
        onnx_network.convert(path, "n.onnx")


def test_a_picture_is_refused_for_its_dimensions(tmp_path: Path) -> None:
    path = exported(nn.Conv2d(1, 2, 3), (1, 1, 8, 8), tmp_path / "n.onnx")
    with pytest.raises(UnsupportedOpError, match="Only one-dimensional networks run"):
        onnx_network.convert(path, "n.onnx")


def test_damaged_files_are_refused_or_converted(tmp_path: Path) -> None:
    content = exported(nn.Conv1d(1, 2, 3), (1, 1, 8), tmp_path / "n.onnx").read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "broken.onnx"
    for number in range(40):
        broken = bytearray(content[: rng.integers(0, len(content))] if number % 2 else content)
        for at in rng.integers(0, max(len(broken), 1), 3):
            broken[at : at + 1] = rng.bytes(1)
        path.write_bytes(bytes(broken))
        with suppress(ExportError):
            onnx_network.convert(path, "broken.onnx")


def reshaping(shape: list[int], path: Path) -> Path:
    """Write a convolution to [1, 2, 14] whose output is reshaped."""
    weights = numpy_helper.from_array(np.ones((2, 1, 3), np.float32), "weights")
    target = numpy_helper.from_array(np.array(shape, np.int64), "shape")
    nodes = [
        helper.make_node("Conv", ["x", "weights"], ["y"]),
        helper.make_node("Reshape", ["y", "shape"], ["z"], name="again"),
    ]
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 1, 16)),
        helper.make_tensor_value_info("z", TensorProto.FLOAT, None),
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [weights, target])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path


@pytest.mark.parametrize("shape", [[1, 20], [20], [1, 2, 15], [1, 56]])
def test_a_reshape_to_another_size_is_refused_by_its_node(tmp_path: Path, shape: list[int]) -> None:
    path = reshaping(shape, tmp_path / "n.onnx")
    with pytest.raises(ExportError, match="again"):
        onnx_network.convert(path, "n.onnx")


def test_a_network_that_onnxruntime_cannot_run_is_refused(tmp_path: Path) -> None:
    whole = onnx_network.convert(reshaping([1, 28], tmp_path / "n.onnx"), "n.onnx")
    broken = onnx.load(str(reshaping([1, 20], tmp_path / "broken.onnx")))
    with pytest.raises(ExportError, match=r"n\.onnx: onnxruntime cannot run it .*Name:'again'"):
        onnx_network.check(
            replace(whole, proto=broken), [np.zeros((1, 16, 1), np.float32)], "n.onnx"
        )


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = exported(nn.Conv1d(1, 2, 3), (1, 1, 8), tmp_path / "n.onnx")
    content = path.read_bytes()
    assert b"node_conv1d" in content
    path.write_bytes(content.replace(b"node_conv1d", b"no\xa6e_conv1d"))
    with pytest.raises(ExportError, match=r"n\.onnx: not a whole ONNX model .*utf-8"):
        onnx_network.convert(path, "n.onnx")


def test_a_float_network_needs_calibration_data(tmp_path: Path) -> None:
    path = made_of(["Relu"], (1, 2, 8), tmp_path / "n.onnx")
    with pytest.raises(ModelError, match="--calibration"):
        import_network(path, tmp_path / "b", ImportOptions())
    np.save(tmp_path / "x.npy", np.zeros((3, 8, 2), np.float32))
    with pytest.raises(CalibrationError, match=r'"x" is float32 \[3, 8, 2\].*"x" \[N, 2, 8\]'):
        import_network(path, tmp_path / "b", ImportOptions(tmp_path / "x.npy"))
