from pathlib import Path

import numpy as np
import pytest
import torch

from dynadeep.train import loop
from dynadeep.train.data import augment, cinc2017
from dynadeep.train.errors import TrainError
from dynadeep.train.loop import LoopConfig
from dynadeep.train.tasks import store
from dynadeep.train.tasks.base import standardise
from dynadeep.train.tasks.rhythm import RhythmConfig, RhythmNet, step_losses
from dynadeep.train.tasks.train_rhythm import Classification, RhythmTraining, draw, train_rhythm
from dynadeep.train.tasks.training import TaskTraining, train_task


@pytest.fixture(scope="module")
def split() -> cinc2017.Split:
    """The excerpt in three parts: to run code on, not to learn from."""
    return cinc2017.read_split(cinc2017.SAMPLE_FOLDER, parts=cinc2017.SAMPLE)


def test_a_run_saves_a_network_with_its_scores(split: cinc2017.Split, tmp_path: Path) -> None:
    config = RhythmTraining(RhythmConfig(4, 4), LoopConfig(epochs=1, batch=4))
    trained = store.load(train_rhythm(loop.make_fabric(), split, config, tmp_path), "rhythm")
    assert trained.config == RhythmConfig(4, 4)
    assert trained.training["epochs"] == 1
    for part in ("holdout", "test"):
        assert 0 <= trained.training["scores"][part]["f1"] <= 1


def test_training_lowers_the_loss(split: cinc2017.Split, tmp_path: Path) -> None:
    config = RhythmTraining(RhythmConfig(4, 4), LoopConfig(epochs=6, batch=4))
    train_rhythm(loop.make_fabric(), split, config, tmp_path)
    lines = (tmp_path / loop.LOG).read_text().splitlines()
    losses = [float(line.split('"loss": ')[1].split(",")[0]) for line in lines]
    assert losses[-1] < losses[0]


def test_steps_after_a_records_end_count_nothing() -> None:
    torch.manual_seed(0)
    module = Classification(RhythmNet(RhythmConfig(4, 4))).eval()
    adc, labels = torch.randn(2, 8960) * 200, torch.tensor([1, 2])
    with torch.no_grad():
        along = step_losses(module.net(standardise(adc)), labels)
        loss = module(adc, labels, torch.tensor([10, 35]))
    counted = torch.cat([along[0, :10], along[1]])
    assert float(loss) == pytest.approx(float(counted.mean()))


def test_a_short_record_is_followed_by_zeros_and_a_long_one_is_cut() -> None:
    random = np.random.default_rng(0)
    short, real = augment.vary_record(np.full(3000, 100, np.int16), 8960, random)
    assert short.shape == (8960,)
    assert 2500 < real < 3500
    assert (short[:real] != 0).all()
    assert not short[real:].any()
    long, real = augment.vary_record(np.full(18000, 100, np.int16), 8960, random)
    assert real == 8960
    assert (long != 0).all()


def test_every_record_is_drawn_once_an_epoch_and_differently(split: cinc2017.Split) -> None:
    first, labels, steps = draw(split.train, np.random.default_rng(1))
    second, _, _ = draw(split.train, np.random.default_rng(2))
    assert first.shape == (len(split.train), 8960)
    assert labels.tolist() == cinc2017.labels(split.train).tolist()
    assert (steps <= 35).all()
    assert not torch.equal(first, second)


def test_an_unknown_task_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="task 'sleep': choose one of rhythm, rpeaks"):
        train_task(TaskTraining("sleep", tmp_path))
