import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import wfdb

from dynadeep.train import loop
from dynadeep.train.data import mitdb
from dynadeep.train.errors import DataError
from dynadeep.train.loop import LoopConfig
from dynadeep.train.tasks import peaks, store, train_rpeaks
from dynadeep.train.tasks.rpeaks import RPeaksConfig, RPeaksNet
from dynadeep.train.tasks.train_rpeaks import Recording, RPeaksTraining

TINY = RPeaksTraining(
    net=RPeaksConfig(width=4, decimation=8, widest=4), loop=LoopConfig(epochs=1, batch=2), windows=2
)


def make_recording(seconds: float) -> Recording:
    """Make a recording with a spike every 0.8 s."""
    beats_s = np.arange(0.5, seconds, 0.8)
    time_s = np.arange(int(seconds * mitdb.RATE_HZ)) / mitdb.RATE_HZ
    near = peaks.distance_curve(beats_s, time_s)
    return Recording(np.exp(-((near / 0.02) ** 2)).astype(np.float32), beats_s)


def write_annotations(folder: Path, symbols: str) -> None:
    samples = 100 * (np.arange(len(symbols)) + 1)
    wfdb.wrann("900", "atr", samples, symbol=list(symbols), write_dir=str(folder))


def test_beats_are_read_and_what_is_no_beat_is_not(tmp_path: Path) -> None:
    write_annotations(tmp_path, "+NV~A|!x")
    assert mitdb.read_beats(tmp_path, "900").tolist() == [200, 300, 500]


def test_missing_annotations_are_named() -> None:
    with pytest.raises(DataError, match=r"999\.atr: no annotations"):
        mitdb.read_beats(mitdb.SAMPLE_FOLDER, "999")


def test_annotations_without_a_beat_are_refused(tmp_path: Path) -> None:
    write_annotations(tmp_path, "+~")
    with pytest.raises(DataError, match="none of its 2 annotations is a beat"):
        mitdb.read_beats(tmp_path, "900")


def test_drawn_windows_repeat_with_the_generator() -> None:
    recordings = [make_recording(60)]
    first, again = (
        train_rpeaks.draw_windows(recordings, 2, 4, np.random.default_rng(3)) for _ in range(2)
    )
    assert [t.shape for t in first] == [(2, 8960), (2, 2240)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_curve_of_a_drawn_window_is_lowest_at_its_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_rpeaks, "_disturb", lambda window, _: window)
    windows, curves = train_rpeaks.draw_windows(
        [make_recording(60)], 3, 4, np.random.default_rng(1)
    )
    heights = windows.reshape(3, -1, 4).mean(dim=2)
    assert float(heights[curves < 0.005].min()) > 0.9
    assert float(heights[curves > 0.1].max()) < 0.01


def test_disturbed_window_is_finite_even_where_the_recording_is_flat() -> None:
    flat = Recording(np.zeros(20_000, np.float32), np.array([1.0]))
    windows, _ = train_rpeaks.draw_windows([flat], 2, 4, np.random.default_rng(0))
    assert bool(windows.isfinite().all())


def test_whole_recording_is_drawn_without_a_seam() -> None:
    class Ramp(RPeaksNet):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, :: self.config.decimation]

    signal = np.arange(20_001, dtype=np.float32)
    curve = train_rpeaks.whole_curve(Ramp(TINY.net), signal)
    np.testing.assert_array_equal(curve, signal[:20_000:8])


def test_training_writes_a_scored_network_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_rpeaks, "read_recording", lambda *_: make_recording(45))
    monkeypatch.setattr(mitdb, "DS1", ("101",))
    monkeypatch.setattr(mitdb, "DS2", ("100",))
    path = train_rpeaks.train_rpeaks(
        loop.make_fabric(), TINY, mitdb.SAMPLE_FOLDER, tmp_path / "run"
    )
    trained = store.load(path, "rpeaks")
    assert trained.config == TINY.net
    assert trained.training["scores"]["beats"] == len(make_recording(45).beats_s)
    assert json.loads((tmp_path / "run" / "metrics.jsonl").read_text())["epoch"] == 1


@pytest.mark.skipif("DYNADEEP_DATA" not in os.environ, reason="DYNADEEP_DATA names no database")
def test_shipped_network_finds_the_beats_of_a_test_patient() -> None:
    net = store.load(store.TASKS_FOLDER / "rpeaks", "rpeaks").net
    assert isinstance(net, RPeaksNet)
    scored = train_rpeaks.evaluate(net, mitdb.find_folder(), ["100"])
    assert scored["f1"] > 0.99
