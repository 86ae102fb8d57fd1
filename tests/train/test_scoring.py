"""Codecs scored on three records of the excerpt; what they decode is the raw record and noise."""

from dataclasses import replace

import numpy as np
import pytest

from dynadeep.train import measure, scoring
from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.data import cinc2017
from dynadeep.train.evaluation import decisions, points
from dynadeep.train.evaluation.outcomes import KINDS, Foreseen, Outcomes
from dynadeep.train.evaluation.points import Case
from dynadeep.train.measure import Nets
from dynadeep.train.scoring import Codec, Recordings

BOUND = 0.75
PACKETS = (900, 78, 47)


@pytest.fixture(scope="module")
def nets() -> Nets:
    return measure.load_nets({}, ["rhythm", "rpeaks", "both"])


@pytest.fixture(scope="module")
def recordings(nets: Nets) -> Recordings:
    records, _ = cinc2017.read_records(cinc2017.SAMPLE_FOLDER)
    return scoring.read_recordings(nets, records[:3])


def predicting(levels: np.ndarray) -> Foreseen:
    """Heads that foresee a loss within the bound up to a level, [N, S], and beyond it above."""
    predicted = np.where(np.arange(1, 3) <= levels[:, :, None], 0.0, 9.0)
    nothing = np.zeros(2)
    return Foreseen("added", predicted, lambda _: nothing, lambda _: nothing, {})


@pytest.fixture(scope="module")
def codec(recordings: Recordings) -> Codec:
    random = np.random.default_rng(0)
    noise = random.normal(0, 100, recordings.adc.shape)
    decoded = tuple((recordings.adc + n * noise).astype(np.float32) for n in (1, 3))
    packets = np.broadcast_to(np.array(PACKETS), (3, 5, 3))
    return Codec("int8", (62, 31), decoded, packets)


def scored(
    nets: Nets, recordings: Recordings, codec: Codec, levels: np.ndarray
) -> tuple[Codec, Outcomes]:
    """Score a codec whose heads send each segment at a level, int [N, S]."""
    deciding = replace(codec, foreseen={"both": predicting(levels)})
    return deciding, scoring.outcomes(nets, recordings, deciding)


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_is_what_the_promise_is_fitted_to(
    nets: Nets, recordings: Recordings, codec: Codec, kind: PromiseKind
) -> None:
    signal = measure.run_tasks(nets, codec.decoded[0], recordings.outputs, recordings.labels)
    for task in (nets.rhythm, nets.rpeaks):
        fitted = measure.task_losses(
            task, codec.decoded[0], recordings.adc, recordings.labels, kind
        )
        assert signal.losses[kind][task.name] == pytest.approx(fitted.record, rel=1e-4)


def test_a_raw_record_adds_nothing_and_keeps_all_its_peaks(recordings: Recordings) -> None:
    for name, added in recordings.raw.losses["added"].items():
        assert added.tolist() == [0.0] * 3, name
    assert not recordings.raw.peaks[:, 1:].any()


def test_segments_that_all_go_at_one_level_come_to_that_level(
    nets: Nets, recordings: Recordings, codec: Codec
) -> None:
    deciding, measured = scored(nets, recordings, codec, np.full((3, 5), 2))
    by_promise = scoring.segment_points(nets, recordings, deciding, measured, [BOUND])
    assert [point.promise for point in by_promise] == list(KINDS)
    for point in by_promise:
        case = Case("both", "int8", point.promise, BOUND)
        same = points.decided(measured, case, decisions.always(3, 2))
        for name in ("f1", "f1_rpeaks", "mean_cg", "byte_cg", "violations", "prdn"):
            assert point[name].value == pytest.approx(same[name].value), name
        assert point["effective_loss"].value == pytest.approx(
            same["effective_loss"].value, rel=1e-4
        )


def test_a_record_of_mixed_levels_takes_the_bytes_of_each_and_loses_in_its_segments(
    nets: Nets, recordings: Recordings, codec: Codec
) -> None:
    levels = np.zeros((3, 5), int)
    levels[1] = [1, 2, 0, 0, 0]
    deciding, measured = scored(nets, recordings, codec, levels)
    (point,) = scoring.segment_points(nets, recordings, deciding, measured, [BOUND])[1:]
    sent = 13 * PACKETS[0] + PACKETS[1] + PACKETS[2]
    assert point["byte_cg"].value == pytest.approx(3 * 2 * cinc2017.RECORD_SAMPLES / sent)
    assert point["share_32"].value == pytest.approx(1 / 15)
    assert point["share_none"].value == pytest.approx(13 / 15)
    parts = [slice(0, 2000), slice(2000, 4000)]
    lost = [
        measure.distortions([decoded[1:2, part]], recordings.adc[1:2, part])[1][0, 0]
        for decoded, part in zip(codec.decoded, parts, strict=True)
    ]
    assert point["prdn"].value == pytest.approx(sum(lost) / 5)
