import json
import pickle
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from dynadeep.train import checkpoint
from dynadeep.train.checkpoint import Checkpoint, Promise, TrainingRecord
from dynadeep.train.errors import CheckpointError
from dynadeep.train.input_map import InputMap
from dynadeep.train.levels import ModelConfig
from dynadeep.train.model import DynamicDeep

TRAINING = TrainingRecord("tiny", "patient", 7, 1, 4, 1e-3, False, 8, 3, {"32": {"prd": 50.0}})
INPUT_MAP = InputMap("affine", 1012, 467)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    untrained = Checkpoint(DynamicDeep(), INPUT_MAP, TRAINING)
    return checkpoint.save(untrained, tmp_path_factory.mktemp("made") / "checkpoint")


@pytest.fixture
def path(written: Path, tmp_path: Path) -> Path:
    """A checkpoint of its own, to be damaged."""
    for suffix in (".safetensors", ".json"):
        shutil.copy(written.with_suffix(suffix), tmp_path)
    return tmp_path / written.name


def change_record(path: Path, **changes: object) -> None:
    record = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(record | changes))


def test_weights_come_back_to_the_bit(written: Path) -> None:
    torch.manual_seed(3)
    expected = DynamicDeep().state_dict()
    loaded = checkpoint.load(written).model.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in expected.items())


def test_record_comes_back_whole(written: Path) -> None:
    loaded = checkpoint.load(written)
    assert (loaded.input_map, loaded.training) == (INPUT_MAP, TRAINING)


def test_either_of_the_two_files_names_a_checkpoint(written: Path) -> None:
    assert checkpoint.load(written.with_suffix(".json")).training == TRAINING


def test_loaded_network_is_in_evaluation_mode(written: Path) -> None:
    assert not checkpoint.load(written).model.training


def test_half_precision_decoder_leaves_the_device_part_untouched(tmp_path: Path) -> None:
    model = DynamicDeep()
    half = checkpoint.save(
        Checkpoint(model, INPUT_MAP, TRAINING), tmp_path / "h", half_decoder=True
    )
    loaded = checkpoint.load(half).model.state_dict()
    for name, tensor in model.state_dict().items():
        expected = tensor.half().float() if name.startswith("decoder.") else tensor
        assert torch.equal(loaded[name], expected), name


def test_missing_record_is_named(path: Path) -> None:
    path.with_suffix(".json").unlink()
    with pytest.raises(CheckpointError, match=r"checkpoint\.json: not found"):
        checkpoint.load(path)


def test_file_that_is_no_checkpoint_is_refused(path: Path) -> None:
    path.write_bytes(b"#!/bin/sh\necho hello\n")
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        checkpoint.load(path)


def test_file_of_another_kind_is_refused_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"PK")
    with pytest.raises(CheckpointError, match=r"model\.pt: not a safetensors file"):
        checkpoint.load(tmp_path / "model.pt")


def test_dots_in_a_name_are_kept(tmp_path: Path) -> None:
    path = checkpoint.save(Checkpoint(DynamicDeep(), INPUT_MAP, TRAINING), tmp_path / "v1.5")
    assert path.name == "v1.5.safetensors"


def test_pickle_is_refused_and_never_run(path: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "trapped",))

    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        checkpoint.load(path)
    assert not (tmp_path / "trapped").exists()


def test_truncated_file_is_refused_with_both_sizes(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    with pytest.raises(CheckpointError, match=f"truncated, 1000 of {len(whole)} bytes"):
        checkpoint.load(path)


def test_one_flipped_bit_is_refused_by_its_hash(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"SHA-256 is .*, its record says"):
        checkpoint.load(path)


def test_weights_of_another_network_are_refused_with_both_shapes(path: Path) -> None:
    change_record(path, architecture=asdict(ModelConfig("cae32")))
    with pytest.raises(CheckpointError, match=r"is none in the file, the network has \[8, 1, 3\]"):
        checkpoint.load(path)


def test_a_layer_of_another_shape_is_refused_with_both_shapes(tmp_path: Path) -> None:
    model = DynamicDeep()
    model.encoder.latent32.weight = torch.nn.Parameter(torch.zeros(1, 32, 9))
    path = checkpoint.save(Checkpoint(model, INPUT_MAP, TRAINING), tmp_path / "wide")
    with pytest.raises(
        CheckpointError,
        match=r"encoder.latent32.weight is \[1, 32, 9\] in the file, the network has \[1, 32, 7\]",
    ):
        checkpoint.load(path)


def test_unknown_architecture_is_refused_with_the_known_ones(path: Path) -> None:
    change_record(path, architecture=asdict(ModelConfig("transformer")))
    with pytest.raises(CheckpointError, match="'transformer': this kit builds dynamic-deep, cae32"):
        checkpoint.load(path)


def test_network_for_another_segment_length_is_refused(path: Path) -> None:
    change_record(path, architecture=asdict(ModelConfig(segment_samples=1000)))
    with pytest.raises(CheckpointError, match="segments of 1000 samples: this kit builds"):
        checkpoint.load(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_refused(tmp_path: Path, value: float) -> None:
    model = DynamicDeep()
    with torch.no_grad():
        model.encoder.conv3.weight[:2, 0] = value
    path = checkpoint.save(Checkpoint(model, INPUT_MAP, TRAINING), tmp_path / "nan")
    with pytest.raises(CheckpointError, match=r"encoder\.conv3\.weight has 2 values that are NaN"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    ("path_to", "value", "message"),
    [
        (("training", "seed"), "7", 'key "training.seed" is .7., expected an integer'),
        (("training", "scores", "32", "prd"), [], "training.scores.32.prd"),
        (("training", "split"), "half", 'expected "patient" or "published"'),
        (("weights", "bytes"), True, 'key "weights.bytes" is True, expected an integer'),
        (("input_map", "scale"), float("inf"), 'key "input_map.scale" is inf, expected a number'),
        (("architecture", "segment_samples"), 10**400, "an integer of 1329 bits"),
        (("promise",), {"tasks": 3}, "promise"),
    ],
)
def test_record_with_a_wrong_value_is_refused_by_key(
    path: Path, path_to: tuple[str, ...], value: object, message: str
) -> None:
    record = json.loads(path.with_suffix(".json").read_text())
    at = record
    for key in path_to[:-1]:
        at = at[key]
    at[path_to[-1]] = value
    path.with_suffix(".json").write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match=message) as caught:
        checkpoint.load(path)
    assert "\n" not in str(caught.value)


PROMISE = Promise(
    tasks={"rhythm": 1.0},
    unit="added cross entropy",
    bound=0.5,
    violation_rate=0.02,
    bounds=(0.1, 0.5),
    margins={"32": (0.3, 0.25), "64": (0.5, -0.25)},
    record_margins={"32": (0.2, 0.125), "64": (0.4, 0.0)},
    kind="added",
)


def test_a_promise_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    promising = Checkpoint(DynamicDeep(), INPUT_MAP, TRAINING, promise=PROMISE)
    assert checkpoint.load(checkpoint.save(promising, tmp_path / "made")).promise == PROMISE


def test_a_promise_at_one_bound_is_read_as_a_table_of_one_knot(path: Path) -> None:
    earlier = {
        **asdict(PROMISE),
        "margins": {"32": 0.25, "64": -0.25},
        "record_margins": {"32": 0.125, "64": 0.0},
    }
    del earlier["bounds"]
    change_record(path, format=2, promise=earlier)
    assert checkpoint.load(path).promise == replace(
        PROMISE,
        bounds=(0.5,),
        margins={"32": (0.25,), "64": (-0.25,)},
        record_margins={"32": (0.125,), "64": (0.0,)},
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bounds": []}, r'"promise.bounds" is \[\], expected it to ascend'),
        ({"bounds": [0.5, 0.5]}, r'"promise.bounds" is \[0.5, 0.5\], expected it to ascend'),
        ({"bounds": [-0.5, 0.5]}, r'"promise.bounds" is \[-0.5, 0.5\], expected it to ascend from'),
        ({"margins": {"32": [0.1, 0.2], "64": [0.1]}}, r'margins.64" has 1 values, expected 2'),
        ({"record_margins": {"32": [0.1, 0.2]}}, r'record_margins" has .*, expected 32, 64'),
    ],
)
def test_margins_that_do_not_fit_their_bounds_or_levels_are_refused(
    path: Path, changes: dict[str, object], message: str
) -> None:
    change_record(path, promise={**asdict(PROMISE), **changes})
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(path)


def test_sigkill_at_any_line_leaves_the_old_checkpoint_or_the_new_one(tmp_path: Path) -> None:
    killer = Path(__file__).parents[1] / "codegen" / "kill_writer.py"
    command = [sys.executable, str(killer), str(tmp_path / "in" / "c.safetensors"), "checkpoint"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    outcomes = json.loads(done.stdout)
    assert len(outcomes) > 10
    old, new = {"record": "old", "weights": 0.0}, {"record": "new", "weights": 1.0}
    assert all(left in (old, new) for _, left in outcomes)
    assert (outcomes[0][1], outcomes[-1]) == (old, [False, new])


@pytest.mark.parametrize("text", ["not json", "[]", '{"format": 1}', "{}"])
def test_damaged_record_is_refused(path: Path, text: str) -> None:
    path.with_suffix(".json").write_text(text)
    with pytest.raises(CheckpointError, match=r"checkpoint\.json: "):
        checkpoint.load(path)


def test_record_of_a_later_format_is_refused(path: Path) -> None:
    change_record(path, format=4)
    with pytest.raises(CheckpointError, match="record format 4, this kit reads 1 to 3"):
        checkpoint.load(path)


def test_record_without_a_hash_is_refused(path: Path) -> None:
    change_record(path, weights={})
    with pytest.raises(CheckpointError, match=r'key "weights\.sha256" is missing'):
        checkpoint.load(path)


def test_record_with_an_unknown_field_is_refused(path: Path) -> None:
    change_record(path, input_map={"kind": "affine", "gamma": 2})
    with pytest.raises(CheckpointError, match="gamma"):
        checkpoint.load(path)
