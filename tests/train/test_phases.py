import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dynadeep.codegen.errors import BusyError
from dynadeep.train import checkpoint, loop
from dynadeep.train.data import mitdb
from dynadeep.train.errors import CheckpointError, TrainError, TrainingFailedError
from dynadeep.train.phases import TrainConfig, train_on


def interrupt_after(monkeypatch: pytest.MonkeyPatch, epochs: int) -> None:
    """Let training break off when it begins the epoch after."""
    whole = loop._train_epoch

    def broken(*arguments: object, epoch: int) -> dict[str, float]:
        if epoch == epochs:
            raise KeyboardInterrupt
        return whole(*arguments, epoch=epoch)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "_train_epoch", broken)


@pytest.mark.parametrize("random_windows", [False, True])
def test_resumed_run_equals_an_uninterrupted_one_to_the_bit(
    split: mitdb.Split,
    config: TrainConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    random_windows: bool,
) -> None:
    config = replace(config, random_windows=random_windows)
    whole = train_on(split, config)
    parted = replace(config, output=tmp_path / "parted", resume=True)
    with monkeypatch.context() as patched:
        interrupt_after(patched, epochs=1)
        with pytest.raises(KeyboardInterrupt):
            train_on(split, parted)
    assert train_on(split, parted).read_bytes() == whole.read_bytes()


def test_same_seed_gives_the_same_weights_and_another_gives_others(
    split: mitdb.Split, config: TrainConfig, tmp_path: Path
) -> None:
    first, again, other = (
        train_on(split, replace(config, epochs=1, seed=seed, output=tmp_path / name)).read_bytes()
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first == again
    assert first != other


def test_training_lowers_the_loss_and_logs_it_each_epoch(
    split: mitdb.Split, config: TrainConfig
) -> None:
    train_on(split, replace(config, epochs=4))
    lines = [json.loads(x) for x in (config.output / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    assert lines[-1]["loss"] < 0.8 * lines[0]["loss"]


def test_checkpoint_says_how_it_was_trained_and_what_it_scores(
    split: mitdb.Split, config: TrainConfig
) -> None:
    training = checkpoint.load(train_on(split, config)).training
    assert (training.split, training.seed, training.epochs) == ("patient", 0, 2)
    assert (training.train_windows, training.test_windows) == (8, 3)
    assert set(training.scores) == {"8", "16", "32", "64"}
    assert {"prd", "prdn"} <= set(training.scores["64"])


def test_baseline_trains_through_the_same_function(split: mitdb.Split, config: TrainConfig) -> None:
    path = train_on(split, replace(config, architecture="cae32", epochs=1))
    assert set(checkpoint.load(path).training.scores) == {"32"}


def test_resuming_with_other_settings_is_refused(split: mitdb.Split, config: TrainConfig) -> None:
    train_on(split, replace(config, epochs=1))
    with pytest.raises(CheckpointError, match="begun with epochs = 1, now 2"):
        train_on(split, replace(config, resume=True))


def test_damaged_state_is_refused(split: mitdb.Split, config: TrainConfig) -> None:
    config.output.mkdir()
    (config.output / "state.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(CheckpointError, match="not a training state"):
        train_on(split, replace(config, resume=True))


def test_random_windows_are_refused_where_there_is_nothing_to_draw_them_from(
    split: mitdb.Split, config: TrainConfig
) -> None:
    with pytest.raises(TrainError, match="no recordings to draw them from"):
        train_on(mitdb.Split(split.train, split.test), replace(config, random_windows=True))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_missing_gpu_is_one_clear_line(split: mitdb.Split, config: TrainConfig) -> None:
    with pytest.raises(TrainError, match="device 'cuda': PyTorch finds no GPU"):
        train_on(split, replace(config, device="cuda"))


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": 0}])
def test_settings_that_train_nothing_are_refused(
    split: mitdb.Split, config: TrainConfig, wrong: dict[str, int]
) -> None:
    with pytest.raises(TrainError, match="must be at least 1"):
        train_on(split, replace(config, **wrong))  # type: ignore[arg-type]


def test_a_loss_that_is_not_a_number_stops_the_run(split: mitdb.Split, config: TrainConfig) -> None:
    with pytest.raises(TrainingFailedError, match=r"the loss is nan\. Lower peak_rate"):
        train_on(split, replace(config, peak_rate=float("inf")))


def test_training_goes_on_from_a_checkpoint_and_says_which(
    split: mitdb.Split, config: TrainConfig, tmp_path: Path
) -> None:
    first = train_on(split, replace(config, epochs=3))
    lines = (config.output / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    further = replace(config, epochs=1, start=first, output=tmp_path / "further")
    second = train_on(split, further)
    loss = json.loads((further.output / "metrics.jsonl").read_text())["loss"]
    assert loss < losses[0]
    assert checkpoint.load(second).training.start == hashlib.sha256(first.read_bytes()).hexdigest()


def test_a_start_of_another_architecture_is_refused(
    split: mitdb.Split, config: TrainConfig
) -> None:
    start = checkpoint.DEFAULT_CHECKPOINT
    with pytest.raises(
        TrainError, match=r"holds 'dynamic-deep' with heads on the trunk.* is told to train 'cae64'"
    ):
        train_on(split, replace(config, architecture="cae64", start=start))


def test_a_run_that_lies_there_is_not_overwritten(split: mitdb.Split, config: TrainConfig) -> None:
    path = train_on(split, config)
    before = path.read_bytes()
    with pytest.raises(TrainError, match=r"holds checkpoint\.safetensors of another run.*--resume"):
        train_on(split, config)
    assert path.read_bytes() == before


def test_an_unfinished_run_is_not_begun_anew(split: mitdb.Split, config: TrainConfig) -> None:
    config.output.mkdir()
    (config.output / loop.STATE).touch()
    with pytest.raises(TrainError, match=r"holds state\.safetensors of another run"):
        train_on(split, config)


def test_a_folder_that_another_run_is_at_work_in_is_refused(
    split: mitdb.Split, config: TrainConfig
) -> None:
    program = (
        "import sys; from pathlib import Path; from dynadeep.codegen.lock import locked\n"
        "with locked(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(config.output)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(BusyError, match=f"in use by process {other.pid} "):
            train_on(split, config)
        other.communicate()
    assert not config.output.exists()
