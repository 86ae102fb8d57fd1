"""Train the R-peak network on MIT-BIH's own beat annotations, by patient, and score it."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from dynadeep.train import loop
from dynadeep.train.data import mitdb
from dynadeep.train.loop import LoopConfig
from dynadeep.train.tasks import peaks, store
from dynadeep.train.tasks.rpeaks import RATE_HZ, RPeaksConfig, RPeaksNet, uninformed_scale

WINDOW = 8960
"""Samples of a training window at 300 Hz: a CinC-2017 record."""
MARGIN = 640
"""Samples at each end of a window whose curve is left to its neighbour, in whole recordings."""
BATCH = 16
KNEE_S = 0.05
"""Errors beyond this count linearly, so that the V around a peak stays sharp."""
SHIPPED_NET = RPeaksConfig(width=8, decimation=4, widest=24)
SHIPPED_LOOP = LoopConfig(epochs=30, batch=16, peak_rate=3e-3, weight_decay=0.01)
ADC_ZERO, ADC_PER_MV = 1024, 200

Signal = NDArray[np.float32]


@dataclass(frozen=True)
class RPeaksTraining:
    """What a training run is told: the network, how it is trained, and windows a record an epoch.

    The defaults are the shipped network's.
    """

    net: RPeaksConfig = SHIPPED_NET
    loop: LoopConfig = SHIPPED_LOOP
    windows: int = 60


class Recording(NamedTuple):
    """A recording at 360 Hz with its beats."""

    signal: Signal  # [T], mV
    beats_s: peaks.Seconds  # [B], rising


class _Regression(nn.Module):
    """The network with its loss against the true curve."""

    def __init__(self, net: RPeaksNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, windows: Tensor, curves: Tensor) -> Tensor:
        """Return the mean SmoothL1 of windows [N, T] against curves [N, T / decimation]."""
        return functional.smooth_l1_loss(self.net(windows), curves, beta=KNEE_S)


def train_rpeaks(fabric: Fabric, config: RPeaksTraining, data: Path | None, output: Path) -> Path:
    """Train on DS1, score on DS2; write ``output``/rpeaks.safetensors and return its path.

    An interrupted run goes on from ``output``/state.safetensors.
    """
    folder = mitdb.find_folder(data)
    recordings = [read_recording(folder, name) for name in mitdb.DS1]
    torch.manual_seed(config.loop.seed)
    module = _Regression(RPeaksNet(config.net))

    def draw(random: np.random.Generator) -> tuple[Tensor, ...]:
        return draw_windows(recordings, config.windows, config.net.decimation, random)

    settings = {"task": "rpeaks", **asdict(config)}
    loop.run(fabric, module, draw, config.loop, output, settings, "R peaks")
    net = module.net.eval()
    curves = draw(np.random.default_rng(config.loop.seed))[1]
    training = {
        "data": "MIT-BIH, channel 0, beat annotations",
        "split": "patient (DS1 trains, DS2 is scored)",
        **{key: asdict(config.loop)[key] for key in ("seed", "epochs", "batch", "peak_rate")},
        "weight_decay": config.loop.weight_decay,
        "windows_per_record": config.windows,
        "loss_scale": uninformed_scale(curves),
        "tolerance_s": peaks.TOLERANCE_S,
        "scores": evaluate(net, folder, mitdb.DS2),
    }
    trained = store.TaskNet("rpeaks", net, config.net, training)
    return store.save(trained, output / "rpeaks")


def read_recording(folder: Path, name: str) -> Recording:
    """Read a recording in mV with the times of its beats."""
    samples = mitdb.read_record(folder, name).astype(np.float32)
    beats = mitdb.read_beats(folder, name)
    millivolts = (samples - np.float32(ADC_ZERO)) / np.float32(ADC_PER_MV)
    return Recording(millivolts, beats / mitdb.RATE_HZ)


def draw_windows(
    recordings: Sequence[Recording], count: int, decimation: int, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Draw ``count`` varied windows of each recording, and their curves.

    Returns float32 [N, 8960] at 300 Hz and [N, 8960 / decimation] in seconds.
    """
    drawn = [_draw(r, decimation, random) for r in recordings for _ in range(count)]
    windows, curves = (np.stack(arrays) for arrays in zip(*drawn, strict=True))
    return torch.from_numpy(windows), torch.from_numpy(curves)


def _draw(
    recording: Recording, decimation: int, random: np.random.Generator
) -> tuple[Signal, peaks.Curve]:
    """Draw one window, up to a quarter faster or slower, noisy, either way round."""
    faster = math.exp(random.uniform(-0.22, 0.22))
    taken_s = WINDOW / RATE_HZ * faster
    start_s = random.uniform(0, len(recording.signal) / mitdb.RATE_HZ - taken_s)
    at_s = start_s + np.arange(WINDOW) / RATE_HZ * faster
    window = _resample(recording.signal, at_s)
    beats_s = (recording.beats_s - start_s) / faster
    curve = peaks.distance_curve(beats_s, sample_times(WINDOW, decimation))
    return _disturb(window, random), curve


def _disturb(window: Signal, random: np.random.Generator) -> Signal:
    """Add what CinC-2017's hand-held recorders add: noise of muscles and mains, drift, reversal."""
    spread = float(window.std()) + 1e-6
    time_s = np.arange(len(window)) / RATE_HZ
    mains = np.sin(2 * np.pi * random.choice([50.0, 60.0]) * time_s + random.uniform(0, 6))
    drift = sum(
        random.normal() * np.sin(2 * np.pi * random.uniform(0.05, 0.7) * time_s + phase)
        for phase in random.uniform(0, 6, 3)
    )
    muscle = random.normal(size=len(window)) * _bursts(len(window), random)
    tremor = np.convolve(random.normal(size=len(window)), np.ones(5) / math.sqrt(5), "same")
    tremor = tremor * _bursts(len(window), random)
    noisy = (
        window / spread
        + _amount(0.5, random) * muscle
        + _amount(0.4, random) * tremor
        + _amount(0.3, random) * mains
        + _amount(1.0, random) * drift
    )
    swell = np.exp(random.normal(0, 0.2) * np.sin(2 * np.pi * 0.1 * time_s + random.uniform(0, 6)))
    return np.asarray(noisy * swell * random.choice([-1, 1]), np.float32)


def _amount(highest: float, random: np.random.Generator) -> float:
    """Return how much of a disturbance there is: often little, rarely much."""
    return float(highest * random.random() ** 3)


def _bursts(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return the loudness of a noise that comes and goes, 0.2 to 2, [count]."""
    knots = random.uniform(0.2, 1, 12) ** 2 * 2
    return np.interp(np.linspace(0, 11, count), np.arange(12), knots)


def _resample(signal: Signal, at_s: NDArray[np.float64]) -> Signal:
    """Interpolate a recording at 360 Hz linearly at the given times."""
    low = max(0, int(at_s[0] * mitdb.RATE_HZ) - 1)
    part = signal[low : int(at_s[-1] * mitdb.RATE_HZ) + 3]
    places = at_s * mitdb.RATE_HZ - low
    return np.interp(places, np.arange(len(part)), part).astype(np.float32)


def sample_times(samples: int, decimation: int) -> peaks.Seconds:
    """Return when the curve's samples are, in seconds: the middle of those they average."""
    first = np.arange(samples // decimation) * decimation
    return np.asarray((first + (decimation - 1) / 2) / RATE_HZ)


def evaluate(
    net: RPeaksNet, folder: Path, names: Sequence[str], *, deepest_s: float = peaks.DEEPEST_S
) -> dict[str, object]:
    """Score whole recordings against their annotated beats at 75 ms.

    Returns sensitivity, PPV and F1 of all beats together, the number of beats, and each record's.
    """
    counts = {}
    for name in names:
        recording = read_recording(folder, name)
        beats_s = find_beats(net, recording.signal, deepest_s=deepest_s)
        counts[name] = peaks.match(beats_s, recording.beats_s)
    total = np.array(list(counts.values())).sum(axis=0)
    return {
        **peaks.scores(*(int(n) for n in total)),
        "beats": int(total[0] + total[2]),
        "records": {name: peaks.scores(*count) for name, count in counts.items()},
    }


def find_beats(
    net: RPeaksNet, signal: Signal, *, deepest_s: float = peaks.DEEPEST_S
) -> peaks.Seconds:
    """Return the times of the beats in a whole recording [T] at 360 Hz, in seconds."""
    decimation = net.config.decimation
    whole_s = np.arange(0, len(signal) / mitdb.RATE_HZ, 1 / RATE_HZ)
    curve = whole_curve(net, _resample(signal, whole_s))
    times = peaks.find_peaks(curve, RATE_HZ / decimation, deepest_s=deepest_s)
    return times + (decimation - 1) / 2 / RATE_HZ


def whole_curve(net: RPeaksNet, signal: Signal) -> peaks.Curve:
    """Draw the curve of a recording [T] of any length at 300 Hz, window by window.

    Windows overlap, since a window's ends do not know what comes beyond them.
    """
    hop = WINDOW - 2 * MARGIN
    count = math.ceil(len(signal) / hop)
    padded = np.pad(signal, (MARGIN, count * hop - len(signal) + MARGIN), mode="edge")
    windows = np.stack([padded[i * hop : i * hop + WINDOW] for i in range(count)])
    cut = MARGIN // net.config.decimation
    with torch.no_grad():
        curves = torch.cat(
            [net(part)[:, cut:-cut] for part in torch.split(torch.from_numpy(windows), BATCH)]
        )
    return curves.reshape(-1)[: len(signal) // net.config.decimation].numpy()
