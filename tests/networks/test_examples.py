"""The example networks' own code: what they compute beside the kit."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dynadeep.train.tasks.rhythm import RhythmConfig, RhythmNet
from dynadeep.train.tasks.rpeaks import RPeaksConfig, RPeaksNet
from tests.networks import beats, dense, example, keyword, rhythm, rpeaks


@pytest.fixture
def sine() -> beats.Floats:
    """Two windows of 11.25 Hz, the second one louder."""
    time_s = np.arange(keyword.SPAN) / 360
    wave = np.sin(2 * np.pi * 11.25 * time_s)
    return np.stack([100 * wave, 300 * wave]).astype(np.float32)


def test_a_tone_is_loudest_in_its_band_however_loud_it_is(sine: beats.Floats) -> None:
    features = keyword.features(sine)
    assert features.shape == (2, keyword.BANDS, keyword.FRAMES)
    assert (features.argmax(axis=1) == 2).all()


def test_the_keyword_network_gives_probabilities() -> None:
    with torch.no_grad():
        made = keyword.KeywordNet().eval()(torch.randn(3, keyword.BANDS, keyword.FRAMES))
    assert made.shape == (3, 3)
    assert made.sum(dim=1).tolist() == pytest.approx([1] * 3)


def test_the_dense_network_has_the_shape_that_listens_for_failing_machines() -> None:
    layers = [m for m in dense.DenseNet() if isinstance(m, torch.nn.Linear)]
    sizes = [(m.in_features, m.out_features) for m in layers]
    assert sizes[0] == (640, 128)
    assert sizes[4] == (128, 8)
    assert sizes[-1] == (128, 640)


def test_auc_counts_abnormal_errors_above_normal_ones() -> None:
    normal, abnormal = np.float32([1, 2, 3]), np.float32([2.5, 4])
    assert dense._auc(normal, abnormal) == pytest.approx(5 / 6)


def test_the_deployed_classifier_computes_the_networks_logits() -> None:
    net = RhythmNet(RhythmConfig(4, 4)).eval()
    x = torch.randn(2, 1024)
    with torch.no_grad():
        made = rhythm.Deployed(net).eval()(x[:, None, None])
        torch.testing.assert_close(made[:, :, 0].transpose(1, 2), net(x))


def test_the_deployed_curve_is_the_networks_behind_the_levelling() -> None:
    net = RPeaksNet(RPeaksConfig(4, 4, 8)).eval()
    x = torch.randn(2, 1280)
    predicted = rpeaks.Predicted(net, example.in_float(rpeaks.Deployed(net))).eval()
    with torch.no_grad():
        torch.testing.assert_close(predicted(x), net(x))


def test_what_is_saved_is_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example, "TRAINED", tmp_path)
    net = torch.nn.Linear(2, 3)
    example.save("keyword", net, tmp_path / "keyword", {"epochs": 1})
    found = example.restore("keyword", torch.nn.Linear(2, 3))
    assert torch.equal(found.weight, net.weight)
