"""The heads phase: fit linear error heads to a compressor that no longer changes.

A head is one linear layer, so its mean squared error has one minimum, found here directly
(ridge-regularised least squares) in place of ten epochs of descent towards it. The fit is before
the ReLU: behind it, a head whose outputs are all negative would get no gradient and stay dead.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from dynadeep.train import evaluate
from dynadeep.train.data.mitdb import Samples
from dynadeep.train.encoder import LinearHeads
from dynadeep.train.errors import TrainError, TrainingFailedError
from dynadeep.train.input_map import InputMap
from dynadeep.train.model import DynamicDeep

RIDGE = 1e-3
"""Relative to the latents' variance: it settles directions in which they do not vary at all."""


WINDOWS = 6000
"""Windows, at most, that heads are fitted on, evenly spread: a head has 250 weights or fewer."""


def train_heads(model: DynamicDeep, windows: Samples, input_map: InputMap) -> None:
    """Fit linear heads to their levels' reconstruction errors, PRD in percent, in place.

    Raises TrainingFailedError if a head says the same for every window.
    """
    coded = evaluate.run(model, windows[:: -(-len(windows) // WINDOWS)], input_map)
    linear = linear_heads(model)
    for level in model.levels:
        head = linear.of(level)
        latents = torch.from_numpy(coded[level].latents)
        fit_head(head, latents, torch.from_numpy(coded[level].prd))
        check_alive(head, latents, level)


def linear_heads(model: DynamicDeep) -> LinearHeads:
    """Return a network's heads; raises TrainError if they are not linear."""
    if not isinstance(model.heads, LinearHeads):
        raise TrainError(
            f"heads are {model.config.heads!r}, least squares fits 'linear'. Use those of a trunk "
            "with a task."
        )
    return model.heads


def fit_head(head: nn.Linear, latents: Tensor, errors: Tensor) -> None:
    """Set a head to the least-squares prediction of errors [N] from latents [N, L]."""
    x, y = latents.double(), errors.double()
    x_mean, y_mean = x.mean(dim=0), y.mean()
    centred = x - x_mean
    gram = centred.T @ centred
    ridge = RIDGE * gram.diagonal().mean().clamp(min=1e-30)
    weights = torch.linalg.solve(
        gram + ridge * torch.eye(len(gram), dtype=gram.dtype), centred.T @ (y - y_mean)
    )
    with torch.no_grad():
        head.weight.copy_(weights[None])
        assert head.bias is not None
        head.bias.copy_(y_mean - weights @ x_mean)


def check_alive(head: nn.Linear, latents: Tensor, level: str) -> None:
    """Refuse a head that predicts one error whatever the latent: every decision would be alike."""
    weights = (head.weight.detach().cpu(), head.bias.detach().cpu())
    predicted = functional.linear(latents.float(), *weights).relu()
    if float(predicted.std()) < 1e-6 * max(1.0, float(predicted.mean())):
        raise TrainingFailedError(
            f"the head of level {level} predicts {float(predicted.mean()):.3g} % for every "
            "window: it is dead. Train the compressor longer, or with another seed."
        )
