"""Levels are data: any of them make a network, and a checkpoint says which."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from dynadeep.train import checkpoint
from dynadeep.train.checkpoint import Checkpoint, TrainingRecord
from dynadeep.train.data import mitdb
from dynadeep.train.encoder import SharedEncoder
from dynadeep.train.errors import CheckpointError
from dynadeep.train.input_map import InputMap, as_tensor
from dynadeep.train.layers import as_picture, parameter_count
from dynadeep.train.levels import FOUR, NAMED, PUBLISHED, ModelConfig
from dynadeep.train.model import DynamicDeep
from dynadeep.train.phases import TrainConfig, train_on
from tests.train.test_model import multiply_accumulates

TRAINING = TrainingRecord("tiny", "patient", 7, 1, 4, 1e-3, False, 8, 3)
INPUT_MAP = InputMap("affine", 1012, 467)
ONE = replace(NAMED["dynamic-deep"], levels=FOUR[1:2])
SHIPPED = sorted(checkpoint.PRETRAINED_FOLDER.glob("*.safetensors"))


def test_four_levels_have_the_codes_of_their_gains() -> None:
    latents = DynamicDeep(NAMED["dynamic-deep"]).eval().encode(torch.zeros(2, 1, 2000))
    assert [tuple(t.shape) for t in latents] == [(2, 1, n) for n in (250, 125, 62, 31)]


def test_four_levels_cost_at_most_8_percent_more_than_the_published_two() -> None:
    four, two = DynamicDeep(NAMED["dynamic-deep"]).eval(), DynamicDeep().eval()
    assert parameter_count(four.encoder) <= 1.08 * parameter_count(two.encoder)
    x = torch.zeros(1, 1, 2000)
    assert multiply_accumulates(four, x) <= 1.08 * multiply_accumulates(two, x)


def test_a_trunk_ends_where_its_last_level_leaves_it() -> None:
    assert list(SharedEncoder(ONE))[-2:] == ["conv13", "latent16"]


@pytest.mark.parametrize("name", ["dynamic-deep", "published"])
def test_a_picture_is_coded_as_a_signal_is(name: str) -> None:
    torch.manual_seed(0)
    model, x = DynamicDeep(NAMED[name]).eval(), torch.rand(2, 1, 2000)
    with torch.no_grad():
        pairs = zip(model.reconstruct(x), model.reconstruct(as_picture(x)), strict=True)
    for signal, picture in pairs:
        torch.testing.assert_close(picture, signal, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("config", [ONE, NAMED["published"], NAMED["dynamic-deep"]])
def test_a_checkpoint_says_its_levels(config: ModelConfig, tmp_path: Path) -> None:
    model = DynamicDeep(config)
    path = checkpoint.save(Checkpoint(model, INPUT_MAP, TRAINING, config), tmp_path / "c")
    loaded = checkpoint.load(path)
    assert loaded.config == config
    weights = loaded.model.state_dict()
    assert all(torch.equal(weights[name], t) for name, t in model.state_dict().items())


def test_a_record_is_what_its_file_says_once_it_is_read(tmp_path: Path) -> None:
    config = NAMED["dynamic-deep"]
    untrained = Checkpoint(DynamicDeep(config), INPUT_MAP, TRAINING, config)
    path = checkpoint.save(untrained, tmp_path / "c")
    written = json.loads(path.with_suffix(".json").read_text())
    assert checkpoint.as_plain(checkpoint.read_record(path)) == written


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_checkpoint_of_the_first_format_is_the_published_network(path: Path) -> None:
    record = json.loads(path.with_suffix(".json").read_text())
    if record["format"] > 1:
        pytest.skip("is of a later format")
    loaded = checkpoint.load(path)
    assert loaded.config == NAMED["published"]
    written, weights = safetensors.torch.load_file(path), loaded.model.state_dict()
    assert all(
        torch.equal(weights[name], tensor.to(weights[name])) for name, tensor in written.items()
    )
    assert weights.keys() == written.keys()


def test_levels_out_of_order_are_refused() -> None:
    with pytest.raises(CheckpointError, match=r"levels of \[31, 62\] codes: .*weakest .*first"):
        ModelConfig(levels=PUBLISHED[::-1])


def test_a_part_that_this_kit_does_not_build_is_refused_with_those_it_does() -> None:
    with pytest.raises(CheckpointError, match=r"decoder is 'deep': .* published or wide"):
        ModelConfig(decoder="deep")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"leaves": "conv99"}, "level 32 leaves the trunk at 'conv99', which has conv1 to conv15"),
        ({"adapter": "none"}, "level 32 has adapter 'none': this kit builds published32"),
        ({"codes": 63}, "level 32 has 63 codes, its convolution gives 62"),
    ],
)
def test_a_level_that_cannot_be_built_is_refused(change: dict[str, object], message: str) -> None:
    broken = ModelConfig(levels=(replace(PUBLISHED[0], **change),))  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match=message):
        checkpoint.build(broken)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, r'unknown key "architecture\.levels\[0\]\.colour"'),
        (
            {"codes": "many"},
            r'key "architecture\.levels\[0\]\.codes" is .many., expected an integer',
        ),
        ({"codes": 31}, r"levels of \[31, 31\] codes: expected at least one"),
    ],
)
def test_a_level_that_a_record_describes_wrongly_is_refused(
    change: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = checkpoint.save(Checkpoint(DynamicDeep(), INPUT_MAP, TRAINING), tmp_path / "c")
    beside = path.with_suffix(".json")
    record = json.loads(beside.read_text())
    record["architecture"]["levels"][0] |= change
    beside.write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(path)


def test_all_levels_are_trained_and_scored(split: mitdb.Split, config: TrainConfig) -> None:
    loaded = checkpoint.load(train_on(split, replace(config, epochs=1)))
    assert list(loaded.training.scores) == ["8", "16", "32", "64"]


def test_no_level_changes_what_another_one_decodes(windows: mitdb.Samples) -> None:
    torch.manual_seed(0)
    model = DynamicDeep(NAMED["dynamic-deep"]).train()
    latents = model.encode(INPUT_MAP.apply(as_tensor(windows)))
    norm = model.decoder.get_submodule("shared.0.norm")
    before = {name: level_norm.running_mean.clone() for name, level_norm in norm.items()}  # type: ignore[operator]
    model.decoder.decode(latents[0], "8")
    after = {name: level_norm.running_mean for name, level_norm in norm.items()}  # type: ignore[operator]
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert changed == ["8"]
