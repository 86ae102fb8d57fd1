import numpy as np
import pytest

from dynadeep.host_tools.codec.distortion import distortion
from dynadeep.host_tools.study import truth
from dynadeep.host_tools.study.excerpt import sample_records
from dynadeep.host_tools.study.truth import PrdJudge, TaskJudge


@pytest.fixture(scope="module")
def manifest_of_cinc2017(make_manifest_of):
    return make_manifest_of({"rhythm": 1.0})


@pytest.fixture(scope="module")
def make_manifest_of(make_manifest):
    """Make the manifest of a model that was trained for tasks."""
    from dataclasses import replace

    def make(tasks: dict[str, float]):
        record = {"training": {"dataset": "cinc2017"}, "promise": {"tasks": tasks}}
        return replace(make_manifest(), record=record).with_codec(error_unit="cross entropy")

    return make


def test_a_model_without_a_promise_is_judged_by_prd(make_manifest):
    manifest = make_manifest()
    judge = truth.make_judge(manifest)
    assert isinstance(judge, PrdJudge)
    record = sample_records(manifest, segments=2)[0]
    exact = record.segments.astype(np.float64)
    assert judge.losses(record, exact) == [0.0, 0.0]
    assert judge.losses(record, exact + 100)[0] > 1


@pytest.mark.heavy
def test_a_model_of_a_task_is_judged_by_the_tasks_loss(manifest_of_cinc2017):
    judge = truth.make_judge(manifest_of_cinc2017)
    assert isinstance(judge, TaskJudge)
    record = next(r for r in sample_records(manifest_of_cinc2017) if r.label == "N")
    losses = judge.losses(record, record.segments.astype(np.float64))
    assert len(losses) == 5
    assert np.mean(losses) < 0.75
    noise = np.random.default_rng(0).normal(0, 300, record.segments.shape)
    assert np.mean(judge.losses(record, noise)) > np.mean(losses)


@pytest.mark.heavy
def test_peaks_that_are_kept_lose_nothing(make_manifest_of):
    manifest = make_manifest_of({"rpeaks": 1.0})
    record = sample_records(manifest)[0]
    judge = truth.make_judge(manifest)
    assert judge.losses(record, record.segments.astype(np.float64)) == pytest.approx([0] * 5)


@pytest.mark.heavy
def test_without_a_label_nothing_is_known(manifest_of_cinc2017):
    from dataclasses import replace

    record = replace(sample_records(manifest_of_cinc2017)[0], label=None)
    judge = truth.make_judge(manifest_of_cinc2017)
    assert judge.losses(record, record.segments.astype(np.float64)) is None


def test_samples_of_cinc2017_are_whole_records_with_their_rhythm(manifest_of_cinc2017):
    records = sample_records(manifest_of_cinc2017)
    assert len(records) == 24
    assert {r.label for r in records} == {"A", "N", "O", "~"}
    assert all(r.samples == 8960 and r.segments.shape == (5, 2000) for r in records)
    assert all((r.segments[4, 960:] == r.segments[4, 959]).all() for r in records)


def test_distortion_is_measured_where_the_window_is_zero_to_one():
    segment = np.array([100, 200, 300, 200], np.int16)
    decoded = np.array([100.0, 200.0, 280.0, 200.0])
    prd, prdn = distortion(segment, decoded, real=4)
    scaled = np.array([0.0, 0.5, 1.0, 0.5])
    assert prd == pytest.approx(100 * 0.1 / np.linalg.norm(scaled))
    assert prdn == pytest.approx(100 * 0.1 / np.linalg.norm(scaled - 0.5))


def test_distortion_leaves_padding_out():
    segment = np.array([100, 200, 300, 300], np.int16)
    decoded = np.array([100.0, 200.0, 300.0, 9999.0])
    assert distortion(segment, decoded, real=3) == (0.0, 0.0)
