"""The same C on every board against the reference."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.numerics import clipped_samples
from dynadeep.codegen.plan import Plan
from dynadeep.codegen.planner import PlanSettings
from dynadeep.host_tools import pipeline, place
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.codec import lossless
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.errors import WrongFirmwareError
from dynadeep.host_tools.measure import parity, profile
from dynadeep.host_tools.measure.parity import ParityResult
from dynadeep.host_tools.measure.references import Case, golden_cases, reference_cases
from dynadeep.host_tools.recordings.record import Record
from dynadeep.host_tools.study.excerpt import sample_records
from tests.emulated import EMULATED, TOO_SMALL

pytestmark = pytest.mark.heavy  # decodes, or holds it against TensorFlow

emulator = pytest.mark.emulator


def unseen_records(bundle: Bundle) -> list[Record]:
    """All that the kit ships of records that the network never saw, and some of another device."""
    of_mitdb = replace(bundle.manifest, record={})
    return [*sample_records(bundle.manifest), *sample_records(of_mitdb, segments=4)]


@pytest.fixture(scope="session")
def real_cases(shipped_bundle: Bundle, shipped_plan: Plan) -> list[Case]:
    """Real segments with their reference tensors; only those that the firmware shows are kept."""
    records = unseen_records(shipped_bundle)
    names = {tensor.name for tensor in shipped_plan.tensors}
    for level in shipped_bundle.manifest.levels:
        names |= {level.latent_tensor, level.error_tensor}
    return [
        Case(c.name, c.input, {name: c.tensors[name] for name in names})
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
    with station("native") as opened:
        holds(parity.check(opened.device, opened.plan, cases, application_of(opened)), plan, cases)


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
                lambda opened: parity.check(
                    opened.device, opened.plan, cases, application_of(opened)
                ),
                stations,
            )
        )
        stacks = [(opened.device.memory(), opened.plan.stack_bytes) for opened in stations[1:]]
    assert all(0 < stack.peak_bytes <= stated for stack, stated in stacks)
    for opened, result in zip(stations, results, strict=True):
        assert result.bit_exact, (
            opened.board.name,
            [str(difference) for difference in result.differences],
        )
        assert result.segments == len(cases)
        if opened.plan.choice.lossless:
            holds(result, opened.plan, cases)


@emulator
def test_the_shipped_network_has_the_references_bits_on_a_cortex_m4(
    shipped_bundle, shipped_plan, shipped_station
):
    """Over some real segments and some adversarial ones, with packets of every level."""
    cases = golden_cases(shipped_bundle)[::3]
    assert len(shipped_plan.tensors) == 46  # 18 convolutions with a table, 8 without, pool, input
    with shipped_station("mps2-an386") as opened:
        result = parity.check(opened.device, opened.plan, cases, application_of(opened))
    holds(result, opened.plan, cases)


@emulator
def test_packets_of_every_level_are_the_references(bundle, station):
    with station("mps2-an386") as opened:
        result = parity.check(
            opened.device, opened.plan, golden_cases(bundle), application_of(opened)
        )
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
    "settings",
    [PlanSettings(kernels="plain"), PlanSettings(engine="layers", kernels="dsp")],
    ids=["plain", "layers"],
)
def test_engine_and_kernels_are_the_firmwares_word(bundle, tmp_path, settings):
    """Parity of what was generated with an option needs no option; another one is refused."""
    built = pipeline.make_firmware(bundle, "native", tmp_path / "firmware", settings=settings)
    assert place.generated_with(tmp_path / "firmware") == replace(
        settings, engine=settings.engine or "stream"
    )
    cases = golden_cases(bundle)[:1]
    with pipeline.connect(bundle, "native", elf=built.elf) as opened:
        result = parity.check(opened.device, opened.plan, cases, application_of(opened))
        assert result.bit_exact, [str(difference) for difference in result.differences]
    with (
        pytest.raises(WrongFirmwareError, match=f"kernel set {settings.kernels}, expected helium"),
        pipeline.connect(bundle, "native", elf=built.elf, settings=PlanSettings(kernels="helium")),
    ):
        pass


def test_the_published_min_max_variant_has_the_references_bits_too(published_bundle, tmp_path):
    assert published_bundle.manifest.input_map.kind == "minmax"
    built = pipeline.make_firmware(published_bundle, "native", tmp_path / "firmware")
    with pipeline.connect(published_bundle, "native", elf=built.elf) as opened:
        cases = golden_cases(published_bundle)
        result = parity.check(opened.device, opened.plan, cases, application_of(opened))
    assert result.bit_exact, [str(difference) for difference in result.differences]
    assert all(count > 0 for count in result.kinds.values())


@emulator
def test_the_count_of_instructions_is_repeatable_to_the_tick(shipped_station):
    measurements = []
    for _ in range(2):
        with shipped_station("mps2-an386") as opened:
            latency, memory = profile.measure(opened, application_of(opened), 1)
        measurements.append((latency, memory))
    (latency, memory), (again, same_memory) = measurements
    assert memory == same_memory
    assert memory is not None
    assert latency.unit == "instructions"
    # A request may come anywhere within a tick, so a count may be one more or less.
    assert abs(latency.ticks - again.ticks) <= 1
    for first, second in zip(latency.layers, again.layers, strict=True):
        # A layer's count is a sum over its tiles, each to the tick.
        assert abs(first.count - second.count) <= latency.counter.per_tick + 0.01 * first.count
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
