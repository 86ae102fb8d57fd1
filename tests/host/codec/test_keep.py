"""What a stream gave is kept, however it ends; what cannot be written is found before it begins."""

import json
import os
import resource
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dynadeep.codegen.files import fill, open_whole, reserve
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.codec.keep import keep_streams
from dynadeep.host_tools.codec.packet_file import find
from dynadeep.host_tools.codec.stream import stream_at_bounds
from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.study.excerpt import sample_records

pytestmark = pytest.mark.heavy  # decodes with onnxruntime


@pytest.fixture(scope="module")
def records(bundle):
    """Two recordings of two segments."""
    return sample_records(bundle.manifest, segments=2)[:2]


@pytest.fixture
def stream(bundle, firmware, records, tmp_path):
    """Stream with the native firmware until ``stop`` is called for the given segment."""

    def go(stop, at: int, bounds=(32.0,)) -> tuple[Path, Path]:
        packets, report = tmp_path / "p.bin", tmp_path / "r.json"
        elf = firmware("native", sanitize=True).elf
        done = 0

        def on_segment() -> None:
            nonlocal done
            done += 1
            if done == at:
                stop(device)

        manifest = bundle.manifest
        with (
            keep_streams(packets, report, records, len(bounds), manifest) as streams,
            pipeline.connect(bundle, "native", elf=elf) as station,
        ):
            device = station.device
            device.on_segment = on_segment
            stream_at_bounds(device, Decoder(bundle), records, bounds, streams=streams)
        return packets, report

    return go


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def interrupt(device) -> None:
    raise KeyboardInterrupt


def unplug(device) -> None:
    device.link.close()


ENDS = {
    "Ctrl-C": (interrupt, KeyboardInterrupt, "interrupted"),
    "the link fails": (unplug, LinkError, ""),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("at", [2, 3])
def test_a_stream_that_ends_early_keeps_its_packets_and_a_valid_report(
    stream, bundle, tmp_path, end, at
):
    """The segment that is under way is lost, and no other."""
    stop, error, why = ENDS[end]
    with pytest.raises(error):
        stream(stop, at)
    scan = find((tmp_path / "p.bin").read_bytes(), bundle.manifest)
    report = json.loads((tmp_path / "r.json").read_text())
    assert at - 1 <= len(scan.packets) <= at
    assert scan.damaged == ()
    assert report["complete"] is False
    assert why in report["stopped"]
    assert report["bounds"][0]["segments"] == len(scan.packets)
    assert names(tmp_path) == ["p.bin", "r.json"]


def test_the_bounds_that_were_streamed_whole_stay_in_the_report(stream, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        stream(interrupt, 6, bounds=(30.0, 40.0))
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["bounds"][0]["bound"], report["bounds"][0]["segments"]) == (30.0, 4)


def test_a_stream_that_is_whole_says_so(stream, bundle):
    packets, report = stream(lambda device: None, 0)
    assert len(find(packets.read_bytes(), bundle.manifest).packets) == 4
    read = json.loads(report.read_text())
    assert (read["complete"], read["stopped"]) == (True, None)
    assert 0 <= read["bounds"][0]["clipped"] < 0.05


def test_nothing_is_written_where_nothing_was_streamed(bundle, records, tmp_path):
    (tmp_path / "p.bin").write_bytes(b"of an earlier run")
    with (
        pytest.raises(LinkError),
        keep_streams(tmp_path / "p.bin", tmp_path / "r.json", records, 1, bundle.manifest),
    ):
        raise LinkError("no board")
    assert (tmp_path / "p.bin").read_bytes() == b"of an earlier run"
    assert names(tmp_path) == ["p.bin"]


def test_a_disk_without_room_is_found_before_the_measurement(bundle, records, tmp_path):
    """A limit on this process's files stands for the disk's end."""
    many = [replace(records[0], segments=np.zeros((300, 320), np.int16))]
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with (
            pytest.raises(OSError, match=r"p\.bin"),
            keep_streams(tmp_path / "p.bin", None, many, 1, bundle.manifest),
        ):
            pytest.fail("the measurement began")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert names(tmp_path) == []


@pytest.mark.parametrize("option", ["--packets", "--json"])
def test_a_place_that_cannot_be_written_is_found_before_the_measurement(
    fails, bundle, tmp_path, option
):
    """It is: no firmware was built, so that nothing of it was said."""
    (tmp_path / "file").write_text("in the way")
    where = ["--bundle", bundle.folder, "--board", "native", "--segments", "1"]
    line = fails(2, "stream", *where, option, tmp_path / "file" / "out")
    assert str(tmp_path / "file") in line


def test_a_reserved_file_has_only_what_was_written(tmp_path):
    path = tmp_path / "a"
    with open_whole(path) as file:
        reserve(file, 1 << 20, path)
        fill(file, b"little")
    assert path.read_bytes() == b"little"


def test_packets_may_go_nowhere(bundle, firmware):
    """A device is written to, not replaced by a file."""
    sources = firmware("native", sanitize=True).elf.parents[1]
    record = Path(__file__).parents[1] / "cases" / "wfdb" / "own300"
    where = ["--bundle", str(bundle.folder), "--sources", str(sources), "--ecg", str(record)]
    assert run(["stream", *where, "--packets", os.devnull]) == 0
    assert Path(os.devnull).is_char_device()
