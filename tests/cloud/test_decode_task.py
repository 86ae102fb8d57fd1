"""The frozen task networks on what is decoded: windows without gaps, at their time."""

import numpy as np
import pyarrow.parquet as pq
import torch

from dynadeep.codegen.bundle import read_bundle
from dynadeep.export.calibration import read_recordings
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.train.tasks import load_task
from dynadeep.train.tasks.base import standardise
from dynadeep.train.tasks.peaks import find_peaks
from tests.caching import SMALL_BUNDLE

from . import decoding
from .decoding import BEGIN, PERIOD, put, row, sent

WINDOW = round(8000 / decoding.MANIFEST.segment_length)


def test_a_task_reads_windows_without_gaps(tmp_path):
    rows = [row(i, "gap" if i == 3 else "packet") for i in range(3 + 2 * WINDOW)]
    put(tmp_path / "archive", rows)
    status = run(
        ["decode", "--archive", str(tmp_path / "archive"), "--out", str(tmp_path / "out"),
         "--bundle", str(SMALL_BUNDLE), "--task", "rhythm", "--workers", "1"]
    )  # fmt: skip
    assert status == 0
    table = pq.read_table(tmp_path / "out/rhythm/device=a/day=2026-03-01/rhythm.parquet")
    assert table["index"].to_pylist() == [4]  # behind the gap; what is left is less than a window
    assert table["time"].to_pylist() == [BEGIN + 4 * PERIOD]
    decoder = Decoder(read_bundle(SMALL_BUNDLE))
    samples = np.concatenate([decoder.decode(sent(i)) for i in range(4, 4 + WINDOW)])
    manifest = decoding.MANIFEST
    adc = ((samples - manifest.adc_baseline) / manifest.adc_gain * 1000).astype(np.float32)
    task = load_task("rhythm")
    with torch.no_grad():
        expected = task.probabilities(standardise(torch.from_numpy(adc[None])))[0].numpy()
    names = ("af", "normal", "other", "noisy")
    actual = [table[name].to_pylist()[0] for name in names]
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)
    assert table["rhythm"].to_pylist() == ["ANO~"[int(expected.argmax())]]


def test_the_peaks_of_what_was_sent_without_loss_are_those_of_the_recording(tmp_path):
    manifest = decoding.MANIFEST
    length = WINDOW * manifest.segment_length
    adc = read_recordings("cinc2017", None).training.reshape(-1)[:length]
    assert (manifest.adc_gain, manifest.adc_baseline) == (1000.0, 0)  # as the recordings
    short = packets.short_model_id(manifest)
    cut = adc.astype(np.int16).reshape(WINDOW, -1)
    sent_whole = [
        packets.encode(
            packets.Packet(0, short, 0, i, packets.payload_of(manifest, 0, segment, None))
        )
        for i, segment in enumerate(cut)
    ]
    put(
        tmp_path / "archive",
        [row(i, packet=packet, level=0) for i, packet in enumerate(sent_whole)],
    )
    status = run(
        ["decode", "--archive", str(tmp_path / "archive"), "--out", str(tmp_path / "out"),
         "--bundle", str(SMALL_BUNDLE), "--task", "rpeaks", "--workers", "1"]
    )  # fmt: skip
    assert status == 0
    table = pq.read_table(tmp_path / "out/rpeaks/device=a/day=2026-03-01/rpeaks.parquet")
    assert (table["index"].to_pylist(), table["count"].to_pylist()) == ([0], [WINDOW])
    task = load_task("rpeaks")
    with torch.no_grad():
        curve = task.reference(standardise(torch.from_numpy(adc.astype(np.float32)[None])))[0]
    expected = find_peaks(curve.numpy(), manifest.rate_hz / task.net.config.decimation)
    (peaks,) = table["peaks_s"].to_pylist()
    np.testing.assert_allclose(peaks, expected, atol=1e-6)
    assert 40 < len(peaks) / (length / manifest.rate_hz / 60) < 180  # beats a minute


def test_a_task_that_is_none_is_refused(tmp_path, capsys):
    put(tmp_path / "archive", [row(0)])
    status = run(
        ["decode", "--archive", str(tmp_path / "archive"), "--out", str(tmp_path / "out"),
         "--bundle", str(SMALL_BUNDLE), "--task", "sleep"]
    )  # fmt: skip
    assert status == 17
    assert "Name rhythm or rpeaks" in capsys.readouterr().err
