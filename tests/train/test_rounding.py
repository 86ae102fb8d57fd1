"""Training computes as int8 will: steps, ranges, gradients, and what that is worth."""

import numpy as np
import pytest
import torch
from torch import Tensor

from dynadeep.codegen.bundle import GOLDEN, Bundle
from dynadeep.codegen.golden import read_golden
from dynadeep.export.ranges import fake_quantize, negative_end
from dynadeep.train import checkpoint
from dynadeep.train.finetune import FineTuneConfig, FineTuning, Weights, as_segments
from dynadeep.train.input_map import InputMap, as_tensor
from dynadeep.train.layers import ConvSiLU, as_int8
from dynadeep.train.levels import NAMED
from dynadeep.train.model import DynamicDeep
from dynadeep.train.observe import Observer
from dynadeep.train.rounding import rounded, rounded_silu, rounded_values, rounded_weights

MAP = InputMap("affine", 28, 1338)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_codes_are_rounded_to_256_values_with_their_gradient_passed_on() -> None:
    codes = drawn(4, 1, 62).requires_grad_()
    values = rounded(codes)
    values.sum().backward()  # type: ignore[no-untyped-call]
    assert len(values.unique()) <= 256
    assert codes.grad is not None
    assert bool((codes.grad == 1).all())


def test_values_are_rounded_as_the_exporter_rounds_them() -> None:
    for values in (drawn(3, 50), drawn(3, 50).abs() + 1, -drawn(3, 50).abs()):
        # The exporter's range ends at the smallest value or at 0, as its converter has it.
        low, high = min(float(values.min()), 0), max(float(values.max()), 0)
        expected = fake_quantize(values.numpy(), low, high)
        np.testing.assert_allclose(rounded_values(values).numpy(), expected, atol=1e-5)


def test_each_filter_has_steps_of_its_own() -> None:
    weight = drawn(2, 8, 5) * torch.tensor([1.0, 1e-3])[:, None, None]
    coarse_weights = rounded_weights(weight)
    for coarse, exact in zip(coarse_weights, weight, strict=True):
        assert float((coarse - exact).abs().max()) <= float(exact.abs().max()) / 127 / 2 * 1.001
        assert float(coarse.abs().max()) == pytest.approx(float(exact.abs().max()))


def test_the_negative_tail_before_a_silu_ends_where_the_exporter_ends_it() -> None:
    values = torch.cat([drawn(4000), -8 * drawn(200, seed=1).abs()])
    end = negative_end(values.numpy(), float(values.min()), float(values.max()))
    assert end > float(values.min())
    at_the_end = rounded_silu(torch.cat([values, torch.tensor([end, 3 * end])]))[-2:]
    assert float(at_the_end[0]) == float(at_the_end[1])


def test_constant_values_stay() -> None:
    zeros = torch.zeros(2, 3)
    for rounding in (rounded, rounded_values, rounded_silu, rounded_weights):
        assert torch.equal(rounding(zeros), zeros)


def test_layers_round_only_within_the_context_even_if_it_breaks_off() -> None:
    layer, x = ConvSiLU(1, 4, 3), drawn(2, 1, 40)
    exact = layer(x)
    with as_int8(layer):
        assert not torch.equal(layer(x), exact)
    assert torch.equal(layer(x), exact)
    with pytest.raises(KeyboardInterrupt), as_int8(layer):
        raise KeyboardInterrupt
    assert torch.equal(layer(x), exact)


def test_the_encoder_loses_as_much_as_the_exported_one(shipped_bundle: Bundle) -> None:
    """The golden vectors' real segments: made-up ones have ranges that no calibration shows."""
    shipped = checkpoint.load(checkpoint.DEFAULT_CHECKPOINT)
    assert isinstance(shipped.model, DynamicDeep)
    golden = read_golden(shipped_bundle.path(GOLDEN), shipped_bundle.manifest.segment_length)
    real = [index for index, name in enumerate(golden.names) if name.startswith("real")]
    mapped = shipped.input_map.apply_int8(as_tensor(golden.samples[real]))
    with torch.no_grad():
        exact = shipped.model.encode(mapped)
        with as_int8(shipped.model.encoder):
            coarse = shipped.model.encode(mapped)
    ratios = []
    for index, level in enumerate(shipped_bundle.manifest.need_codec().levels):
        codes = golden.tensors[level.latent_tensor][real, :, 0].astype(np.float64)
        exported = (codes - level.latent.zero_point) * level.latent.scale
        true = exact[index][:, 0].numpy()
        in_training, as_exported = (
            np.median(np.sqrt(np.square(latents - true).mean(axis=1)))
            for latents in (coarse[index][:, 0].numpy(), exported)
        )
        ratios.append(in_training / as_exported)
    assert 0.5 < np.mean(ratios) < 1.5


def test_fine_tuning_goes_through_the_rounding_of_every_layer_unless_told_otherwise() -> None:
    losses = [_tuned(int8=int8) for int8 in (False, True)]
    assert float(losses[0][0].detach()) != float(losses[1][0].detach())
    loss, model = losses[1]
    loss.backward()  # type: ignore[no-untyped-call]
    for name in model.encoder.trunk:
        gradient = model.encoder[name].weight.grad
        assert gradient is not None, name
        assert float(gradient.abs().max()) > 0, name
    assert FineTuneConfig().int8


def _tuned(*, int8: bool) -> tuple[Tensor, DynamicDeep]:
    """Return the loss of a fresh network, normalised by its batch, and the network."""
    torch.manual_seed(0)
    model = DynamicDeep(NAMED["dynamic-deep"])
    tuning = FineTuning(model, MAP, (), Weights(task=0.0), int8=int8).train()
    return tuning(300 * drawn(2, 4000)), model


def test_heads_are_shown_the_trunk_that_int8_gives() -> None:
    torch.manual_seed(0)
    model = DynamicDeep(NAMED["dynamic-deep"]).eval()
    adc = (300 * drawn(2, 4000)).numpy()
    trunk = Observer(model, MAP, (), "added").observe((adc, np.zeros(2, np.int64))).encoded.trunk
    mapped = MAP.apply_int8(as_segments(torch.from_numpy(adc)))
    with torch.no_grad():
        exact = model.encoder(mapped).trunk
        with as_int8(model.encoder):
            coarse = model.encoder(mapped).trunk
    distances = [
        float((trunk.flatten(0, 1) - computed).abs().max()) for computed in (coarse, exact)
    ]
    assert distances[0] < 0.1 * distances[1]
