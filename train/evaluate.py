"""Score a checkpoint: PRD and PRDN of every level, and how well the heads foresee them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynadeep.codegen.progress import each
from dynadeep.train import checkpoint, metrics
from dynadeep.train.checkpoint import Model
from dynadeep.train.data import mitdb
from dynadeep.train.data.windows import read_windows
from dynadeep.train.errors import TrainError
from dynadeep.train.input_map import InputMap, as_tensor
from dynadeep.train.model import DynamicDeep

BATCH = 64
MARGIN_PERCENT = 95
"""A head's margin is exceeded by its error in the other 5 percent of windows."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class EvaluateConfig:
    """What to evaluate. ``split`` defaults to the one the checkpoint was trained on."""

    checkpoint: Path
    data: Path | None = None
    split: mitdb.SplitName | None = None
    device: str = "cpu"


@dataclass(frozen=True)
class Evaluation:
    """Mean scores per level in percent, over the test windows of a split.

    ``unseen`` is False where the checkpoint was trained on another split, hence maybe on
    some of these windows or patients.
    """

    split: str
    windows: int
    unseen: bool
    scores: dict[str, dict[str, float]]


@dataclass(frozen=True)
class LevelResult:
    """One level on N windows: PRD and PRDN [N] in percent, latents [N, L], predictions [N]."""

    prd: Values
    prdn: Values
    latents: Values
    predicted: Values | None


def evaluate(config: EvaluateConfig) -> Evaluation:
    """Score a checkpoint on windows of the database it was trained on: see ``read_windows``."""
    loaded = checkpoint.load(config.checkpoint)
    record = loaded.training
    trained_on = record.split
    if record.dataset == "cinc2017" and config.split not in (None, trained_on):
        raise TrainError(
            f"{config.checkpoint}: was trained on CinC 2017, which is parted as {trained_on} "
            f"alone, not {config.split}. Leave the split out."
        )
    split = config.split or trained_on
    windows = read_windows(record.dataset, config.data, split=split, seed=record.seed).test
    scores = score(loaded.model.to(config.device), windows, loaded.input_map)
    return Evaluation(split, len(windows), split == trained_on, scores)


def score(model: Model, windows: mitdb.Samples, input_map: InputMap) -> dict[str, dict[str, float]]:
    """Return the mean scores of each level over windows, int16 [N, 2000]."""
    return {level: _summary(r) for level, r in run(model, windows, input_map).items()}


def run(model: Model, windows: mitdb.Samples, input_map: InputMap) -> dict[str, LevelResult]:
    """Compress and decode windows, int16 [N, 2000], and measure each of them at each level."""
    model.eval()
    device = next(model.parameters()).device
    parts: dict[str, list[LevelResult]] = {level: [] for level in model.levels}
    for start in each("coding windows", range(0, len(windows), BATCH)):
        batch = windows[start : start + BATCH]
        for level, result in _run_batch(model, batch, input_map, str(device)).items():
            parts[level].append(result)
    return {level: _joined(results) for level, results in parts.items()}


def _run_batch(
    model: Model, windows: mitdb.Samples, input_map: InputMap, device: str
) -> dict[str, LevelResult]:
    """Measure one batch; both signals stand on the scale where each window is [0, 1]."""
    adc = as_tensor(windows, device)
    original = metrics.unit_scale(windows.astype(np.float64), windows.astype(np.float64))
    with torch.no_grad():
        mapped = input_map.apply(adc)
        foreseen: list[Values | None] = [None] * len(model.levels)
        if isinstance(model, DynamicDeep):
            encoded = model.encoder(mapped)
            latents = encoded.latents
            foreseen = [_array(error[:, 0]) for error in model.heads(encoded)]
        else:
            latents = model.encode(mapped)
        decoded = [_array(input_map.decoded_to_unit(d, adc)) for d in model.decode(latents)]
    return {
        level: LevelResult(metrics.prd(original, d), metrics.prdn(original, d), code, error)
        for level, d, code, error in zip(
            model.levels, decoded, [_array(t[:, 0]) for t in latents], foreseen, strict=True
        )
    }


def _array(tensor: Tensor) -> Values:
    """Return a tensor's values for numpy."""
    return tensor.cpu().numpy().astype(np.float64)


def _joined(parts: list[LevelResult]) -> LevelResult:
    """Put the batches of one level together."""
    predicted = [p.predicted for p in parts if p.predicted is not None]
    return LevelResult(
        np.concatenate([p.prd for p in parts]),
        np.concatenate([p.prdn for p in parts]),
        np.concatenate([p.latents for p in parts]),
        np.concatenate(predicted) if predicted else None,
    )


def _summary(result: LevelResult) -> dict[str, float]:
    """Reduce a level to its figures, rounded to what is worth printing."""
    figures = {"prd": result.prd.mean(), "prdn": result.prdn.mean()}
    if result.predicted is not None:
        miss = result.prd - result.predicted
        figures["head_mae"] = np.abs(miss).mean()
        figures["head_correlation"] = np.corrcoef(result.prd, result.predicted)[0, 1]
        figures["head_margin95"] = np.percentile(miss, MARGIN_PERCENT)
    return {name: round(float(value), 4) for name, value in figures.items()}
