import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from dynadeep.train import loop
from dynadeep.train.errors import CheckpointError, TrainError, TrainingFailedError
from dynadeep.train.loop import LoopConfig, make_fabric, one_cycle

CONFIG = LoopConfig(epochs=2, batch=4, peak_rate=0.05, weight_decay=0.1)
ITEMS = 21
"""The last batch of an epoch has one item, which leaves one of two processes without any."""


class Linear(nn.Module):
    """Has the same gradient however a batch is shared out."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.inner = nn.Linear(3, 4)
        self.outer = nn.Linear(4, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return functional.mse_loss(self.outer(self.inner(x).tanh()).squeeze(1), y)


class Random(nn.Module):
    """Draws on its own, keeps statistics, and has a frozen part."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.frozen = nn.Linear(3, 4).requires_grad_(False)
        normalised = (nn.Unflatten(1, (2, 2)), nn.BatchNorm1d(2), nn.Flatten())
        self.trained = nn.Sequential(*normalised, nn.Dropout(0.5), nn.Linear(4, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return functional.mse_loss(self.trained(self.frozen(x)).squeeze(1), y)


def draw(random: np.random.Generator) -> tuple[Tensor, Tensor]:
    x = torch.from_numpy(random.standard_normal((ITEMS, 3), np.float32))
    return x, x.sum(dim=1)


def train(
    module: nn.Module, folder: Path, config: LoopConfig = CONFIG, data: str = "random"
) -> dict[str, Tensor]:
    """Train on one process; return a copy of the state."""
    loop.run(make_fabric("cpu"), module, draw, config, folder, {"data": data}, "tiny")
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def read_log(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / loop.LOG).read_text().splitlines()]


def break_off(monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    """Let training be interrupted in an epoch, counted from 0."""
    whole = loop._train_epoch

    def broken(*arguments: object, **named: object) -> dict[str, float]:
        if named["epoch"] == epoch:
            raise KeyboardInterrupt
        return whole(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "_train_epoch", broken)


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(first[k].equal(second[k]) for k in first)


@pytest.mark.parametrize("make", [Linear, Random])
def test_resumed_run_equals_an_uninterrupted_one_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[], nn.Module]
) -> None:
    config = replace(CONFIG, epochs=3)
    whole = train(make(), tmp_path / "whole", config)
    with monkeypatch.context() as patched:
        break_off(patched, epoch=2)
        with pytest.raises(KeyboardInterrupt):
            train(make(), tmp_path / "parted", config)
    assert same(train(make(), tmp_path / "parted", config), whole)
    assert read_log(tmp_path / "parted") == read_log(tmp_path / "whole")


def test_finished_run_is_read_and_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train(Random(), tmp_path)
    break_off(monkeypatch, epoch=2)
    assert same(train(Random(), tmp_path), first)


def test_log_line_without_its_state_is_written_once(tmp_path: Path) -> None:
    train(Linear(), tmp_path)
    with (tmp_path / loop.LOG).open("a") as file:
        file.write('{"epoch": 3}\n')
    train(Linear(), tmp_path)
    assert [line["epoch"] for line in read_log(tmp_path)] == [1, 2]


def test_frozen_weights_stay_and_are_not_in_the_state(tmp_path: Path) -> None:
    module, before = Random(), Random()
    train(module, tmp_path)
    assert module.frozen.weight.equal(before.frozen.weight)
    assert not module.trained[-1].weight.equal(before.trained[-1].weight)
    assert b"frozen" not in (tmp_path / loop.STATE).read_bytes()


def test_only_matrices_decay() -> None:
    decay = {
        tuple(p.shape): group["weight_decay"]
        for group in loop._optimiser(Linear(), CONFIG).param_groups
        for p in group["params"]
    }
    assert decay == {(4, 3): 0.1, (1, 4): 0.1, (4,): 0.0, (1,): 0.0}


def test_training_leaves_the_random_state_and_denormals_as_they_were(tmp_path: Path) -> None:
    module = Random()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train(module, tmp_path)
    assert torch.rand(1).equal(expected)
    assert float(torch.tensor(1e-39) * 0.5) > 0


@pytest.mark.parametrize(
    ("config", "data", "message"),
    [
        (replace(CONFIG, batch=8), "random", "begun with batch = 4, now 8"),
        (CONFIG, "other", "begun with data = random, now other"),
    ],
)
def test_state_of_other_settings_is_refused(
    tmp_path: Path, config: LoopConfig, data: str, message: str
) -> None:
    train(Linear(), tmp_path)
    with pytest.raises(CheckpointError, match=message):
        train(Linear(), tmp_path, config, data)


def test_state_of_another_network_is_refused_with_both_shapes(tmp_path: Path) -> None:
    train(Linear(), tmp_path)
    other = Linear()
    other.outer = nn.Linear(4, 2)
    with pytest.raises(CheckpointError, match=r"outer.weight is \[1, 4\] there.*\[2, 4\]"):
        train(other, tmp_path)


def test_damaged_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / loop.STATE).write_bytes(b"nothing of the kind")
    with pytest.raises(CheckpointError, match="not a training state"):
        train(Linear(), tmp_path)


def test_loss_that_is_not_a_number_stops_the_run_and_writes_no_state(tmp_path: Path) -> None:
    with pytest.raises(TrainingFailedError, match=r"epoch 1: the loss is nan\. Lower peak_rate"):
        train(Linear(), tmp_path, replace(CONFIG, peak_rate=float("inf")))
    assert not (tmp_path / loop.STATE).exists()


def test_module_with_nothing_to_train_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="no parameter requires a gradient"):
        train(Linear().requires_grad_(False), tmp_path)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": 0}])
def test_settings_that_train_nothing_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(TrainError, match="must be at least 1"):
        train(Linear(), tmp_path, replace(CONFIG, **wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("device", "devices", "message"),
    [
        ("gpu", 1, "use cpu, cuda or one GPU"),
        ("cuda:x", 1, "use cpu, cuda or one GPU"),
        ("cuda:0", 2, "name one GPU, or count them"),
        ("cpu", 0, "name one GPU, or count them"),
    ],
)
def test_devices_that_cannot_be_meant_are_refused(device: str, devices: int, message: str) -> None:
    with pytest.raises(TrainError, match=message):
        make_fabric(device, devices)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_missing_gpu_is_one_clear_line() -> None:
    with pytest.raises(TrainError, match="device 'cuda': PyTorch finds no GPU"):
        make_fabric("cuda")


@pytest.mark.parametrize("libc", [AttributeError, TypeError, OSError])
def test_system_without_mallopt_trains_all_the_same(
    monkeypatch: pytest.MonkeyPatch, libc: type[Exception]
) -> None:
    def load(name: None) -> object:
        raise libc

    monkeypatch.setattr(loop.ctypes, "CDLL", load)
    loop.keep_freed_memory()


def test_rate_rises_to_its_peak_and_falls_to_zero() -> None:
    rates = [one_cycle(step, 100, 1.0) for step in range(100)]
    assert (rates[0], max(rates), rates.index(max(rates))) == (0.04, 1.0, 25)
    assert rates[-1] < 0.001


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_shares_of_a_batch_make_it_whole(count: int) -> None:
    batch = torch.randperm(count)
    shares = [loop.share_of(batch, rank, 3) for rank in range(3)]
    shown = torch.cat([share for share, weight in shares if weight])
    assert sorted(shown.tolist()) == list(range(count))
    assert sum(weight for _, weight in shares) == pytest.approx(1)
    assert all(len(share) for share, _ in shares)


def torchrun(*options: str) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", *options]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.parametrize("way", ["torchrun", "two hosts", "by itself"])
def test_two_processes_train_what_one_does(tmp_path: Path, way: str) -> None:
    hosts = ("1", "--nnodes", "2", "--master-addr", "127.0.0.1", "--master-port", free_port())
    commands: dict[str, list[list[str]]] = {
        "torchrun": [torchrun("2", "--standalone")],
        "two hosts": [torchrun(*hosts, "--node-rank", rank) for rank in "01"],
        "by itself": [[sys.executable]],
    }
    devices = "2" if way == "by itself" else "1"
    run_together([[*c, __file__, str(tmp_path / "two"), devices] for c in commands[way]])
    whole = train(Linear(), tmp_path / "one")
    for rank in range(2):
        torch.testing.assert_close(np_load(tmp_path / "two" / f"{rank}.npz"), whole)
    losses = [[line["loss"] for line in read_log(tmp_path / name)] for name in ("one", "two")]
    assert losses[1] == pytest.approx(losses[0])
    assert same(train(Linear(), tmp_path / "two"), np_load(tmp_path / "two" / "0.npz"))


def run_together(commands: Sequence[list[str]]) -> None:
    """Run commands at the same time; all must succeed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(c, env=environment, stderr=subprocess.PIPE, text=True) for c in commands
    ]
    for process in running:
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors


def np_load(path: Path) -> dict[str, Tensor]:
    with np.load(path) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


def main(folder: Path, devices: int) -> None:
    """Train as one of several processes, and leave the weights that this one ends with."""
    fabric = make_fabric("cpu", devices)
    assert fabric.world_size == 2
    module = Linear()
    if fabric.global_rank:  # must not matter: the first process's weights count
        nn.init.zeros_(module.outer.weight)
    loop.run(fabric, module, draw, CONFIG, folder, {"data": "random"}, "tiny")
    weights = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    np.savez(folder / f"{fabric.global_rank}.npz", **weights)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
