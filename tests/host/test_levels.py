"""Toys of one, two and four levels, from training to what the generated C sends and is decoded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dynadeep.codegen.bundle import ENCODER_TFLITE, Bundle, read_bundle
from dynadeep.codegen.numerics import choose_level, fixed_error, map_input, predicted_error
from dynadeep.export.bundle import export_bundle
from dynadeep.export.reference import Reference
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.study import deployed
from dynadeep.host_tools.study.deployed import DeployedCodes, Samples
from dynadeep.train import checkpoint, levels
from dynadeep.train.data import mitdb
from dynadeep.train.input_map import as_tensor
from dynadeep.train.levels import FOUR, NAMED
from dynadeep.train.model import DynamicDeep
from dynadeep.train.phases import TrainConfig, train_on

TOYS = {
    "one": replace(NAMED["dynamic-deep"], levels=FOUR[1:2]),
    "two": NAMED["published"],
    "four": NAMED["dynamic-deep"],
}


@pytest.fixture(scope="module")
def segments() -> Samples:
    """Eight windows of real ECG that the toys were trained on, and one that ends the scale."""
    real = mitdb.read_windows(mitdb.SAMPLE_FOLDER, mitdb.DS1[:8], count=1)
    wild = np.random.default_rng(1).integers(-32768, 32767, (1, 2000), np.int16, endpoint=True)
    return np.concatenate([real, wild])


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("one", marks=pytest.mark.nightly),
        pytest.param("two", marks=pytest.mark.nightly),
        "four",
    ],
)
def toy(
    request: pytest.FixtureRequest, segments: Samples, tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    """The bundle of a network that was trained for forty steps."""
    folder = tmp_path_factory.mktemp("toy")
    config = TrainConfig(
        output=folder / "run", architecture=request.param, epochs=20, batch=4, threads=1
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(levels.NAMED, request.param, TOYS[request.param])
        trained = train_on(mitdb.Split(segments[:8], segments[:2]), config)
    export_bundle(with_modest_heads(trained), folder / "bundle")
    return read_bundle(folder / "bundle")


def with_modest_heads(path: Path) -> Path:
    """Let heads that saw eight windows predict 2 to 22 of any, so that int8 can hold them."""
    loaded = checkpoint.load(path)
    assert isinstance(loaded.model, DynamicDeep)
    windows = mitdb.read_windows(mitdb.SAMPLE_FOLDER, mitdb.DS1, count=2)
    with torch.no_grad():
        encoded = loaded.model.encoder(loaded.input_map.apply(as_tensor(windows)))
        for level, raw in zip(loaded.model.levels, loaded.model.heads.raw(encoded), strict=True):
            head, shrunk = loaded.model.heads.of(level), 10 / (raw - raw.mean()).abs().max()
            head.bias.copy_(12 + shrunk * (head.bias - raw.mean()))
            head.weight.mul_(shrunk)
    return checkpoint.save(loaded, path)


@pytest.fixture(scope="module")
def encoded(
    toy: Bundle, segments: Samples, tmp_path_factory: pytest.TempPathFactory
) -> DeployedCodes:
    return deployed.encode_segments(toy, segments, tmp_path_factory.mktemp("c"))


def test_the_manifest_has_every_level_weakest_first(toy: Bundle) -> None:
    names = [level.name for level in toy.manifest.levels]
    assert names in [[f"cg{name}" for name in toys.level_names] for toys in TOYS.values()]


def test_generated_c_gives_the_references_codes_and_predictions(
    toy: Bundle, segments: Samples, encoded: DeployedCodes
) -> None:
    inputs = map_input(segments, toy.manifest.input_map)
    tensors = Reference(toy.path(ENCODER_TFLITE)).run(inputs)
    assert len(encoded.codes) == len(toy.manifest.levels)
    for i, level in enumerate(toy.manifest.levels):
        expected = tensors[level.latent_tensor].reshape(len(segments), -1)
        assert expected.shape[1] == level.codes
        np.testing.assert_array_equal(encoded.codes[i], expected)
        heads = tensors[level.error_tensor].reshape(-1)
        assert encoded.predicted[:, i].tolist() == [predicted_error(int(c), level) for c in heads]


def test_packets_of_the_generated_c_decode_to_the_codes_of_the_level_chosen(
    toy: Bundle, segments: Samples, encoded: DeployedCodes, tmp_path: Path
) -> None:
    decoder, count = Decoder(toy), len(toy.manifest.levels)
    bounds = [0.0, *(float(p) / fixed_error(1.0) for p in encoded.predicted[0]), 127.0]
    seen = set()
    for bound in bounds:
        sent = deployed.packets_at(toy, segments, bound, tmp_path)
        for row, data in enumerate(sent):
            packet = packets.decode(data, toy.manifest)
            predicted = [int(p) for p in encoded.predicted[row]]
            assert packet.level == choose_level(predicted, [0] * count, fixed_error(bound))
            if packet.level:
                codes = encoded.codes[packet.level - 1][row]
                expected = decoder.decode_codes(packet.level, codes)
            else:
                expected = segments[row].astype(np.float64)
            np.testing.assert_array_equal(decoder.decode(data), expected)
            seen.add(packet.level)
    assert {0, count} <= seen
