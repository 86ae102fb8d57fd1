"""Toys of one, two and four levels, from training to what the generated C sends and is decoded.

Those of one and four foresee by heads on the trunk, that of two as published.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import ENCODER_TFLITE, Bundle, read_bundle
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.numerics import choose_level, fixed_error, map_input, predicted_error
from dynadeep.codegen.planner import plan_for
from dynadeep.codegen.tflite import read_graph
from dynadeep.export.bundle import export_bundle
from dynadeep.export.reference import Reference
from dynadeep.host_tools import pipeline, toolchain
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.measure import parity
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.study import deployed
from dynadeep.host_tools.study.deployed import DeployedCodes, Samples
from dynadeep.train import checkpoint, levels, promise
from dynadeep.train.data import mitdb
from dynadeep.train.input_map import as_tensor
from dynadeep.train.levels import FOUR, NAMED, HeadKind
from dynadeep.train.model import DynamicDeep
from dynadeep.train.phases import TrainConfig, train_on

TOYS = {
    "one": replace(NAMED["dynamic-deep"], levels=FOUR[1:2]),
    "two": NAMED["published"],
    "four": NAMED["dynamic-deep"],
}
HEADS: dict[str, HeadKind] = {"one": "trunk", "two": "linear", "four": "trunk"}


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
    export_bundle(with_modest_heads(trained, HEADS[request.param]), folder / "bundle")
    return read_bundle(folder / "bundle")


def with_modest_heads(path: Path, kind: HeadKind) -> Path:
    """Let heads of a kind, untrained or nearly so, predict 2 to 22, so that int8 can hold them."""
    loaded = promise.with_heads(checkpoint.load(path), kind)
    assert isinstance(loaded.model, DynamicDeep)
    windows = mitdb.read_windows(mitdb.SAMPLE_FOLDER, mitdb.DS1, count=2)
    with torch.no_grad():
        encoded = loaded.model.encoder(loaded.input_map.apply(as_tensor(windows)))
        for level, raw in zip(loaded.model.levels, loaded.model.heads.raw(encoded), strict=True):
            head, shrunk = loaded.model.heads[f"head{level}"], 10 / (raw - raw.mean()).abs().max()
            assert isinstance(head, nn.Conv1d | nn.Linear)
            assert head.bias is not None
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


def test_toys_foresee_by_the_heads_that_they_stand_for(toy: Bundle) -> None:
    graph = read_graph(toy.path(ENCODER_TFLITE).read_bytes())
    layers = {node.outputs[0].name.partition("/")[0] for node in graph.nodes}
    assert ("foresee1" in layers) == (len(toy.manifest.levels) != 2)


@pytest.mark.emulator
def test_an_emulated_board_has_the_references_bits_of_every_level(
    toy: Bundle, tmp_path: Path
) -> None:
    board, cases = load_board("mps2-an386"), golden_cases(toy)
    files = project_files(plan_for(toy, board), board)
    write_project(files, tmp_path / "project")
    elf = toolchain.build(tmp_path / "project").elf
    with pipeline.connect(toy, board.name, elf=elf) as station:
        result = parity.check(station.device, station.plan, cases, application_of(station))
    assert result.bit_exact, [str(difference) for difference in result.differences]
    assert (result.segments, result.constants) == (len(cases), len(station.plan.constants))
    assert len([count for count in result.kinds.values() if count]) > 1


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
    used_levels = set()
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
            used_levels.add(packet.level)
    assert {0, count} <= used_levels
