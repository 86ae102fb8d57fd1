"""Heads on the trunk: trained to foresee what each segment will lose, and judged on the hold-out.

The compressor is frozen, so what it gives is computed once per drawn cut, and the heads, a few
thousand weights, see it many times. They soon know the training records by heart: early stopping
watches the first half of the hold-out, and margins are fitted on the second.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.data import augment, cinc2017
from dynadeep.train.encoder import Encoded, TrunkHeads, rounded
from dynadeep.train.errors import TrainingFailedError
from dynadeep.train.finetune import HOPELESS, WeightedTask, as_records, as_segments
from dynadeep.train.input_map import InputMap
from dynadeep.train.levels import Level
from dynadeep.train.model import SEGMENT_SAMPLES, DynamicDeep
from dynadeep.train.tasks.base import losses_of_kind, segment_losses, standardise

Floats = NDArray[np.float64]
BATCH = 16


@dataclass(frozen=True)
class ForesightConfig:
    """How trunk heads are trained.

    ``cuts`` versions of each record are drawn, stretched, louder and noisy; ``patience`` counts
    epochs without a better hold-out. ``least_correlation`` is what each level's predictions must
    have with the true losses on the hold-out.
    """

    cuts: int = 2
    epochs: int = 60
    batch: int = 256
    peak_rate: float = 2e-3
    weight_decay: float = 0.05
    dropout: float = 0.1
    patience: int = 10
    least_correlation: float = 0.1
    seed: int = 0


class Seen(NamedTuple):
    """What heads see and shall foresee of M segments: [M, C, T] in float16, and [M, K]."""

    trunk: Tensor
    losses: Tensor


def observe(
    model: DynamicDeep,
    input_map: InputMap,
    tasks: Sequence[WeightedTask],
    kind: PromiseKind,
    records: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> Seen:
    """Code records, float32 [N, T] with labels [N], and measure what each segment loses."""
    adc, labels = records
    parts = [
        _observe_batch(
            model,
            input_map,
            tasks,
            kind,
            (torch.from_numpy(adc[s : s + BATCH]), torch.from_numpy(labels[s : s + BATCH])),
        )
        for s in range(0, len(adc), BATCH)
    ]
    return Seen(*(torch.cat(values) for values in zip(*parts, strict=True)))


def _observe_batch(
    model: DynamicDeep,
    input_map: InputMap,
    tasks: Sequence[WeightedTask],
    kind: PromiseKind,
    batch: tuple[Tensor, Tensor],
) -> Seen:
    adc, labels = batch
    windows, raw = as_segments(adc), standardise(adc)
    with torch.no_grad():
        encoded: Encoded = model.encoder(input_map.apply_int8(windows))
        decoded = model.decode(tuple(rounded(codes) for codes in encoded.latents))
        references = [task.reference(raw) for task, _ in tasks]
        losses = []
        for one in decoded:
            records = as_records(input_map.decoded_to_adc(one, windows), adc.shape[1])
            along = [
                weight
                * segment_losses(
                    losses_of_kind(task, kind, standardise(records), labels, reference),
                    samples=adc.shape[1],
                    segment=SEGMENT_SAMPLES,
                )
                for (task, weight), reference in zip(tasks, references, strict=True)
            ]
            losses.append(torch.stack(along).sum(dim=0).reshape(-1))
    return Seen(encoded.trunk.half(), torch.stack(losses, dim=1))


def draw_cuts(
    records: Sequence[cinc2017.Record], random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw a varied, noisy version of each record, float32 [N, 8960], with its label [N]."""
    cuts = []
    for record in records:
        cut = augment.vary_record(record.samples, cinc2017.RECORD_SAMPLES, random)[0]
        noise = float(cut.std()) * 0.1 * random.random()
        cuts.append(cut + random.normal(0, noise + 1e-6, cut.shape).astype(np.float32))
    return np.stack(cuts), cinc2017.labels(records)


def train_trunk_heads(
    heads: TrunkHeads, training: Seen, held: Seen, config: ForesightConfig
) -> None:
    """Fit trunk heads to the losses of segments, in place; ``held`` says when to stop."""
    torch.manual_seed(config.seed)
    _start_at_mean(heads, training.losses)
    optimiser = torch.optim.AdamW(
        heads.parameters(), lr=config.peak_rate, weight_decay=config.weight_decay
    )
    steps = math.ceil(len(training.trunk) / config.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.peak_rate, total_steps=config.epochs * steps
    )
    best, kept, since = -math.inf, copy.deepcopy(heads.state_dict()), 0
    for _ in range(config.epochs):
        for batch in torch.split(torch.randperm(len(training.trunk)), config.batch):
            dropped = nn.functional.dropout(training.trunk[batch].float(), config.dropout)
            targets = _targets(training.losses[batch])
            loss = nn.functional.smooth_l1_loss(foresee(heads, dropped), targets, beta=0.3)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        score = float(np.mean(correlations(predict(heads, held.trunk), held.losses.numpy())))
        since += 1
        if score > best:
            best, kept, since = score, copy.deepcopy(heads.state_dict()), 0
        if since >= config.patience:
            break
    heads.load_state_dict(kept)


def foresee(heads: TrunkHeads, trunk: Tensor) -> Tensor:
    """Return the predictions before the ReLU, [M, K], of what the trunk gives, [M, C, T]."""
    return torch.cat(heads.raw(Encoded((), trunk)), dim=1)


def predict(heads: TrunkHeads, trunk: Tensor) -> Floats:
    """Return the predictions as the device has them, not negative, [M, K]."""
    with torch.no_grad():
        parts = [foresee(heads, part.float()).relu() for part in torch.split(trunk, 4096)]
    return torch.cat(parts).numpy().astype(np.float64)


def correlations(predicted: Floats, losses: NDArray[np.floating]) -> list[float]:
    """Return each level's correlation of predictions with losses, [M, K] both; 0 for a constant."""
    found = []
    for ours, true in zip(predicted.T, np.minimum(losses, HOPELESS).T, strict=True):
        constant = ours.std() < 1e-9 or true.std() < 1e-9
        found.append(0.0 if constant else float(np.corrcoef(ours, true)[0, 1]))
    return found


def check_foresight(levels: Sequence[Level], found: Sequence[float], least: float) -> None:
    """Refuse heads that foresee nothing on the hold-out.

    Raises:
        TrainingFailedError: it names the level, its correlation and what was wanted.
    """
    for level, correlation in zip(levels, found, strict=True):
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
    means = _targets(losses).mean(dim=0)
    with torch.no_grad():
        for level, mean in zip(heads.levels, means, strict=True):
            head = heads[f"head{level.name}"]
            assert isinstance(head, nn.Conv1d)
            assert head.bias is not None
            head.bias.fill_(float(mean))
            head.weight.mul_(0.1)
