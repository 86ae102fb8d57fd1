"""Heads on the trunk: trained to foresee what each segment will lose, and judged on the hold-out.

The compressor is frozen, so what it gives is computed once per drawn cut, and the heads, a few
thousand weights, see it many times. They soon know the training records by heart: early stopping
watches a tenth of the training side, and margins are proven on the hold-out.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from dynadeep.codegen.progress import each
from dynadeep.train.encoder import Encoded, Heads, TrunkHeads
from dynadeep.train.errors import TrainingFailedError
from dynadeep.train.finetune import HOPELESS
from dynadeep.train.layers import as_picture
from dynadeep.train.levels import Level
from dynadeep.train.observe import Examples

Floats = NDArray[np.float64]

AT_A_TIME = 800
"""Records whose losses are predicted at a time."""


@dataclass(frozen=True)
class ForesightConfig:
    """How trunk heads are trained.

    ``cuts`` versions of each record are drawn, stretched, louder and noisy; ``batch`` counts
    records, ``patience`` epochs without a better hold-out. What is kept is a moving average of the
    weights, of which each step leaves the share ``averaged``. ``least_correlation`` is what each
    level's predictions must have with the true losses on the hold-out.
    """

    cuts: int = 2
    epochs: int = 24
    batch: int = 50
    peak_rate: float = 2e-3
    weight_decay: float = 0.05
    dropout: float = 0.1
    averaged: float = 0.99
    patience: int = 8
    least_correlation: float = 0.1
    seed: int = 0


def train_trunk_heads(
    heads: TrunkHeads, training: Examples, watched: Examples, config: ForesightConfig
) -> None:
    """Fit trunk heads to the losses of segments, in place; ``watched`` says when to stop."""
    torch.manual_seed(config.seed)
    _start_at_mean(heads, training.losses)
    average = get_ema_multi_avg_fn(config.averaged)  # type: ignore[no-untyped-call]
    averaged = AveragedModel(heads, multi_avg_fn=average)
    smooth = averaged.module
    assert isinstance(smooth, TrunkHeads)
    best, best_heads, bad_epochs = -math.inf, smooth, 0
    for _ in _epochs(heads, averaged, training, config):
        score = _score(smooth, watched)
        bad_epochs += 1
        if score > best:
            best, best_heads, bad_epochs = score, copy.deepcopy(smooth), 0
        if bad_epochs >= config.patience:
            break
    heads.load_state_dict(best_heads.state_dict())


def _epochs(
    heads: TrunkHeads, averaged: AveragedModel, training: Examples, config: ForesightConfig
) -> Iterator[None]:
    """Train heads in place, an epoch at a time; ``averaged`` follows their weights."""
    adam = torch.optim.AdamW(
        heads.parameters(), lr=config.peak_rate, weight_decay=config.weight_decay
    )
    trunk = training.encoded.trunk
    count = len(trunk)
    steps = config.epochs * math.ceil(count / config.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, config.peak_rate, total_steps=steps)
    targets = _targets(training.losses)
    spread = targets.std(dim=(0, 1)).clamp(min=1e-6)
    for _ in each("heads", range(config.epochs)):
        for batch in torch.split(torch.randperm(count), config.batch):
            dropped = nn.functional.dropout(trunk[batch].float(), config.dropout)
            error = (_raw(heads, Encoded((), dropped)) - targets[batch]) / spread
            loss = (error.square().mean() + error.mean(dim=1).square().mean()) / 2
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            schedule.step()
            averaged.update_parameters(heads)
        yield


def _score(heads: TrunkHeads, watched: Examples) -> float:
    """Return the levels' mean correlation on records that were not trained on."""
    true = watched.losses.flatten(0, 1).numpy()
    return float(np.mean(correlations(predict(heads, watched.encoded).reshape(true.shape), true)))


def predict(heads: Heads, encoded: Encoded) -> Floats:
    """Return the predictions as the device has them, not negative, [N, S, K]."""
    split = [torch.split(tensor, AT_A_TIME) for tensor in (encoded.trunk, *encoded.latents)]
    with torch.no_grad():
        parts = [
            _raw(heads, Encoded(tuple(latents), trunk)).relu()
            for trunk, *latents in zip(*split, strict=True)
        ]
    return torch.cat(parts).numpy().astype(np.float64)


def _raw(heads: Heads, encoded: Encoded) -> Tensor:
    """Return the predictions before the ReLU, [N, S, K], of segments [N, S, ...]."""
    latents = tuple(codes.float().flatten(0, 1)[:, None] for codes in encoded.latents)
    trunk = as_picture(encoded.trunk.float().flatten(0, 1))
    raw = torch.cat(heads.raw(Encoded(latents, trunk)), dim=1)
    return raw.reshape(*encoded.trunk.shape[:2], -1)


def correlations(predicted: Floats, losses: NDArray[np.floating]) -> list[float]:
    """Return each level's correlation of predictions with losses, [M, K] both; 0 for a constant."""
    coefficients = []
    for foreseen, true in zip(predicted.T, np.minimum(losses, HOPELESS).T, strict=True):
        constant = foreseen.std() < 1e-9 or true.std() < 1e-9
        coefficients.append(0.0 if constant else float(np.corrcoef(foreseen, true)[0, 1]))
    return coefficients


def check_foresight(levels: Sequence[Level], coefficients: Sequence[float], least: float) -> None:
    """Refuse heads that foresee nothing on the hold-out.

    Raises:
        TrainingFailedError: it names the level, its correlation and what was wanted.
    """
    for level, correlation in zip(levels, coefficients, strict=True):
        if correlation < least:
            raise TrainingFailedError(
                f"the head of level {level.name} foresees nothing: its correlation with the true "
                f"loss on the hold-out is {correlation:.3f}, wanted is {least:g}. Train the "
                "compressor or the heads longer, or lower --least-foresight."
            )


def _targets(losses: Tensor) -> Tensor:
    """Return what heads are fitted to: a loss that is hopeless is no worse than another."""
    return losses.clamp(max=HOPELESS)


def _start_at_mean(heads: TrunkHeads, losses: Tensor) -> None:
    """Let each head begin with the mean of its level's losses."""
    means = _targets(losses).mean(dim=(0, 1))
    with torch.no_grad():
        for level, mean in zip(heads.levels, means, strict=True):
            head = heads[f"head{level.name}"]
            assert isinstance(head, nn.Conv1d)
            assert head.bias is not None
            head.bias.fill_(float(mean))
            head.weight.mul_(0.1)
