"""Heads on the trunk: what they cost, what they learn, and that useless ones are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dynadeep.train import foresight
from dynadeep.train.checkpoint import Checkpoint, TrainingRecord
from dynadeep.train.data import cinc2017
from dynadeep.train.encoder import Encoded, TrunkHeads
from dynadeep.train.errors import TrainingFailedError
from dynadeep.train.foresight import ForesightConfig
from dynadeep.train.input_map import InputMap
from dynadeep.train.levels import NAMED
from dynadeep.train.model import DynamicDeep
from dynadeep.train.observe import Examples, Observations, Observer, draw_cuts
from dynadeep.train.promise import PromiseConfig, fit_promise, mean_of_segments
from dynadeep.train.tasks import load_task
from dynadeep.train.tasks.base import segment_losses
from tests.train.test_model import multiply_accumulates

FOUR = replace(NAMED["dynamic-deep"], heads="trunk")
MAP = InputMap("affine", 28, 1338)


def examples(count: int, seed: int) -> Examples:
    """Records of 5 segments whose loss is told by the mean of the trunk's first channel."""
    random = torch.Generator().manual_seed(seed)
    trunk = torch.randn(count, 5, 32, 62, generator=random) * 0.1
    losses = torch.rand(count, 5, 1, generator=random)
    trunk[:, :, 0] += losses
    return Examples(Encoded((), trunk.half()), losses.expand(-1, -1, 4).contiguous())


def test_trunk_heads_take_at_most_2_percent_of_the_encoders_multiplications() -> None:
    model, x = DynamicDeep(FOUR).eval(), torch.zeros(1, 1, 2000)
    encoder = multiply_accumulates(model.encoder, x)
    assert multiply_accumulates(model, x) - encoder <= 0.02 * encoder


def test_predictions_of_a_trunk_head_are_never_negative() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        predicted = DynamicDeep(FOUR).eval()(torch.rand(4, 1, 2000))[4:]
    assert len(predicted) == 4
    assert all(float(level_loss.min()) >= 0 for level_loss in predicted)


def test_trunk_heads_learn_what_the_trunk_tells_and_keep_it_on_the_hold_out() -> None:
    heads = TrunkHeads(FOUR)
    holdout = examples(40, 1)
    config = ForesightConfig(epochs=12)
    foresight.train_trunk_heads(heads, examples(160, 0), holdout, config)
    predicted = foresight.predict(heads, holdout.encoded).reshape(-1, 4)
    correlations = foresight.correlations(predicted, holdout.losses.reshape(-1, 4).numpy())
    assert min(correlations) > 0.8


def test_heads_that_foresee_nothing_are_refused_by_the_level() -> None:
    with pytest.raises(
        TrainingFailedError, match=r"head of level 16 foresees nothing: .* is 0\.050, wanted is 0.1"
    ):
        foresight.check_foresight(FOUR.levels[:2], [0.5, 0.05], 0.1)


def test_heads_that_foresee_little_pass_where_little_is_wanted() -> None:
    foresight.check_foresight(FOUR.levels[:2], [0.5, 0.05], 0.05)


def test_a_head_that_says_the_same_of_all_has_no_correlation() -> None:
    assert foresight.correlations(np.ones((5, 1)), np.arange(5.0)[:, None]) == [0.0]


def test_what_compression_adds_is_observed_for_each_segment_and_level() -> None:
    torch.manual_seed(0)
    records = cinc2017.read_records(cinc2017.SAMPLE_FOLDER)[0][:2]
    model = DynamicDeep(FOUR).eval()
    cuts = draw_cuts(records, np.random.default_rng(0))
    observation = Observer(model, MAP, (load_task("rhythm"), load_task("rpeaks")), "added").observe(
        cuts
    )
    assert observation.encoded.trunk.shape == (2, 5, 32, 62)
    shapes = [latents.shape for latents in observation.encoded.latents]
    assert shapes == [(2, 5, level.codes) for level in FOUR.levels]
    for weights in ({"rhythm": 1.0}, {"rhythm": 0.5, "rpeaks": 0.5}):
        losses = observation.weighted(weights).losses
        assert losses.shape == (2, 5, 4)
        expected = sum(w * observation.losses[name] for name, w in weights.items())
        torch.testing.assert_close(losses, expected)
        assert bool((losses >= 0).all())


def test_the_loss_of_a_record_is_that_of_its_steps_whatever_segments_they_lie_in() -> None:
    along = torch.rand(3, 35, dtype=torch.float64)
    segments = segment_losses(along, samples=8960, segment=2000)
    whole = mean_of_segments(segments[..., None].numpy(), samples=8960)
    np.testing.assert_allclose(whole[:, 0], along.mean(dim=1).numpy(), atol=1e-12)


def test_a_run_whose_heads_see_nothing_fails_by_the_level_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    split = cinc2017.read_split(cinc2017.SAMPLE_FOLDER, parts=cinc2017.SAMPLE)
    torch.manual_seed(0)
    model = DynamicDeep(FOUR).eval()
    with torch.no_grad():
        model.encoder["conv15"].weight.zero_()  # the trunk is the same whatever the segment is
    training = TrainingRecord("toy", "published", 0, 1, 1, 0.1, False, 1, 1)
    start = Checkpoint(model, MAP, training, FOUR)
    observer = Observer(model, MAP, (load_task("rhythm"),), "added")
    observations = Observations(observer, split, cuts=1, seed=0)
    strict = PromiseConfig(violation_rate=0.2, foresight=ForesightConfig(cuts=1, epochs=1))
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(TrainingFailedError, match=r"head of level 8 foresees nothing"):
        fit_promise(start, observations, {"rhythm": 1.0}, strict, path)
    assert not path.exists()
    lenient = replace(strict, foresight=replace(strict.foresight, least_correlation=-1))
    assert fit_promise(start, observations, {"rhythm": 1.0}, lenient, path) == path
