import numpy as np
import pytest
import torch

from dynadeep.train.data import cinc2017
from dynadeep.train.layers import parameter_count
from dynadeep.train.measure import probabilities, task_losses
from dynadeep.train.tasks import load_task, store
from dynadeep.train.tasks.base import overlap, segment_losses
from dynadeep.train.tasks.rhythm import RhythmConfig, RhythmNet, RhythmTask, step_losses

PUBLISHED_PARAMETERS = 10_473_892


@pytest.mark.parametrize("decimation", [1, 2, 4])
def test_full_width_has_the_published_parameters(decimation: int) -> None:
    assert parameter_count(RhythmNet(RhythmConfig(32, decimation))) == PUBLISHED_PARAMETERS


@pytest.mark.parametrize("decimation", [1, 2, 4])
@pytest.mark.parametrize("samples", [1024, 8960])
def test_one_classification_for_every_256_samples(decimation: int, samples: int) -> None:
    net = RhythmNet(RhythmConfig(4, decimation)).eval()
    assert net(torch.zeros(2, samples)).shape == (2, samples // 256, 4)


def test_a_step_sees_the_samples_around_it() -> None:
    torch.manual_seed(0)
    net = RhythmNet(RhythmConfig(4, 4)).eval()
    record = torch.randn(1, 8960, requires_grad=True)
    net(record)[0, 17].sum().backward()
    assert record.grad is not None
    gradient = record.grad[0].abs()
    middle = float((gradient * torch.arange(8960)).sum() / gradient.sum())
    assert middle == pytest.approx(17.5 * 256, abs=128)


def test_cross_entropy_of_each_step_is_against_the_records_label() -> None:
    logits = torch.tensor([[[2.0, 0, 0, 0], [0, 0, 0, 0]]])
    losses = step_losses(logits, torch.tensor([0]))
    expected = [-2 + np.log(np.exp(2) + 3), np.log(4)]
    assert losses[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_the_frozen_task_never_trains() -> None:
    task = RhythmTask(RhythmNet(RhythmConfig(4, 4)))
    task.train()
    assert not any(p.requires_grad for p in task.parameters())
    assert not any(module.training for module in task.net.modules())


def test_segments_share_steps_by_how_far_they_overlap() -> None:
    weights = overlap(35, samples=8960, segment=2000)
    assert weights.shape == (35, 5)
    assert weights.sum(dim=0).tolist() == pytest.approx([1] * 5)
    # Step 7 covers samples 1792 to 2048: 208 in the first segment, 48 in the second.
    assert weights[7, 0] == pytest.approx(208 / 2000)
    assert weights[7, 1] == pytest.approx(48 / 2000)
    # The last segment holds the record's last 960 samples alone.
    assert weights[34, 4] == pytest.approx(256 / 960)


def test_segment_losses_of_a_constant_are_that_constant() -> None:
    losses = segment_losses(torch.full((3, 35), 0.25), samples=8960, segment=2000)
    assert losses.flatten().tolist() == pytest.approx([0.25] * 15)


def test_the_shipped_network_reads_the_excerpt() -> None:
    """All 24 are test records; the record's scores are over all 602."""
    task = load_task("rhythm")
    assert isinstance(task, RhythmTask)
    records, _ = cinc2017.read_records(cinc2017.SAMPLE_FOLDER)
    adc, labels = cinc2017.cut(records), cinc2017.labels(records)
    assert (probabilities(task, adc).argmax(axis=1) == labels).mean() > 0.75
    losses = task_losses(task, adc, adc, labels)
    assert losses.record.mean() < 0.75
    assert losses.segments.shape == (24, 5)


def test_the_shipped_network_meets_the_published_f1() -> None:
    shipped = store.load(store.TASKS_FOLDER / "rhythm.safetensors", "rhythm")
    assert shipped.training["scores"]["test"]["f1"] >= 0.85


def test_compression_that_changes_nothing_adds_nothing() -> None:
    torch.manual_seed(0)
    task = RhythmTask(RhythmNet(RhythmConfig(4, 4)))
    raw = torch.randn(3, 8960)
    added = task.added(raw, task.reference(raw))
    assert added.shape == (3, 35)
    assert float(added.abs().max()) == 0


def test_what_compression_adds_is_the_divergence_from_the_raw_records_probabilities() -> None:
    torch.manual_seed(0)
    task = RhythmTask(RhythmNet(RhythmConfig(4, 4)))
    raw, decoded = torch.randn(2, 8960), torch.randn(2, 8960)
    before, after = task.net(raw).softmax(-1), task.net(decoded).softmax(-1)
    by_hand = (before * (before / after).log()).sum(-1)
    torch.testing.assert_close(task.added(decoded, task.reference(raw)), by_hand)
