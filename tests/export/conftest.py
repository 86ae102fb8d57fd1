"""A seeded checkpoint whose every layer is alive, and the bundle that it makes."""

from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor, nn

from dynadeep.export.bundle import ExportReport, export_bundle
from dynadeep.export.calibration import Samples
from dynadeep.export.onnx import export_encoder
from dynadeep.train import checkpoint
from dynadeep.train.data import mitdb
from dynadeep.train.data.windows import KEPT_PERCENT
from dynadeep.train.input_map import InputMap, MapKind, as_tensor, fit_input_map
from dynadeep.train.layers import ConvSiLU
from dynadeep.train.levels import ModelConfig
from dynadeep.train.model import DynamicDeep

RECORD = checkpoint.TrainingRecord(
    data="none: seeded weights for tests",
    split="patient",
    seed=7,
    epochs=0,
    batch=0,
    peak_rate=0.0,
    random_windows=False,
    train_windows=0,
    test_windows=0,
)


def _enliven(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Scale a layer so that its convolution has mean 0 and deviation 1 on what it is given."""
    assert isinstance(layer, ConvSiLU)
    with torch.no_grad():
        output = layer._convolve(inputs[0], layer.weight)
        layer.weight /= output.std()
        assert layer.bias is not None
        layer.bias.copy_(0.3 * torch.randn_like(layer.bias) - output.mean() / output.std())
        if isinstance(layer.norm, nn.BatchNorm1d):
            layer.norm.running_mean = 0.1 * torch.randn_like(layer.bias)
            layer.norm.running_var = 0.5 + torch.rand_like(layer.bias)


def lively_model(
    windows: Samples, input_map: InputMap, config: ModelConfig | None = None
) -> DynamicDeep:
    """Return a seeded network that neither dies out nor saturates on ``windows``."""
    torch.manual_seed(7)
    model = DynamicDeep(config).eval()
    layers = [module for module in model.modules() if isinstance(module, ConvSiLU)]
    hooks = [layer.register_forward_pre_hook(_enliven) for layer in layers]
    with torch.no_grad():
        model.reconstruct(input_map.apply(as_tensor(windows)))
        for level, typical in zip(model.levels, (12.0, 16.0, 20.0, 24.0), strict=False):
            head = model.heads.of(level)
            head.bias.fill_(typical)
            head.weight *= 3
    for hook in hooks:
        hook.remove()
    return model


def save_checkpoint(folder: Path, kind: MapKind, windows: Samples) -> Path:
    """Write a seeded checkpoint with an input map of a kind and return its path."""
    input_map = fit_input_map(kind, windows, KEPT_PERCENT["mitdb"])
    lively = checkpoint.Checkpoint(lively_model(windows, input_map), input_map, RECORD)
    return checkpoint.save(lively, folder / f"{kind}.safetensors")


@pytest.fixture(scope="session")
def windows() -> Samples:
    """Eight windows of real ECG, one of each of eight patients, int16 [8, 2000]."""
    return mitdb.read_windows(mitdb.SAMPLE_FOLDER, mitdb.DS1[:8], count=1)


@pytest.fixture(scope="session")
def checkpoint_path(tmp_path_factory: pytest.TempPathFactory, windows: Samples) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("checkpoint"), "affine", windows)


@pytest.fixture(scope="session")
def loaded(checkpoint_path: Path) -> checkpoint.Checkpoint:
    return checkpoint.load(checkpoint_path)


@pytest.fixture(scope="session")
def model(loaded: checkpoint.Checkpoint) -> DynamicDeep:
    assert isinstance(loaded.model, DynamicDeep)
    return loaded.model


@pytest.fixture(scope="session")
def encoder(model: DynamicDeep) -> onnx.ModelProto:
    return export_encoder(model)


@pytest.fixture(scope="session")
def report(checkpoint_path: Path, tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    return export_bundle(checkpoint_path, tmp_path_factory.mktemp("export") / "bundle")


@pytest.fixture(scope="session")
def bundle(report: ExportReport) -> Path:
    return report.folder
