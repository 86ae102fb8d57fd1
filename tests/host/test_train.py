"""``dynadeep train`` on CinC 2017: the excerpt parted in three, so the figures mean nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dynadeep.host_tools.cli import run
from dynadeep.train import checkpoint
from dynadeep.train.data import cinc2017
from dynadeep.train.data.windows import DESCRIPTIONS

EPOCHS = 2


def train(out: Path, *options: object) -> int:
    settings = (
        "--architecture",
        "cae32",
        "--epochs",
        EPOCHS,
        "--batch",
        8,
        "--threads",
        1,
        *options,
    )
    where = ("--dataset", "cinc2017", "--data", cinc2017.SAMPLE_FOLDER, "--out", out)
    return run([str(word) for word in ("train", *where, *settings)])


@pytest.fixture(scope="module", autouse=True)
def _excerpt_is_the_database() -> Iterator[None]:
    whole = cinc2017.read_split

    def read_split(folder: Path, **options: object) -> cinc2017.Split:
        return whole(folder, **{**options, "parts": cinc2017.SAMPLE})  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cinc2017, "read_split", read_split)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("train") / "run"
    assert train(out, "--json", out.with_name("told.json")) == 0
    return out


def test_json_has_each_checkpoint_with_its_record(trained: Path) -> None:
    entry = json.loads(trained.with_name("told.json").read_text())["checkpoints"]["checkpoint"]
    assert entry["path"] == str(trained / "checkpoint.safetensors")
    assert entry["record"] == json.loads((trained / "checkpoint.json").read_text())


def test_the_baseline_trains_and_its_loss_falls(trained: Path) -> None:
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == EPOCHS
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_the_record_says_what_it_was_trained_on(trained: Path) -> None:
    loaded = checkpoint.load(trained / "checkpoint")
    training = loaded.training
    assert loaded.config.architecture == "cae32"
    assert (training.dataset, training.data) == ("cinc2017", DESCRIPTIONS["cinc2017"])
    assert (training.split, training.epochs, training.batch) == ("published", EPOCHS, 8)
    assert (training.train_windows, training.test_windows) == (40, 40)
    assert set(training.scores) == {"32"}
    assert set(training.scores["32"]) == {"prd", "prdn"}


def test_a_start_of_another_architecture_is_refused_with_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path / "run", "--start", checkpoint.DEFAULT_CHECKPOINT) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert "holds 'dynamic-deep' with heads on the trunk" in line
    assert "the run is told to train 'cae32'" in line
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_a_baseline_is_not_fine_tuned_for_tasks(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = trained / "checkpoint.safetensors"
    where = ("--data", cinc2017.SAMPLE_FOLDER, "--out", tmp_path / "run")
    options = ("--start", start, "--task", "rhythm", "--threads", 1, *where)
    assert run(["train", *map(str, options)]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert "fine-tuning a cae32" in line
    assert "it takes a dynamic-deep checkpoint" in line
