"""The whole front end on the paper's shapes, and what a manifest must agree on."""

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.codec_context import codec_context
from dynadeep.codegen.describe import describe_model, describe_plan
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.errors import BoardError, ModelError
from dynadeep.codegen.packet_sizes import CODES_LIMIT, PACKET_LIMIT, SEGMENT_LIMIT
from dynadeep.codegen.plan import Choice, Engine, Plan, plan_model
from dynadeep.codegen.planner import check_fit

from .models import Net, manifest_for, paper_encoder, reshaped_encoder, small_encoder


def _paper(engine: Engine) -> Plan:
    net = paper_encoder()
    content = net.model.build()
    return plan_model(content, manifest_for(net, content), Choice(engine=engine))


@pytest.fixture(scope="module")
def paper() -> Plan:
    return _paper("stream")


@pytest.fixture(scope="module")
def by_layers() -> Plan:
    return _paper("layers")


def test_the_papers_network_has_its_macs_and_weights(paper: Plan) -> None:
    assert paper.macs == 15_994_205
    values = sum(layer.weights.size + layer.bias.size for layer in paper.network.layers)
    assert values == 83_801


def test_the_papers_network_fits_an_arena_of_little_more_than_its_largest_tensor(
    by_layers: Plan,
) -> None:
    largest = max(layer.output.size for layer in by_layers.network.layers)
    assert largest == 32_000
    assert by_layers.memory.size <= 32_500


def test_streamed_it_needs_a_tenth_of_that(paper: Plan) -> None:
    assert paper.memory.size <= 3_800


def test_tensors_are_numbered_as_the_device_reports_them(paper: Plan) -> None:
    names = [tensor.name for tensor in paper.tensors]
    assert names[:3] == ["segment", "conv1/conv", "conv1/silu"]
    assert names[-1] == "head64/conv"
    assert len(names) == 39
    assert sum(tensor.fused for tensor in paper.tensors) == 21


def test_the_description_adds_up(paper: Plan) -> None:
    data = describe_model(paper)
    assert sum(layer["macs"] for layer in data["layers"]) == data["totals"]["macs"]
    assert sum(constant["bytes"] for constant in data["constants"]) == paper.constant_bytes
    assert [entry["number"] for entry in data["constants"]] == list(range(len(paper.constants)))


def test_the_plan_prints_what_the_board_must_have(paper: Plan) -> None:
    text = describe_plan(paper, load_board("mps2-an386"))
    assert "15,994,205 MAC" in text
    assert "mps2-an386: about" in text


def test_a_narrow_terminal_gets_the_plan_as_two_tables_that_fit(paper: Plan) -> None:
    board = load_board("mps2-an386")
    whole, parted = (describe_plan(paper, board, columns).split("\n\n") for columns in (None, 80))
    shapes, costs, totals = (part.splitlines() for part in parted)
    assert max(map(len, whole[0].splitlines())) > 80 >= max(map(len, [*shapes, *costs]))
    assert len(shapes) == len(costs) == len(whole[0].splitlines()) == len(paper.rows) + 1
    assert all(row.layer.name in line for row, line in zip(paper.rows, costs[1:], strict=True))
    assert totals == whole[1].splitlines()


def test_a_board_with_too_little_ram_is_refused_by_name_and_number(by_layers: Plan) -> None:
    small = dataclasses.replace(load_board("mps2-an386"), name="tiny")
    assert small.ram is not None
    small = dataclasses.replace(small, ram=dataclasses.replace(small.ram, bytes=20_000))
    with pytest.raises(BoardError, match=r"tiny: .* B of RAM, the board has 20000 B.*conv4/silu"):
        check_fit(by_layers, small)


def test_a_board_with_too_little_flash_is_refused(paper: Plan) -> None:
    board = load_board("mps2-an386")
    assert board.flash is not None
    board = dataclasses.replace(board, flash=dataclasses.replace(board.flash, bytes=65_536))
    with pytest.raises(BoardError, match="B of flash, the board has 65536 B"):
        check_fit(paper, board)


def _plan_with(**changes: object) -> Plan:
    """Plan the small network by a manifest that says something else of its input."""
    net = small_encoder()
    content = net.model.build()
    manifest = manifest_for(net, content)
    changed = dataclasses.replace(manifest.input, **changes)
    return plan_model(content, dataclasses.replace(manifest, inputs=(changed,)))


def test_a_segment_length_that_the_model_does_not_have_is_refused() -> None:
    with pytest.raises(ModelError, match=r'inputs are "segment" \[40, 1\], the manifest says'):
        _plan_with(time=41)


def long_encoder(length: int, *, strides: tuple[int, ...], filters: int) -> Net:
    """Two levels of the same codes: one per step and filter behind convolutions of one tap."""
    net = Net(length)
    for number, stride in enumerate(strides):
        net.conv(f"conv{number}", filters, 1, stride)
    latent = net.at
    net.conv("thin", 1, 1, 255)
    net.head("head")
    net.model.outputs = [latent, latent, net.at, net.at]
    return net


def plan_of(net: Net) -> Plan:
    content = net.model.build()
    return plan_model(content, manifest_for(net, content))


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
@pytest.mark.parametrize(("strides", "filters"), [((200,), 1), ((1,), 2)])
def test_the_longest_segment_and_its_packets_fit_every_size_in_the_c(
    tmp_path: Path, strides: tuple[int, ...], filters: int
) -> None:
    plan = plan_of(long_encoder(SEGMENT_LIMIT, strides=strides, filters=filters))
    assert max(plan.packet_bytes_max, plan.packet_bytes_coded) <= PACKET_LIMIT
    write_project(project_files(plan, load_board("native")), tmp_path / "out")
    folders = [f"-I{tmp_path / 'out' / name}" for name in ("model", "runtime", "app", "board")]
    sources = [
        tmp_path / "out" / name
        for name in ("model/model_codec.c", "app/commands.c", "app/commands_codec.c")
    ]
    checked = ["gcc", "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    subprocess.run([*checked, *folders, *sources], check=True)


def test_a_longer_segment_is_refused() -> None:
    net = long_encoder(SEGMENT_LIMIT + 1, strides=(200,), filters=1)
    with pytest.raises(ModelError, match=f"{SEGMENT_LIMIT + 1} samples, a packet carries at most"):
        plan_of(net)


def test_a_level_of_more_codes_than_a_packet_carries_is_refused() -> None:
    net = long_encoder(CODES_LIMIT // 3 + 1, strides=(1,), filters=3)
    with pytest.raises(ModelError, match=r"level cg32 sends \d+ codes, a packet carries at most"):
        plan_of(net)


def test_an_input_scale_that_the_model_does_not_have_is_refused() -> None:
    with pytest.raises(ModelError, match='"segment" has scale'):
        _plan_with(scale=0.5)


def test_a_level_without_its_tensor_is_refused() -> None:
    net = small_encoder()
    content = net.model.build()
    manifest = manifest_for(net, content)
    levels = (dataclasses.replace(manifest.levels[0], latent_tensor="latent16/silu"),)
    with pytest.raises(ModelError, match='level cg32 needs the tensor "latent16/silu"'):
        plan_model(content, manifest.with_codec(levels=levels))


def test_a_level_may_name_the_reshape_that_was_dropped() -> None:
    net = reshaped_encoder()
    content = net.model.build()
    plan = plan_model(content, manifest_for(net, content))
    codec = plan.manifest.need_codec()
    level, text = codec.levels[0], codec_context(plan, codec).levels[0]
    assert (level.latent_tensor, level.error_tensor) == ("latent32/reshape", "head32/reshape")
    assert (text.latent, text.error) == tuple(
        plan.memory.places[name][0] for name in ("latent32/silu", "head32/conv")
    )


def test_a_level_named_by_a_reshape_of_what_is_not_kept_is_refused() -> None:
    net = reshaped_encoder()
    content = net.model.build()
    manifest = manifest_for(net, content)
    levels = (dataclasses.replace(manifest.levels[1], latent_tensor="flat64/reshape"),)
    with pytest.raises(ModelError, match='level cg64 needs the tensor "flat64/reshape"'):
        plan_model(content, manifest.with_codec(levels=levels))
