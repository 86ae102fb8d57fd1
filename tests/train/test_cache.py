import json
from pathlib import Path

import numpy as np
import pytest
from lightning_fabric import Fabric

from dynadeep.train import cache
from dynadeep.train.cache import Key, run_phase
from dynadeep.train.errors import TrainError
from dynadeep.train.loop import STATE, make_fabric

KEY = Key({"rate": 0.1, "widths": (8, 16)}, {"weights": "5f1c09aa"})


class Phase:
    """Counts its calls and leaves one result."""

    def __init__(self, folder: Path, *, breaks_off: bool = False) -> None:
        self.folder, self.breaks_off, self.calls = folder, breaks_off, 0

    def __call__(self) -> None:
        self.calls += 1
        (self.folder / "state").write_text("half way")
        if self.breaks_off:
            raise KeyboardInterrupt
        (self.folder / "result").write_text("done")


@pytest.fixture
def fabric() -> Fabric:
    return make_fabric("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "phase"


@pytest.fixture
def phase(fabric: Fabric, folder: Path) -> Phase:
    """A phase that has run once with KEY."""
    phase = Phase(folder)
    assert run_phase(fabric, folder, KEY, ["result"], phase) == "anew"
    return phase


def test_second_run_of_the_same_key_is_skipped(fabric: Fabric, folder: Path, phase: Phase) -> None:
    assert run_phase(fabric, folder, KEY, ["result"], phase) == "skipped"
    assert phase.calls == 1


@pytest.mark.parametrize(
    "other", [Key({**KEY.settings, "rate": 0.2}, KEY.inputs), Key(KEY.settings, {"weights": "0"})]
)
def test_another_key_runs_anew_and_keeps_what_is_not_the_kits(
    fabric: Fabric, folder: Path, phase: Phase, other: Key
) -> None:
    (folder / "notes.txt").touch()
    (folder / STATE).touch()
    assert run_phase(fabric, folder, other, ["result"], phase) == "anew"
    assert (folder / "notes.txt").exists()
    assert not (folder / STATE).exists()
    assert phase.calls == 2


def test_interrupted_phase_goes_on_with_what_it_left(fabric: Fabric, folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_phase(fabric, folder, KEY, ["result"], Phase(folder, breaks_off=True))
    states: list[str] = []

    def go_on() -> None:
        states.append((folder / "state").read_text())
        (folder / "result").touch()

    assert run_phase(fabric, folder, KEY, ["result"], go_on) == "resumed"
    assert states == ["half way"]


def test_interrupted_phase_of_another_key_begins_anew(fabric: Fabric, folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_phase(fabric, folder, Key({}), ["result"], Phase(folder, breaks_off=True))
    assert run_phase(fabric, folder, KEY, ["result"], Phase(folder)) == "anew"


def test_result_that_was_removed_is_made_anew(fabric: Fabric, folder: Path, phase: Phase) -> None:
    (folder / "result").unlink()
    assert run_phase(fabric, folder, KEY, ["result"], phase) == "anew"
    assert (folder / "result").read_text() == "done"


@pytest.mark.parametrize("key", [KEY, Key({})], ids=["same key", "another key"])
def test_result_that_was_changed_is_refused_and_kept(
    fabric: Fabric, folder: Path, phase: Phase, key: Key
) -> None:
    (folder / "result").write_text("calibrated")
    with pytest.raises(TrainError, match=r"result: not the file that this phase wrote"):
        run_phase(fabric, folder, key, ["result"], phase)
    assert (folder / "result").read_text() == "calibrated"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"key": 1}', '{"key": {"settings": {}}}', "[" * 100_000,
     '{"key": {"settings": {}, "inputs": {}}, "results": [], "name": "mine"}',
     '{"key": {"settings": {}, "inputs": {}}, "results": 7}',
     '{"key": {"settings": {}, "inputs": {}}, "results": {"result": 7}}'],
)  # fmt: skip
def test_damaged_or_foreign_key_file_is_refused_and_nothing_removed(
    fabric: Fabric, folder: Path, phase: Phase, text: str
) -> None:
    (folder / cache.KEY).write_text(text)
    with pytest.raises(TrainError, match=r"phase"):
        run_phase(fabric, folder, KEY, ["result"], phase)
    assert (folder / "result").read_text() == "done"


def test_folder_of_something_else_is_left_alone(fabric: Fabric, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(TrainError, match="no phase's folder"):
        run_phase(fabric, tmp_path, KEY, [], Phase(tmp_path))
    assert (tmp_path / "thesis.tex").exists()


def test_promised_result_that_is_missing_is_named(fabric: Fabric, folder: Path) -> None:
    with pytest.raises(TrainError, match="other: promised by its phase"):
        run_phase(fabric, folder, KEY, ["other"], Phase(folder))


def test_key_file_says_what_the_results_are_of(folder: Path, phase: Phase) -> None:
    written = json.loads((folder / cache.KEY).read_text())
    assert written["key"] == {
        "settings": {"rate": 0.1, "widths": [8, 16]},
        "inputs": {"weights": "5f1c09aa"},
    }
    assert written["results"] == {"result": cache.file_hash(folder / "result")}


def test_settings_that_json_cannot_hold_are_refused(fabric: Fabric, folder: Path) -> None:
    with pytest.raises(TrainError, match="is JSON"):
        run_phase(fabric, folder, Key({"where": folder}), [], Phase(folder))


def test_array_hash_tells_value_shape_and_type_apart() -> None:
    array = np.arange(6, dtype=np.int16)
    others = [array + 1, array.reshape(2, 3), array.astype(np.int32), array[::-1]]
    assert cache.array_hash(array) == cache.array_hash(array.copy())
    assert len({cache.array_hash(x) for x in (array, *others)}) == 5
