import pytest

from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec import stream
from dynadeep.host_tools.codec.stream import Sent


def sent(manifest, level, *, samples=2000, prd=0.0, loss=0.0) -> Sent:
    size = packets.packet_bytes(manifest, level)
    return Sent("r", level, samples, bytes(size), (1.0, 2.0), loss, prd, 2.7 * prd, ticks=1)


def test_mean_cg_is_the_mean_of_ratios_and_byte_cg_counts_every_byte(make_manifest):
    """A quarter uncompressed leaves the mean near 48 and the byte ratio near 4."""
    manifest = make_manifest()
    result = stream.summarise(
        [sent(manifest, 0)] + 3 * [sent(manifest, 2)], bound=8.0, manifest=manifest
    )
    assert result.mean_cg == pytest.approx((1 + 3 * 2000 / 31) / 4)
    assert result.bytes_in == 4 * 4000
    assert result.bytes_out == 4025 + 3 * 48
    assert result.byte_cg == pytest.approx(16000 / 4169)
    assert result.levels == {"none": 1, "cg32": 0, "cg64": 3}


def test_a_compressed_segment_alone_has_the_levels_own_gains(make_manifest):
    manifest = make_manifest()
    result = stream.summarise([sent(manifest, 1)], bound=8.0, manifest=manifest)
    assert result.mean_cg == pytest.approx(2000 / 62)
    assert result.byte_cg == pytest.approx(4000 / 79)


def test_samples_as_they_are_cost_more_than_they_carry(make_manifest):
    manifest = make_manifest()
    result = stream.summarise([sent(manifest, 0)], bound=0.0, manifest=manifest)
    assert result.mean_cg == 1
    assert result.byte_cg == pytest.approx(4000 / 4025)
    assert result.prd_compressed is None
    assert result.violations == 0


def test_padding_is_not_counted_as_data(make_manifest):
    """A rest of 500 samples still costs a whole packet; the published gain leaves it out."""
    manifest = make_manifest()
    result = stream.summarise(
        [sent(manifest, 2), sent(manifest, 1, samples=500)], bound=8.0, manifest=manifest
    )
    assert result.byte_cg == pytest.approx((4000 + 1000) / (48 + 79))
    assert result.mean_cg == pytest.approx(2000 / 31)


def test_errors_are_given_over_all_and_over_the_compressed_segments(make_manifest):
    manifest = make_manifest()
    result = stream.summarise(
        [sent(manifest, 0), sent(manifest, 1, prd=6.0), sent(manifest, 2, prd=9.0, loss=0.8)],
        bound=0.7,
        manifest=manifest,
    )
    assert result.prd == pytest.approx(5.0)
    assert result.prd_compressed == pytest.approx(7.5)
    assert result.violations == pytest.approx(1 / 3)


def test_a_loss_over_the_bound_breaks_no_promise_where_nothing_was_compressed(make_manifest):
    manifest = make_manifest()
    result = stream.summarise([sent(manifest, 0, loss=5.0)], bound=1.0, manifest=manifest)
    assert result.violations == 0


def test_nothing_is_claimed_of_losses_that_are_not_known(make_manifest):
    manifest = make_manifest()
    parts = [sent(manifest, 1), sent(manifest, 1, loss=None)]
    assert stream.summarise(parts, bound=1.0, manifest=manifest).violations is None
