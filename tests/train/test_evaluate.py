from pathlib import Path

import numpy as np
import pytest
import torch

from dynadeep.train import checkpoint, evaluate, metrics
from dynadeep.train.checkpoint import Checkpoint, TrainingRecord
from dynadeep.train.data import mitdb
from dynadeep.train.errors import TrainError
from dynadeep.train.evaluate import EvaluateConfig
from dynadeep.train.input_map import InputMap, as_tensor
from dynadeep.train.model import DynamicDeep

AFFINE = InputMap("affine", 1012, 467)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    training = TrainingRecord("tiny", "patient", 0, 1, 4, 1e-3, False, 8, 3)
    return checkpoint.save(Checkpoint(DynamicDeep(), AFFINE, training), tmp_path / "c")


def test_scores_are_of_decoded_adc_samples_on_the_original_windows_scale(
    windows: mitdb.Samples,
) -> None:
    torch.manual_seed(0)
    model = DynamicDeep().eval()
    with torch.no_grad():
        decoded = model.reconstruct(AFFINE.apply(as_tensor(windows)))[1][:, 0].double().numpy()
    adc = windows.astype(np.float64)
    by_hand = metrics.prd(
        metrics.unit_scale(adc, adc), metrics.unit_scale(decoded * 467 + 1012, adc)
    )
    np.testing.assert_allclose(evaluate.run(model, windows, AFFINE)["64"].prd, by_hand, rtol=1e-4)


def test_every_window_is_scored_once_whatever_the_batch(
    windows: mitdb.Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = DynamicDeep()
    whole = evaluate.run(model, windows, AFFINE)["32"].prd
    monkeypatch.setattr(evaluate, "BATCH", 3)
    np.testing.assert_allclose(evaluate.run(model, windows, AFFINE)["32"].prd, whole, rtol=1e-5)


def test_checkpoint_is_evaluated_on_its_own_split_unless_told(written: Path) -> None:
    evaluation = evaluate.evaluate(EvaluateConfig(written, mitdb.SAMPLE_FOLDER))
    assert (evaluation.split, evaluation.windows, evaluation.unseen) == ("patient", 210, True)


def test_evaluation_on_another_split_is_marked(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mitdb, "ALL_RECORDS", mitdb.DS1[:2])
    evaluation = evaluate.evaluate(EvaluateConfig(written, mitdb.SAMPLE_FOLDER, "published"))
    assert (evaluation.split, evaluation.windows, evaluation.unseen) == ("published", 4, False)


def test_a_split_that_cinc_2017_does_not_have_is_refused_and_not_ignored(tmp_path: Path) -> None:
    record = TrainingRecord("tiny", "published", 0, 1, 4, 1e-3, False, 8, 3, dataset="cinc2017")
    path = checkpoint.save(Checkpoint(DynamicDeep(), AFFINE, record), tmp_path / "c")
    with pytest.raises(TrainError, match="parted as published alone, not patient"):
        evaluate.evaluate(EvaluateConfig(path, split="patient"))
