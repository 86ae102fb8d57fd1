"""The same C on every board against the reference, and parity failing where it should."""

import os
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from elftools.elf.elffile import ELFFile

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.numerics import clipped_samples
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.planner import Wanted, plan_for
from dynadeep.host_tools import pipeline, place
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.codec import lossless, stream
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.errors import WrongFirmwareError
from dynadeep.host_tools.measure import parity, profile
from dynadeep.host_tools.measure.parity import ParityResult
from dynadeep.host_tools.measure.references import Case, golden_cases, reference_cases
from dynadeep.host_tools.pipeline import Station
from dynadeep.host_tools.recordings.record import Record
from dynadeep.host_tools.study.excerpt import sample_records
from dynadeep.host_tools.toolchain import Firmware
from tests.emulated import EMULATED, TOO_SMALL

pytestmark = pytest.mark.heavy  # decodes, or holds it against TensorFlow

emulator = pytest.mark.emulator

FirmwareMaker = Callable[..., Firmware]
StationOpener = Callable[[str], AbstractContextManager[Station]]


def opener(bundle: Bundle, firmware: FirmwareMaker) -> StationOpener:
    def start(board: str) -> AbstractContextManager[Station]:
        elf = firmware(board, sanitize=board == "native").elf
        return pipeline.connect(bundle, board, elf=elf)

    return start


@pytest.fixture(scope="session")
def station(bundle, firmware) -> StationOpener:
    """Open a board with the small model's firmware; the native one is built with sanitizers."""
    return opener(bundle, firmware)


@pytest.fixture(scope="session")
def shipped_station(shipped_bundle, shipped_firmware) -> StationOpener:
    """Open a board with the shipped model's firmware; the native one is built with sanitizers."""
    return opener(shipped_bundle, shipped_firmware)


@pytest.fixture(scope="session")
def records(bundle) -> list[Record]:
    return sample_records(bundle.manifest, segments=6)


def unseen_records(bundle: Bundle) -> list[Record]:
    """All that the kit ships of records that the network never saw, and some of another device."""
    of_mitdb = replace(bundle.manifest, record={})
    return [*sample_records(bundle.manifest), *sample_records(of_mitdb, segments=4)]


@pytest.fixture(scope="session")
def real_cases(shipped_bundle: Bundle, shipped_plan: Plan) -> list[Case]:
    """Real segments with their reference tensors; only those that the firmware shows are kept."""
    records = unseen_records(shipped_bundle)
    wanted = {tensor.name for tensor in shipped_plan.tensors}
    for level in shipped_bundle.manifest.levels:
        wanted |= {level.latent_tensor, level.error_tensor}
    return [
        Case(c.name, c.input, {name: c.tensors[name] for name in wanted})
        for c in reference_cases(shipped_bundle, records)
    ]


def holds(result: ParityResult, plan: Plan, cases: list[Case]) -> None:
    assert result.bit_exact, [str(difference) for difference in result.differences]
    assert (result.segments, result.tensors) == (len(cases), len(plan.tensors))
    assert result.constants == len(plan.constants)
    assert result.kinds["none"] > 0
    # Which levels, its margins decide: see the next test.
    assert sum(result.kinds.values()) > result.kinds["none"]


def test_the_sanitized_host_build_has_the_references_bits(bundle, plan, station):
    """Over the adversarial segments and the first real ones."""
    cases = golden_cases(bundle)
    assert len(plan.tensors) == 27  # 12 convolutions before and after their table, heads, input
    with station("native") as one:
        holds(parity.check(one.device, one.plan, cases, application_of(one)), plan, cases)


@emulator
@pytest.mark.nightly
@pytest.mark.timeout(6000)
def test_the_host_build_and_all_boards_have_the_references_bits_over_200_real_segments(
    shipped_bundle, shipped_plan, shipped_station, real_cases
):
    cases = [*golden_cases(shipped_bundle), *real_cases]
    assert len(real_cases) >= 200
    boards = ("native", *(name for name in EMULATED if name != TOO_SMALL))
    with ExitStack() as opened, ThreadPoolExecutor(os.cpu_count()) as pool:
        stations = [opened.enter_context(shipped_station(board)) for board in boards]
        results = list(
            pool.map(
                lambda one: parity.check(one.device, one.plan, cases, application_of(one)), stations
            )
        )
        stacks = [(one.device.memory(), one.plan.stack_bytes) for one in stations[1:]]
    assert all(0 < stack.peak_bytes <= stated for stack, stated in stacks)
    for one, result in zip(stations, results, strict=True):
        assert result.bit_exact, (one.board.name, [str(found) for found in result.differences])
        assert result.segments == len(cases)
        if one.plan.choice.lossless:
            holds(result, one.plan, cases)


@emulator
def test_the_shipped_network_has_the_references_bits_on_a_cortex_m4(
    shipped_bundle, shipped_plan, shipped_station
):
    """Over some real segments and some adversarial ones, with packets of every level."""
    cases = golden_cases(shipped_bundle)[::3]
    assert len(shipped_plan.tensors) == 46  # 18 convolutions with a table, 8 without, pool, input
    with shipped_station("mps2-an386") as one:
        result = parity.check(one.device, one.plan, cases, application_of(one))
    holds(result, one.plan, cases)


@emulator
def test_packets_of_every_level_are_the_references(bundle, station):
    with station("mps2-an386") as one:
        result = parity.check(one.device, one.plan, golden_cases(bundle), application_of(one))
    assert result.bit_exact, [str(difference) for difference in result.differences]
    assert all(count > 0 for count in result.kinds.values())


@emulator
@pytest.mark.parametrize("board", EMULATED)
def test_every_emulated_board_has_the_references_bits(bundle, station, board):
    """Over two segments: every layer of its core's kernels, at less cost than all of them."""
    cases = golden_cases(bundle)[:2]
    with station(board) as opened:
        result = parity.check(opened.device, opened.plan, cases, application_of(opened))
        stack = opened.device.memory()
    assert result.bit_exact, [str(difference) for difference in result.differences]
    assert (result.segments, result.constants) == (len(cases), len(opened.plan.constants))
    assert stack.peak_bytes < 0.9 * stack.size_bytes
    assert stack.peak_bytes <= opened.plan.stack_bytes  # as the header states


def noise(length: int) -> list[npt.NDArray[np.int16]]:
    """Return segments that no electrode gives: coded, some need more than two bytes a sample."""
    random = np.random.default_rng(23)
    signals = (
        random.integers(-6000, 6001, length),
        np.where(random.random(length) < 0.5, 0, 4095),
        random.integers(-32768, 32768, length),
        np.tile([-32768, 32767], length // 2),
    )
    return [signal.astype(np.int16) for signal in signals]


@emulator
@pytest.mark.parametrize("board", ["microbit", TOO_SMALL])
def test_noise_gives_a_packet_on_boards_that_take_pieces(
    shipped_bundle, reconstruction_bundle, tmp_path, board
):
    """The smallest boards: one sends the samples, the other has no level none."""
    bundle = reconstruction_bundle if board == TOO_SMALL else shipped_bundle
    manifest = bundle.manifest
    elf = pipeline.make_firmware(bundle, board, tmp_path / "firmware").elf
    with pipeline.connect(bundle, board, elf=elf) as opened:
        assert opened.device.about.chunk_bytes < 2 * manifest.segment_length
        CodecBoard(opened.device).reset()
        CodecBoard(opened.device).bound(0)
        for number, segment in enumerate(noise(manifest.segment_length)):
            reply = CodecBoard(opened.device).encode(segment)
            packet = packets.decode(reply.packet, manifest)
            assert packet.sequence == number
            assert reply.clipped == clipped_samples(segment, manifest.input_map)
            if opened.device.about.lossless:
                samples, right = lossless.decode_all([packet.payload], manifest.segment_length)
                assert right.all()
                assert np.array_equal(samples, [segment])
            else:
                assert packet.level == 1


@pytest.mark.parametrize(
    "wanted",
    [Wanted(kernels="plain"), Wanted(engine="layers", kernels="dsp")],
    ids=["plain", "layers"],
)
def test_engine_and_kernels_are_the_firmwares_word(bundle, tmp_path, wanted):
    """Parity of what was generated with an option needs no option; another one is refused."""
    built = pipeline.make_firmware(bundle, "native", tmp_path / "firmware", wanted=wanted)
    assert place.generated_with(tmp_path / "firmware") == replace(
        wanted, engine=wanted.engine or "stream"
    )
    cases = golden_cases(bundle)[:1]
    with pipeline.connect(bundle, "native", elf=built.elf) as one:
        result = parity.check(one.device, one.plan, cases, application_of(one))
        assert result.bit_exact, [str(difference) for difference in result.differences]
    with (
        pytest.raises(WrongFirmwareError, match=f"kernel set {wanted.kernels}, expected helium"),
        pipeline.connect(bundle, "native", elf=built.elf, wanted=Wanted(kernels="helium")),
    ):
        pass


def test_the_published_min_max_variant_has_the_references_bits_too(published_bundle, tmp_path):
    assert published_bundle.manifest.input_map.kind == "minmax"
    built = pipeline.make_firmware(published_bundle, "native", tmp_path / "firmware")
    with pipeline.connect(published_bundle, "native", elf=built.elf) as one:
        cases = golden_cases(published_bundle)
        result = parity.check(one.device, one.plan, cases, application_of(one))
    assert result.bit_exact, [str(difference) for difference in result.differences]
    assert all(count > 0 for count in result.kinds.values())


@emulator
def test_the_count_of_instructions_is_repeatable_to_the_tick(shipped_station):
    found = []
    for _ in range(2):
        with shipped_station("mps2-an386") as opened:
            latency, memory = profile.measure(opened, application_of(opened), 1)
        found.append((latency, memory))
    (latency, memory), (again, same_memory) = found
    assert memory == same_memory
    assert memory is not None
    assert latency.unit == "instructions"
    # A request may come anywhere within a tick, so a count may be one more or less.
    assert abs(latency.ticks - again.ticks) <= 1
    for one, other in zip(latency.layers, again.layers, strict=True):
        # A layer's count is a sum over its tiles, each to the tick.
        assert abs(one.count - other.count) <= latency.counter.per_tick + 0.01 * one.count
    layers = sum(layer.count for layer in latency.layers)
    assert 0.95 * latency.least < layers <= latency.per_segment
    constants = [entry.bytes for entry in memory.sections if entry.name == ".rodata"]
    assert sum(memory.flash_by_layer.values()) == opened.plan.constant_bytes <= sum(constants)


def test_both_emulated_boards_stay_within_the_budgets_that_ship(shipped_firmware):
    from dynadeep.host_tools.measure import memory

    for board in ("mps2-an386", "netduinoplus2"):
        image, budget = memory.read_image(shipped_firmware(board).elf), load_board(board).budget
        assert budget is not None
        assert image.flash_bytes <= budget.flash_bytes
        assert image.static_ram_bytes <= budget.ram_bytes


def test_a_looser_bound_set_at_run_time_never_compresses_less(bundle, station, records):
    with station("native") as opened:
        decoder = Decoder(bundle)
        bounds = [0.0, bundle.manifest.default_bound, 127.0]
        streams = stream.stream_at_bounds(opened.device, decoder, records, bounds)
    gains = [one.result.byte_cg for one in streams]
    assert gains == sorted(gains)
    assert streams[0].result.levels["none"] == streams[0].result.segments
    assert streams[0].result.prd == 0
    assert streams[-1].result.levels["cg64"] == streams[-1].result.segments


def test_what_is_decoded_is_closer_to_the_segments_than_their_mean_is(
    shipped_bundle, shipped_station
):
    records = sample_records(shipped_bundle.manifest, segments=4)[:6]
    with shipped_station("native") as opened:
        decoder = Decoder(shipped_bundle)
        (one,) = stream.stream_at_bounds(opened.device, decoder, records, [127.0])
    assert one.result.prdn_compressed is not None
    assert one.result.prdn_compressed < 100  # percent: what the mean alone would give


def test_uncompressed_packets_give_the_samples_back(bundle, station, records):
    segment = records[0].segments[0]
    with station("native") as opened:
        CodecBoard(opened.device).bound(0)
        raw = Decoder(bundle).decode(CodecBoard(opened.device).encode(segment).packet)
    assert np.array_equal(raw, segment)


def test_packets_that_were_kept_are_decoded_by_the_command(bundle, firmware, tmp_path, capsys):
    sources = firmware("native").elf.parents[1]
    where = ("--bundle", str(bundle.folder), "--board", "native", "--sources", str(sources))
    kept = tmp_path / "packets.bin"
    assert run(["stream", *where, "--segments", "1", "--packets", str(kept)]) == 0
    assert "mean CG (published)" in capsys.readouterr().out
    out = tmp_path / "ecg.npy"
    assert run(["decode", str(kept), "--bundle", where[1], "--out", str(out)]) == 0
    assert np.load(out).shape == (24, bundle.manifest.segment_length)


@pytest.fixture
def altered(
    bundle: Bundle, tmp_path: Path
) -> Callable[[str, str, str, Callable[[str], str]], Path]:
    """Generate a project and change one thing in one of its files, as a stray hand would."""

    def make(board: str, name: str, pattern: str, change: Callable[[str], str]) -> Path:
        folder = tmp_path / "sources"
        description = load_board(board)
        write_project(project_files(plan_for(bundle, description), description), folder)
        path = folder / name
        text = path.read_text()
        found = re.search(pattern, text, re.DOTALL)
        assert found, pattern
        start, end = found.span(1)
        path.write_text(text[:start] + change(text[start:end]) + text[end:])
        return folder

    return make


def fails_naming(bundle: Bundle, board: str, sources: Path, capsys) -> str:
    where = ["--bundle", str(bundle.folder), "--board", board, "--sources", str(sources)]
    assert run(["parity", "-q", *where]) == 10
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.fixture
def difference(
    bundle: Bundle, firmware: FirmwareMaker, tmp_path: Path
) -> Callable[[str, str, Callable[[int], int]], str]:
    """Change an array's first value in a board's firmware; return what parity finds first."""

    def find(board: str, array: str, change: Callable[[int], int]) -> str:
        elf = tmp_path / "firmware.elf"
        shutil.copy(firmware(board).elf, elf)
        change_constant(elf, array, change)
        with pipeline.connect(bundle, board, elf=elf) as one:
            result = parity.check(
                one.device, one.plan, golden_cases(bundle)[:1], application_of(one)
            )
        assert not result.bit_exact
        return str(result.differences[0])

    return find


def change_constant(elf: Path, array: str, change: Callable[[int], int]) -> None:
    """Change the first value of one of the model's arrays, as it lies in an ELF file."""
    size = 4 if array.endswith(("_bias", "_multiplier")) else 1
    with elf.open("r+b") as file:
        image = ELFFile(file)
        (symbol,) = image.get_section_by_name(".symtab").get_symbol_by_name(array)
        section = image.get_section(symbol["st_shndx"])
        at = section["sh_offset"] + symbol["st_value"] - section["sh_addr"]
        file.seek(at)
        value = int.from_bytes(file.read(size), "little")
        file.seek(at)
        file.write((change(value) % 256**size).to_bytes(size, "little"))


@pytest.mark.parametrize("board", ["native", pytest.param("mps2-an386", marks=emulator)])
@pytest.mark.parametrize("layer", ["conv1", "conv5", "head64"])
def test_one_flipped_weight_bit_fails_and_names_the_layer(difference, board, layer):
    found = difference(board, f"{layer}_weights", lambda value: value ^ 1)
    assert f"layer {layer}, weights" in found


@pytest.mark.parametrize("board", ["native", pytest.param("mps2-an386", marks=emulator)])
@pytest.mark.parametrize("layer", ["conv9", "latent32"])
def test_one_multiplier_off_by_one_fails_and_names_the_layer(difference, board, layer):
    found = difference(board, f"{layer}_multiplier", lambda value: value + 1)
    assert f"layer {layer}, multiplier" in found


@pytest.mark.parametrize("kind", ["bias", "shift", "table"])
def test_every_kind_of_constant_is_named(difference, kind):
    assert f"layer conv3, {kind}" in difference("native", f"conv3_{kind}", lambda value: value + 1)


def test_wrong_code_with_right_constants_is_named_by_its_first_value(bundle, altered, capsys):
    """A kernel that takes another border changes no constant, only tensors."""
    sources = altered(
        "native",
        "model/model_net.c",
        r"dd_conv1d [^;]*?conv7[^;]*?\.in_zero_point = (-?\d+)",
        lambda text: str(int(text) + 1),
    )
    line = fails_naming(bundle, "native", sources, capsys)
    assert "layer conv7, conv7/conv, segment real00, channel" in line
    assert re.search(r"time \d+: board -?\d+, reference -?\d+", line)


@emulator
def test_a_crash_is_told_from_a_mismatch_and_names_the_line(bundle, altered, capsys):
    sources = altered(
        "mps2-an386",
        "runtime/dd_codec.c",
        r"(codec->state->clipped = \(uint16_t\))",
        lambda text: f"__builtin_trap();\n    {text}",
    )
    where = ["--bundle", str(bundle.folder), "--sources", str(sources)]
    assert run(["parity", "--board", "mps2-an386", *where]) == 11
    assert " at dd_codec.c:" in capsys.readouterr().err


def test_stale_firmware_is_refused_by_name(bundle, firmware, copied_bundle, rewrite_model, capsys):
    rewrite_model(copied_bundle, b"a model trained since")
    sources = firmware("native").elf.parents[1]
    where = ["--bundle", str(copied_bundle), "--board", "native", "--sources", str(sources)]
    assert run(["parity", *where]) == 9
    assert f"the firmware is of model {bundle.manifest.model_id}" in capsys.readouterr().err


def test_a_project_without_its_build_file_is_refused(bundle, firmware, tmp_path, capsys):
    sources = tmp_path / "sources"
    shutil.copytree(firmware("native").elf.parents[1], sources)
    (sources / "CMakeLists.txt").unlink()
    assert run(["build", str(sources)]) == 7
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_flashing_needs_a_programmer_that_is_known_and_installed(
    firmware, capsys, tmp_path, monkeypatch
):
    emulated = str(firmware("mps2-an386").elf.parents[1])
    assert run(["build", emulated, "--flash", "mps2-an386"]) == 6
    assert "mps2-an386: no programmer is known for it" in capsys.readouterr().err
    sources = str(firmware("netduinoplus2").elf.parents[1])
    tool = tmp_path / "dfu-util"
    tool.write_text("#!/bin/sh\necho No DFU capable USB device available; exit 74\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert run(["build", sources, "--flash", "netduinoplus2"]) == 20
    assert "No DFU capable USB device" in capsys.readouterr().err
