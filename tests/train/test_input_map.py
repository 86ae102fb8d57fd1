import numpy as np
import pytest
import torch

from dynadeep.train.data import mitdb
from dynadeep.train.data.windows import KEPT_PERCENT
from dynadeep.train.errors import TrainError
from dynadeep.train.input_map import InputMap, as_tensor, fit_input_map


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
def test_the_device_has_whole_codes_of_the_mapped_input(windows: mitdb.Samples, kind: str) -> None:
    fitted = fit_input_map(kind, windows, KEPT_PERCENT["mitdb"])  # type: ignore[arg-type]
    codes = fitted.apply_int8(as_tensor(windows)) * (128 if kind == "affine" else 255)
    assert torch.allclose(codes, codes.round(), atol=1e-3)
    assert float((codes.round() - fitted.apply(as_tensor(windows)) * 128).abs().max()) <= 0.5 or (
        kind == "minmax"
    )


def test_unknown_map_is_refused_with_the_choices(windows: mitdb.Samples) -> None:
    with pytest.raises(TrainError, match="'zscore': choose one of affine, minmax"):
        fit_input_map("zscore", windows, KEPT_PERCENT["mitdb"])  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_scale_that_cannot_map_is_refused(scale: float) -> None:
    with pytest.raises(TrainError, match="the scale positive"):
        InputMap("affine", 1012, scale)
