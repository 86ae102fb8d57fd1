import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from dynadeep.train.tasks.rpeaks import (
    KERNELS,
    InceptionResidual,
    RPeaksConfig,
    RPeaksNet,
    RPeaksTask,
    count_matches,
    rr_loss,
    uninformed_scale,
)
from dynadeep.train.tasks.train_rpeaks import SHIPPED_NET

NARROW = RPeaksConfig(width=4, decimation=4, widest=8)


@pytest.fixture
def net() -> RPeaksNet:
    torch.manual_seed(1)
    return RPeaksNet(NARROW).eval()


@pytest.fixture
def records() -> Tensor:
    return torch.randn(2, 1024, generator=torch.Generator().manual_seed(2))


def test_full_width_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        full = RPeaksNet(RPeaksConfig())
    assert sum(p.numel() for p in full.parameters()) == 51_098_337


def test_full_width_takes_the_published_5000_samples() -> None:
    with torch.device("meta"):
        curve = RPeaksNet(RPeaksConfig())(torch.empty(1, 5000))
    assert curve.shape == (1, 5000)


@pytest.mark.parametrize("samples", [256, 2048, 8960, 5000])
def test_curve_has_a_sample_for_each_averaged_group(net: RPeaksNet, samples: int) -> None:
    assert net(torch.randn(1, samples)).shape == (1, samples // 4)


def test_shipped_network_costs_less_than_a_twentieth_of_a_giga_mac() -> None:
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        RPeaksNet(SHIPPED_NET).eval()(torch.empty(1, 8960))
    assert counter.get_total_flops() / 2 < 0.05e9


def test_one_convolution_gives_what_the_four_branches_give() -> None:
    torch.manual_seed(3)
    block = InceptionResidual(8, 8).eval()
    x = torch.randn(2, 8, 1, 50)
    apart = [
        functional.conv2d(x, weight, padding=(0, taps // 2))
        for weight, taps in zip(block.branches, KERNELS, strict=True)
    ]
    expected = functional.relu(block.norm(torch.cat(apart, dim=1)) + x)
    torch.testing.assert_close(block(x), expected)


def test_gain_and_offset_do_not_change_the_curve(net: RPeaksNet, records: Tensor) -> None:
    torch.testing.assert_close(net(30 * records + 5), net(records), atol=1e-4, rtol=1e-3)


def test_flat_record_gives_a_finite_curve_and_gradient(net: RPeaksNet) -> None:
    flat = torch.full((1, 512), 3.0, requires_grad=True)
    curve = net(flat)
    curve.sum().backward()
    assert flat.grad is not None
    assert bool(curve.isfinite().all() and flat.grad.isfinite().all())


def test_every_sample_gets_a_gradient(net: RPeaksNet, records: Tensor) -> None:
    records.requires_grad_()
    net(records).square().sum().backward()
    assert records.grad is not None
    assert bool((records.grad != 0).all())


def test_loss_is_huber_sample_by_sample() -> None:
    decoded, raw = torch.tensor([[0.1, 0.5, 3.0]]), torch.tensor([[0.1, 0.1, 1.0]])
    torch.testing.assert_close(rr_loss(decoded, raw), torch.tensor([[0.0, 0.08, 1.5]]))


def test_task_has_no_loss_where_nothing_is_lost(net: RPeaksNet, records: Tensor) -> None:
    task = RPeaksTask(net, scale=100.0)
    along = task.losses(records, torch.zeros(2), task.reference(records))
    assert along.shape == (2, 256)
    assert float(along.max()) == 0


def test_task_stays_frozen_in_a_module_that_trains(net: RPeaksNet, records: Tensor) -> None:
    task = torch.nn.Sequential(RPeaksTask(net)).train()[0]
    records.requires_grad_()
    task.losses(records, torch.zeros(2), task.reference(records + 1)).sum().backward()
    assert not task.net.training
    assert all(p.grad is None for p in net.parameters())


def test_peaks_are_counted_against_the_raw_records() -> None:
    time_s = torch.arange(300) / 75
    raw = torch.stack([((time_s - 1).abs()), ((time_s - 2).abs())])
    decoded = torch.stack([(time_s - 1.05).abs(), (time_s - 2.2).abs()])
    assert count_matches(decoded, raw, 75).tolist() == [[1, 0, 0], [0, 1, 1]]


def test_scale_brings_a_mean_guess_to_the_entropy_of_four_classes() -> None:
    curves = torch.rand(5, 100)
    guess = rr_loss(curves.mean().expand_as(curves), curves).mean()
    assert float(guess) * uninformed_scale(curves) == pytest.approx(math.log(4))
