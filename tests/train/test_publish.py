from pathlib import Path

import pytest
import torch

from dynadeep.train import checkpoint, evaluate
from dynadeep.train.checkpoint import PRETRAINED_FOLDER, Checkpoint, TrainingRecord
from dynadeep.train.data import mitdb
from dynadeep.train.evaluate import EvaluateConfig
from dynadeep.train.input_map import InputMap
from dynadeep.train.model import DynamicDeep
from dynadeep.train.publish import publish

SHIPPED = sorted(PRETRAINED_FOLDER.glob("*.safetensors"))
RECONSTRUCTIONS = [path for path in SHIPPED if path.stem.startswith("mitdb-")]
PROMISES = {"rhythm": {"rhythm": 1.0}, "rpeaks": {"rpeaks": 1.0}}
PROMISES["both"] = {"rhythm": 0.5, "rpeaks": 0.5}


def test_published_scores_are_those_of_the_shipped_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    training = TrainingRecord("tiny", "patient", 0, 1, 4, 1e-3, False, 8, 3)
    tiny = Checkpoint(DynamicDeep(), InputMap("affine", 1012, 467), training)
    source = checkpoint.save(tiny, tmp_path / "run" / "checkpoint")
    shipped = publish(source, tmp_path / "shipped", mitdb.SAMPLE_FOLDER)
    again = evaluate.evaluate(EvaluateConfig(shipped, mitdb.SAMPLE_FOLDER)).scores
    assert checkpoint.load(shipped).training.scores == again
    assert shipped.stat().st_size < 0.6 * source.stat().st_size


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_checkpoint_is_whole_and_named_for_what_it_is(path: Path) -> None:
    loaded = checkpoint.load(path)
    dataset, what = path.stem.split("-", 1)
    assert dataset == loaded.training.dataset
    if dataset == "mitdb":
        assert what == f"{loaded.input_map.kind}-{loaded.training.split}"
    elif loaded.promise is None:
        assert what == loaded.config.architecture
    else:
        assert loaded.promise.tasks == PROMISES[what]


@pytest.mark.parametrize("path", RECONSTRUCTIONS, ids=lambda path: path.stem)
def test_shipped_checkpoint_scores_on_the_excerpt_about_what_its_record_says(path: Path) -> None:
    loaded = checkpoint.load(path)
    windows = mitdb.read_split(mitdb.SAMPLE_FOLDER, "patient").test
    on_excerpt = evaluate.score(loaded.model, windows, loaded.input_map)
    for level, scores in loaded.training.scores.items():
        assert on_excerpt[level]["prd"] == pytest.approx(scores["prd"], rel=0.3)


def test_published_variant_reaches_its_goal() -> None:
    scores = checkpoint.load(PRETRAINED_FOLDER / "mitdb-minmax-published").training.scores
    assert scores["32"]["prd"] <= 12
    assert scores["64"]["prd"] <= 16


def test_default_checkpoint_is_shipped() -> None:
    promise = checkpoint.load(checkpoint.DEFAULT_CHECKPOINT).promise
    assert promise is not None
    assert promise.tasks == {"rhythm": 1.0}
