"""The streaming engine: the same packets however the samples come, and RAM as planned."""

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.kernels import KERNELS
from dynadeep.codegen.layers import Network
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.ops.conv_2d import Conv1d
from dynadeep.codegen.plan import Choice, Plan, plan_model
from dynadeep.codegen.schedule import Schedule, plan_schedule
from dynadeep.codegen.tflite import read_graph
from dynadeep.host_tools.codec import lossless
from dynadeep.host_tools.codec import packet as packets

from .models import AFFINE, manifest_for, paper_encoder, reshaped_encoder, small_encoder
from .test_generated_c import MINMAX, PACKET, SANITIZERS, compiled, run, segments

INT32_MAX = (1 << 31) - 1
Samples = npt.NDArray[np.int16]
Feed = list[tuple[int, str, Samples]]

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


def small(choice: Choice) -> Plan:
    net = small_encoder()
    content = net.model.build()
    return plan_model(content, manifest_for(net, content, AFFINE), choice)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stream") / "project"
    write_project(project_files(small(Choice()), None), out)
    return out


@pytest.fixture(scope="module")
def pushes(project: Path) -> Path:
    return compiled(project, "pushes.c", *SANITIZERS)


def feed(program: Path, steps: Feed, bound: int = 0) -> list[list[bytes]]:
    """Return each of the two encoders' packets."""
    request = b"".join(
        struct.pack("<BBH", which, ord(what), len(samples)) + samples.tobytes()
        for which, what, samples in steps
    )
    result = subprocess.run([program, str(bound)], input=request, capture_output=True, check=True)
    sent: list[list[bytes]] = [[], []]
    at = 0
    while at < len(result.stdout):
        which, length = struct.unpack_from("<BI", result.stdout, at)
        sent[which].append(result.stdout[at + 5 : at + 5 + length])
        at += 5 + length
    return sent


def whole(project: Path, bound: int, stream: Samples | None = None) -> list[bytes]:
    """Return the packets of segments, by default all, each given to model_encode as a whole."""
    program = project / "watch"
    if not program.exists():
        compiled(project, "watch.c", *SANITIZERS)
    return [content for number, content in run(program, bound, stream=stream) if number == PACKET]


def cut(samples: Samples, places: list[int]) -> list[Samples]:
    return np.split(samples, sorted(place % (len(samples) + 1) for place in places))


BOUNDS = st.sampled_from((0, 1 << 22, INT32_MAX))
PLACES = st.lists(st.integers(0, 10_000), max_size=60)


@settings(max_examples=60, deadline=None)
@given(places=PLACES, bound=BOUNDS)
def test_any_cut_into_pieces_gives_the_packets_of_whole_segments(
    project: Path, pushes: Path, places: list[int], bound: int
) -> None:
    stream = segments().reshape(-1)
    steps: Feed = [(0, "p", piece) for piece in cut(stream, places)]
    assert feed(pushes, steps, bound)[0] == whole(project, bound)


def test_one_sample_at_a_time_is_no_different(project: Path, pushes: Path) -> None:
    stream = segments().reshape(-1)
    steps: Feed = [(0, "p", stream[i : i + 1]) for i in range(len(stream))]
    assert feed(pushes, steps)[0] == whole(project, 0)


@settings(max_examples=40, deadline=None)
@given(first=PLACES, second=PLACES, seed=st.integers(0, 1 << 20))
def test_two_interleaved_encoders_equal_two_separate_ones(
    project: Path, pushes: Path, first: list[int], second: list[int], seed: int
) -> None:
    stream = segments().reshape(-1)
    turns: list[Feed] = [
        [(0, "p", piece) for piece in cut(stream, first)],
        [(1, "p", piece) for piece in cut(stream[::-1].copy(), second)],
    ]
    separate = feed(pushes, turns[0] + turns[1])
    random = np.random.default_rng(seed)
    mixed: Feed = []
    while turns[0] or turns[1]:
        which = int(random.integers(2)) if turns[0] and turns[1] else int(not turns[0])
        mixed.append(turns[which].pop(0))
    assert feed(pushes, mixed) == separate
    assert separate[0] == whole(project, 0)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 39), places=PLACES)
def test_a_restart_in_mid_segment_forgets_what_came(
    project: Path, pushes: Path, count: int, places: list[int]
) -> None:
    stream = segments().reshape(-1)
    noise = np.random.default_rng(count).integers(-2000, 2000, count).astype(np.int16)
    steps: Feed = [(0, "p", noise), (0, "b", noise[:0])]
    steps += [(0, "p", piece) for piece in cut(stream, places)]
    assert feed(pushes, steps)[0] == whole(project, 0)


def noise(kind: str) -> Samples:
    """Return three segments that no coding makes smaller."""
    random = np.random.default_rng(7)
    signals = {
        "uniform": random.integers(-6000, 6001, (3, 40)),
        "full range": random.integers(-32768, 32768, (3, 40)),
        "a converter that jumps": np.where(random.random((3, 40)) < 0.5, 0, 4095),
        "alternating": np.tile([-32768, 32767], (3, 20)),
    }
    return signals[kind].astype(np.int16)


@pytest.mark.parametrize("kind", ["uniform", "full range", "a converter that jumps", "alternating"])
@settings(max_examples=20, deadline=None)
@given(places=PLACES)
def test_noise_in_pieces_gives_the_packets_of_whole_segments(
    project: Path, pushes: Path, kind: str, places: list[int]
) -> None:
    quiet = segments()[:1]
    stream = np.concatenate([quiet, noise(kind), quiet])
    steps: Feed = [(0, "p", piece) for piece in cut(stream.reshape(-1), places)]
    sent = feed(pushes, steps)[0]
    assert sent == whole(project, 0, stream)
    manifest = small(Choice()).manifest
    payloads = [packets.decode(packet, manifest).payload for packet in sent]
    samples, right = lossless.decode_all(payloads, stream.shape[1])
    assert right.all()
    assert np.array_equal(samples, stream)


def test_all_layers_read_what_the_layers_engine_reads(tmp_path: Path, project: Path) -> None:
    out = tmp_path / "layers"
    write_project(project_files(small(Choice(engine="layers")), None), out)
    for bound in (0, 1 << 22, INT32_MAX):
        assert whole(out, bound) == whole(project, bound)


@pytest.mark.parametrize("tile", range(1, 14))
def test_any_tile_gives_the_same_packets(tmp_path: Path, project: Path, tile: int) -> None:
    out = tmp_path / "tiled"
    write_project(project_files(small(Choice(tile=tile)), None), out)
    pushed = compiled(out, "pushes.c", *SANITIZERS)
    stream = segments().reshape(-1)
    assert feed(pushed, [(0, "p", stream)])[0] == whole(project, 0)
    assert whole(out, 0) == whole(project, 0)


@pytest.mark.parametrize("name", list(KERNELS))
def test_every_kernel_set_gives_the_same_packets(tmp_path: Path, project: Path, name: str) -> None:
    out = tmp_path / name
    write_project(project_files(small(Choice(kernels=KERNELS[name])), None), out)
    compiled(out, "watch.c", *SANITIZERS)
    assert whole(out, 0) == whole(project, 0)


def test_without_the_lossless_level_the_weakest_compression_goes(
    tmp_path: Path, project: Path
) -> None:
    out = tmp_path / "lossy"
    write_project(project_files(small(Choice(lossless=False)), None), out)
    levels = [packet[1] & 15 for packet in whole(project, 0)]
    assert [packet[1] & 15 for packet in whole(out, 0)] == [max(level, 1) for level in levels]
    assert 0 in levels


def paper_network() -> Network:
    return lower(read_graph(paper_encoder().model.build()))


@pytest.mark.parametrize("tile", [1, 3, 4, 6, 12])
def test_lines_hold_each_layers_window_and_no_tile_more(tile: int) -> None:
    schedule = plan_schedule(paper_network(), tile)
    for stage in schedule.stages:
        line, layer = schedule.lines[stage.sources[0].line], stage.layer
        assert isinstance(layer, Conv1d)
        window = layer.kernel + (tile - 1) * layer.stride
        assert line.steps >= min(window, layer.inputs[0].time)
        if not line.kept:
            own = (
                layer.kernel + (stage.tile - 1) * layer.stride
            )  # narrow layers take more at a time
            writes = next(
                (writer.tile for writer in schedule.stages if writer.layer.output is line.tensor), 1
            )
            assert line.steps <= own + max(writes, tile) + layer.stride


def test_the_worst_sample_sets_going_a_small_part_of_the_work() -> None:
    network = paper_network()
    schedule = plan_schedule(network, 4)
    assert schedule.worst_macs < sum(layer.macs for layer in network.layers) / 20


def test_what_cannot_be_streamed_is_refused_with_the_reason() -> None:
    net = small_encoder()
    content = net.model.build()
    with pytest.raises(ModelError, match="minmax needs the whole segment"):
        plan_model(content, manifest_for(net, content, MINMAX), Choice(engine="stream"))


def test_a_network_with_reshapes_is_streamed() -> None:
    net = reshaped_encoder()
    content = net.model.build()
    assert isinstance(plan_model(content, manifest_for(net, content)).memory, Schedule)
