"""Arrhythmia classification: the 34-layer residual CNN of paper section 3, at any width and rate.

Layout as published: a stem convolution, 16 residual blocks of two 16-tap convolutions whose
filters double every four blocks, max-pooled and zero-padded shortcuts, and a dense layer that
classifies every 256 samples. At full width it has 10,473,892 parameters.
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.nn import functional

from dynadeep.train.data.cinc2017 import CLASSES, STEP_SAMPLES

BLOCKS = 16
KERNEL = 16


@dataclass(frozen=True)
class RhythmConfig:
    """What the network is built from: filters of the first blocks, and the input's decimation.

    Decimation 1 is the published 300 Hz; 2 and 4 average neighbouring samples first and leave out
    as many of the last subsamplings, so that a step stays 256 samples of the record.
    """

    width: Annotated[int, Meta(ge=1, le=512)] = 32
    decimation: Annotated[int, Meta(ge=1, le=256)] = 1
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.2


class ResidualBlock(nn.Module):
    """BN-ReLU-conv twice beside a shortcut: [N, C, 1, T] -> [N, F, 1, T / stride].

    The first convolution pads by 8 on both sides and the second by 7, which together keep the
    length as 'same' padding would, without a copy.
    """

    def __init__(
        self, channels: int, filters: int, *, stride: int, dropout: float, first: bool
    ) -> None:
        super().__init__()
        self.filters, self.stride, self.first = filters, stride, first
        self.norm1: nn.Module = nn.Identity() if first else nn.BatchNorm2d(channels)
        self.conv1 = _conv(channels, filters, padding=KERNEL // 2, stride=stride)
        self.norm2 = nn.BatchNorm2d(filters)
        self.drop = nn.Dropout(dropout)
        self.conv2 = _conv(filters, filters, padding=KERNEL // 2 - 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return shortcut + residual."""
        shortcut = functional.max_pool2d(x, (1, self.stride)) if self.stride > 1 else x
        if shortcut.shape[1] != self.filters:
            missing = self.filters - shortcut.shape[1]
            shortcut = functional.pad(shortcut, (0, 0, 0, 0, 0, missing))
        y = x if self.first else functional.relu(self.norm1(x), inplace=True)
        y = functional.relu(self.norm2(self.conv1(y)), inplace=True)
        y = self.conv2(self.drop(y))
        out: Tensor = y + shortcut
        return out


class RhythmNet(nn.Module):
    """Classify the rhythm of records [N, T], standardised as the training records were."""

    def __init__(self, config: RhythmConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.stem = _conv(1, width, padding=0)
        self.stem_norm = nn.BatchNorm2d(width)
        subsamplings = int(math.log2(STEP_SAMPLES // config.decimation))
        blocks, channels = [], width
        for index in range(BLOCKS):
            filters = width * 2 ** (index // 4)
            halve = index % 2 == 1 and index // 2 < subsamplings
            blocks.append(
                ResidualBlock(
                    channels,
                    filters,
                    stride=2 if halve else 1,
                    dropout=config.dropout,
                    first=index == 0,
                )
            )
            channels = filters
        self.blocks = nn.Sequential(*blocks)
        self.last_norm = nn.BatchNorm2d(channels)
        self.dense = nn.Linear(channels, len(CLASSES))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits [N, T / 256, 4] of standardised records [N, T]."""
        features = self.features(x[:, None, None, :])
        logits: Tensor = self.dense(features.squeeze(2).transpose(1, 2))
        return logits

    def features(self, x: Tensor) -> Tensor:
        """Return what the dense layer reads, [N, C, 1, T / 256], of records [N, 1, 1, T]."""
        y = x
        if self.config.decimation > 1:
            y = functional.avg_pool2d(y, (1, self.config.decimation))
        y = functional.pad(y, (KERNEL // 2 - 1, KERNEL // 2))
        y = functional.relu(self.stem_norm(self.stem(y)), inplace=True)
        y = self.blocks(y)
        return functional.relu(self.last_norm(y), inplace=True)


class RhythmTask(nn.Module):
    """The trained network, frozen, with cross entropy against the record's label as its loss."""

    name = "rhythm"

    def __init__(self, net: RhythmNet) -> None:
        super().__init__()
        self.net = net.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "RhythmTask":
        """Stay in evaluation mode, whatever the module around it does."""
        del mode
        return self

    def reference(self, raw: Tensor) -> Tensor:
        """Return the logarithms of the step probabilities of the raw records, [N, T / 256, 4]."""
        with torch.no_grad():
            return self._log_probabilities(raw)

    def losses(self, records: Tensor, labels: Tensor, reference: Tensor) -> Tensor:
        """Return the cross entropy [N, T / 256] of standardised records [N, T], labels [N]."""
        del reference
        return step_losses(self.net(records), labels)

    def added(self, records: Tensor, reference: Tensor) -> Tensor:
        """Return the divergence of the steps' probabilities from the raw records', [N, T / 256]."""
        return divergence(reference, self._log_probabilities(records))

    def _log_probabilities(self, records: Tensor) -> Tensor:
        logits: Tensor = self.net(records)
        return logits.float().log_softmax(dim=-1)

    def probabilities(self, records: Tensor) -> Tensor:
        """Return the class probabilities [N, 4] of records: the mean over their steps."""
        mean: Tensor = self.net(records).softmax(dim=-1).mean(dim=1)
        return mean


def step_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross entropy [N, steps] of logits [N, steps, 4]; a label holds for all steps."""
    repeated = labels[:, None].expand(-1, logits.shape[1])
    return functional.cross_entropy(logits.transpose(1, 2), repeated, reduction="none")


def divergence(raw: Tensor, decoded: Tensor) -> Tensor:
    """Return how far probabilities are from raw ones, logarithms [..., 4] both: [...].

    It is Kullback and Leibler's: what the cross entropy against the raw record's probabilities is
    over what the raw record itself has.
    """
    return (raw.exp() * (raw - decoded)).sum(dim=-1).clamp(min=0)


def _conv(channels: int, filters: int, *, padding: int, stride: int = 1) -> nn.Conv2d:
    """Make a 16-tap convolution along the last axis, started as He et al. (2015) do.

    Two-dimensional in form only: with one row and channels last, PyTorch's CPU kernels run it
    about twice as fast as a one-dimensional one.
    """
    conv = nn.Conv2d(channels, filters, (1, KERNEL), (1, stride), (0, padding))
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv
