"""What phase 1 minimises, and the windows that it is shown."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from dynadeep.train import checkpoint
from dynadeep.train.data import cinc2017, mitdb, windows
from dynadeep.train.input_map import InputMap
from dynadeep.train.levels import NAMED
from dynadeep.train.reconstruction import Reconstruction, draw_epoch, relative_error

LOUD = torch.tensor([[900.0, 1100, 1000, 1000]])
MAP = InputMap("affine", 1012, 467)


def test_a_perfect_reconstruction_has_no_loss() -> None:
    assert float(relative_error([LOUD], LOUD)) == pytest.approx(0, abs=2e-3)


def test_a_flat_reconstruction_at_the_mean_has_a_loss_of_one() -> None:
    adc = 1000 + 100 * torch.randn(3, 5000, generator=torch.Generator().manual_seed(0))
    flat = adc.mean(dim=1, keepdim=True).expand_as(adc)
    assert float(relative_error([flat], adc)) == pytest.approx(1, abs=1e-3)


def test_quiet_windows_weigh_as_much_as_loud_ones() -> None:
    quiet = (LOUD - 1000) / 4 + 1000
    flat = torch.full_like(LOUD, 1000)
    torch.testing.assert_close(relative_error([flat], LOUD), relative_error([flat], quiet))


def test_a_window_without_a_signal_counts_no_more_than_the_quietest_that_matter() -> None:
    flat = torch.zeros(1, 4)
    assert float(relative_error([flat + 1], flat)) == pytest.approx(1 / 56**0.5, rel=1e-3)


def test_the_loss_is_the_mean_of_the_levels() -> None:
    flat = torch.full_like(LOUD, 1000)
    both = float(relative_error([flat, LOUD], LOUD))
    assert both == pytest.approx(float(relative_error([flat], LOUD)) / 2, abs=1e-3)


def test_both_precisions_train_towards_the_same() -> None:
    torch.manual_seed(0)
    model = checkpoint.build(NAMED["published"])
    adc = 1000 + 100 * torch.rand(2, 2000)
    exact, coarse = (
        float(Reconstruction(model, MAP, precision)(adc).detach())
        for precision in ("float32", "bfloat16")
    )
    assert coarse == pytest.approx(exact, rel=0.02)


def test_each_cut_is_of_another_recording_while_they_last() -> None:
    recordings = [np.full(3000, 10 ** (i + 1), np.int16) for i in range(4)]
    cuts = draw_epoch(recordings, 6, np.random.default_rng(0))
    assert cuts.shape == (6, 2000)
    assert sorted(round(float(cut[0].abs().log10())) for cut in cuts[:4]) == [1, 2, 3, 4]


def test_the_same_seed_draws_the_same_cuts_and_another_others() -> None:
    recording = np.arange(9000, dtype=np.int16)
    first, again, other = (
        draw_epoch([recording], 3, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_mitdb_comes_at_the_rate_and_gain_of_cinc2017() -> None:
    adc = mitdb.read_record(mitdb.SAMPLE_FOLDER, mitdb.DS1[0])
    brought = windows.as_cinc2017(adc)
    assert len(brought) == pytest.approx(len(adc) / 1.2, abs=2)
    assert brought[1200] == (int(adc[1440]) - 1024) * 5


def test_windows_of_both_databases_are_drawn_from_recordings_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mitdb").symlink_to(mitdb.SAMPLE_FOLDER)
    (tmp_path / "cinc2017").symlink_to(cinc2017.SAMPLE_FOLDER)
    whole = partial(cinc2017.read_split, parts=cinc2017.SAMPLE)
    monkeypatch.setattr(cinc2017, "read_split", whole)
    split = windows.read_windows("both", tmp_path, split="patient", seed=0)
    of_cinc2017 = len(whole(cinc2017.SAMPLE_FOLDER).train)
    assert (len(split.train), len(split.test)) == (40, 40)
    assert len(split.train_records) > of_cinc2017
    assert all(len(recording) > 2000 for recording in split.train_records)
