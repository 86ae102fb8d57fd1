"""What a board sends of a recording, decoded."""

import numpy as np
import pytest

from dynadeep.host_tools.cli import run
from dynadeep.host_tools.codec import stream
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.recordings.record import Record
from dynadeep.host_tools.study.excerpt import sample_records

pytestmark = pytest.mark.heavy  # decodes by the exported network


@pytest.fixture(scope="session")
def records(bundle) -> list[Record]:
    return sample_records(bundle.manifest, segments=6)


def test_a_looser_bound_set_at_run_time_never_compresses_less(bundle, station, records):
    with station("native") as opened:
        decoder = Decoder(bundle)
        bounds = [0.0, bundle.manifest.default_bound, 127.0]
        streams = stream.stream_at_bounds(opened.device, decoder, records, bounds)
    gains = [streamed.result.byte_cg for streamed in streams]
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
        (streamed,) = stream.stream_at_bounds(opened.device, decoder, records, [127.0])
    assert streamed.result.prdn_compressed is not None
    assert streamed.result.prdn_compressed < 100  # percent: what the mean alone would give


def test_uncompressed_packets_give_the_samples_back(bundle, station, records):
    segment = records[0].segments[0]
    with station("native") as opened:
        CodecBoard(opened.device).bound(0)
        raw = Decoder(bundle).decode(CodecBoard(opened.device).encode(segment).packet)
    assert np.array_equal(raw, segment)


def test_packets_that_were_kept_are_decoded_by_the_command(bundle, firmware, tmp_path, capsys):
    sources = firmware("native").elf.parents[1]
    where = ("--bundle", str(bundle.folder), "--board", "native", "--sources", str(sources))
    packets = tmp_path / "packets.bin"
    assert run(["stream", *where, "--segments", "1", "--packets", str(packets)]) == 0
    assert "mean CG (published)" in capsys.readouterr().out
    out = tmp_path / "ecg.npy"
    assert run(["decode", str(packets), "--bundle", where[1], "--out", str(out)]) == 0
    assert np.load(out).shape == (24, bundle.manifest.segment_length)
