import numpy as np
import pytest
import torch

from dynadeep.train.data import mitdb
from dynadeep.train.data.windows import KEPT_PERCENT
from dynadeep.train.errors import TrainError
from dynadeep.train.input_map import InputMap, as_tensor, fit_input_map
from dynadeep.train.losses import reconstruction_loss


def test_affine_map_spans_all_but_a_thousandth_of_the_training_samples(
    windows: mitdb.Samples,
) -> None:
    fitted = fit_input_map("affine", windows, KEPT_PERCENT["mitdb"])
    inside = np.abs(windows - fitted.offset) <= fitted.scale
    assert 0.9985 < inside.mean() < 0.9997


def test_affine_map_clips_where_int8_does() -> None:
    x = InputMap("affine", offset=1000, scale=500).apply(torch.tensor([[0.0, 1000, 1250, 9999]]))
    assert (x * 128).flatten().tolist() == [-128, 0, 64, 127]


def test_minmax_map_brings_every_window_to_zero_and_one(windows: mitdb.Samples) -> None:
    x = fit_input_map("minmax", windows, KEPT_PERCENT["mitdb"]).apply(as_tensor(windows))
    assert x.amin(dim=2).eq(0).all()
    assert x.amax(dim=2).eq(1).all()


def test_a_constant_window_maps_to_finite_values() -> None:
    x = InputMap("minmax").apply(torch.full((1, 2000), 900.0))
    assert bool(torch.isfinite(x).all())


@pytest.mark.parametrize("kind", ["affine", "minmax"])
def test_a_perfect_reconstruction_has_no_loss(kind: str) -> None:
    adc = torch.tensor([[900.0, 1000, 1100, 950]])
    input_map = InputMap(kind, offset=1000, scale=500)  # type: ignore[arg-type]
    assert float(reconstruction_loss([input_map.apply(adc)], adc, input_map)) < 1e-12


def test_clipped_samples_count_as_error_because_the_target_is_the_original() -> None:
    adc = torch.tensor([[0.0, 1000.0]])
    input_map = InputMap("affine", offset=1000, scale=500)
    assert float(reconstruction_loss([input_map.apply(adc)], adc, input_map)) == 0.125


def test_quiet_windows_weigh_as_much_as_loud_ones() -> None:
    input_map = InputMap("affine", offset=1000, scale=500)
    loud = torch.tensor([[900.0, 1100, 1000, 1000]])
    quiet = (loud - 1000) / 4 + 1000
    flat = [torch.zeros(1, 1, 4)]
    assert reconstruction_loss(flat, loud, input_map) == reconstruction_loss(flat, quiet, input_map)


def test_levels_add_up() -> None:
    input_map = InputMap("minmax")
    adc = torch.tensor([[0.0, 1.0]])
    wrong = torch.zeros(1, 1, 2)
    assert float(reconstruction_loss([wrong, wrong], adc, input_map)) == 1.0


def test_unknown_map_is_refused_with_the_choices(windows: mitdb.Samples) -> None:
    with pytest.raises(TrainError, match="'zscore': choose one of affine, minmax"):
        fit_input_map("zscore", windows, KEPT_PERCENT["mitdb"])  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_scale_that_cannot_map_is_refused(scale: float) -> None:
    with pytest.raises(TrainError, match="the scale positive"):
        InputMap("affine", 1012, scale)
