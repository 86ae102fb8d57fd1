import json
from pathlib import Path

import pytest
import torch

from dynadeep.train.errors import CheckpointError
from dynadeep.train.tasks import store
from dynadeep.train.tasks.rhythm import RhythmConfig, RhythmNet
from dynadeep.train.tasks.rpeaks import RPeaksConfig, RPeaksNet

CONFIG = RPeaksConfig(width=4, decimation=8, widest=8)
TRAINING = {"data": "tiny", "seed": 7, "scores": {"f1": 0.5}}


@pytest.fixture
def made() -> store.TaskNet:
    torch.manual_seed(5)
    return store.TaskNet("rpeaks", RPeaksNet(CONFIG), CONFIG, TRAINING)


@pytest.fixture
def path(made: store.TaskNet, tmp_path: Path) -> Path:
    return store.save(made, tmp_path / "rpeaks")


def test_network_comes_back_to_the_bit_and_with_its_record(made: store.TaskNet, path: Path) -> None:
    loaded = store.load(path)
    for name, tensor in made.net.state_dict().items():
        assert torch.equal(loaded.net.state_dict()[name], tensor), name
    assert (loaded.task, loaded.config, loaded.training) == ("rpeaks", CONFIG, TRAINING)


def test_rhythm_network_is_kept_the_same_way(tmp_path: Path) -> None:
    config = RhythmConfig(width=4, decimation=4)
    network = store.TaskNet("rhythm", RhythmNet(config), config, TRAINING)
    assert store.load(store.save(network, tmp_path / "rhythm"), "rhythm").config == config


def test_loaded_network_is_frozen(path: Path) -> None:
    net = store.load(path).net
    assert not net.training
    assert not any(p.requires_grad for p in net.parameters())


def test_half_precision_halves_the_file_and_loads_as_float32(
    made: store.TaskNet, path: Path, tmp_path: Path
) -> None:
    half = store.save(made, tmp_path / "half", half=True)
    assert half.stat().st_size < 0.7 * path.stat().st_size
    for name, tensor in store.load(half).net.state_dict().items():
        expected = made.net.state_dict()[name]
        assert tensor.dtype == expected.dtype
        torch.testing.assert_close(tensor, expected, rtol=1e-3, atol=1e-3)


def test_network_of_another_task_is_refused(path: Path) -> None:
    with pytest.raises(CheckpointError, match="task 'rpeaks', needed is rhythm"):
        store.load(path, "rhythm")


def test_unknown_task_is_refused_with_the_known_ones(path: Path) -> None:
    record = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(record | {"task": "apnoea"}))
    with pytest.raises(CheckpointError, match="task 'apnoea', needed is rhythm or rpeaks"):
        store.load(path)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"width": 8}, r"stem\.weight is \[4, 1, 1, 15\] in the file, the network has \[8, 1, 1"),
        ({"depth": 9}, "depth"),
    ],
)
def test_another_network_is_refused(path: Path, config: dict[str, int], message: str) -> None:
    record = json.loads(path.with_suffix(".json").read_text())
    record["config"] |= config
    path.with_suffix(".json").write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match=message):
        store.load(path)


def test_one_flipped_bit_is_refused_by_its_hash(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="SHA-256"):
        store.load(path)
