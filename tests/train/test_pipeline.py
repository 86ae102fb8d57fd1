"""Phases 2 and 3 on the excerpt, parted in three: what runs is real, the figures mean nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dynadeep.train import checkpoint, finetune, margins, measure, pipeline
from dynadeep.train.checkpoint import PRETRAINED_FOLDER
from dynadeep.train.data import cinc2017
from dynadeep.train.errors import CheckpointError, TrainError
from dynadeep.train.finetune import FineTuneConfig, FineTuning, WeightedTask, Weights
from dynadeep.train.foresight import ForesightConfig
from dynadeep.train.input_map import InputMap
from dynadeep.train.levels import NAMED
from dynadeep.train.loop import LoopConfig
from dynadeep.train.model import DynamicDeep
from dynadeep.train.observe import Observation, Observer, Records
from dynadeep.train.phases import TrainConfig
from dynadeep.train.pipeline import PipelineConfig
from dynadeep.train.promise import PromiseConfig
from dynadeep.train.tasks.rhythm import RhythmConfig, RhythmNet, RhythmTask

START = PRETRAINED_FOLDER / "mitdb-affine-patient.safetensors"


FORESIGHT = ForesightConfig(cuts=1, epochs=2, least_correlation=-1)
PROMISE = PromiseConfig(violation_rate=0.2, foresight=FORESIGHT)


@pytest.fixture
def config(tmp_path: Path) -> PipelineConfig:
    training = TrainConfig(
        output=tmp_path / "run", data=cinc2017.SAMPLE_FOLDER, start=START, threads=1
    )
    return PipelineConfig(
        training,
        {"rhythm": 1.0, "rpeaks": 0.2},
        finetune=FineTuneConfig(loop=LoopConfig(epochs=1, batch=4, peak_rate=1e-4)),
        promise=PROMISE,
        parts=cinc2017.SAMPLE,
    )


def test_all_phases_make_a_checkpoint_a_task_of_one_compressor(config: PipelineConfig) -> None:
    checkpoints = {name: checkpoint.load(path) for name, path in pipeline.run(config).items()}
    assert set(checkpoints) == {"rhythm", "rpeaks", "both"}
    assert checkpoints["rhythm"].promise is not None
    assert checkpoints["both"].promise is not None
    assert (checkpoints["rhythm"].promise.kind, checkpoints["rhythm"].config.heads) == (
        "added",
        "trunk",
    )
    assert checkpoints["rhythm"].promise.unit == "added cross entropy"
    for promise in (checkpoints["rhythm"].promise, checkpoints["both"].promise):
        assert promise.bounds == margins.KNOTS
        for table in (promise.margins, promise.record_margins):
            assert {len(row) for row in table.values()} == {len(margins.KNOTS)}
    assert checkpoints["both"].promise.tasks == {"rhythm": 0.5, "rpeaks": 0.5}
    states = [loaded.model.state_dict() for loaded in checkpoints.values()]
    for name, tensor in states[0].items():
        alike = all(torch.equal(tensor, other[name]) for other in states[1:])
        assert alike != name.startswith("heads."), name


def test_a_second_run_does_only_what_changed(config: PipelineConfig) -> None:
    first = pipeline.run(config)
    tuned = config.reconstruction.output / "fine-tuning" / "checkpoint.safetensors"
    stamps = {path: path.stat().st_mtime_ns for path in (tuned, *first.values())}
    pipeline.run(config)
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    pipeline.run(replace(config, promise=replace(PROMISE, bound=0.5)))
    assert tuned.stat().st_mtime_ns == stamps[tuned]
    assert all(path.stat().st_mtime_ns != stamps[path] for path in first.values())


def test_records_are_observed_once_for_all_promises_and_not_for_promises_that_are_kept(
    config: PipelineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, observe = [], Observer.observe

    def counted(self: Observer, records: Records) -> Observation:
        counts.append(len(records[0]))
        return observe(self, records)

    monkeypatch.setattr(Observer, "observe", counted)
    pipeline.run(config)
    pipeline.run(config)
    assert sorted(counts) == [1, 7, 8]  # what stops the heads, what fits them, and the hold-out


def test_a_crash_in_phase_2_resumes_there(
    config: PipelineConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = replace(config, finetune=replace(config.finetune, loop=LoopConfig(epochs=2, batch=4)))
    whole = pipeline.run(config)["rhythm"].read_bytes()
    training = replace(config.reconstruction, output=tmp_path / "parted")
    parted = replace(config, reconstruction=training)
    draws = finetune.augment.vary_record
    drawn = 0

    def break_off(*arguments: object) -> object:
        nonlocal drawn
        drawn += 1
        if drawn == 10:  # in the second epoch, of 8 records each
            raise KeyboardInterrupt
        return draws(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(finetune.augment, "vary_record", break_off)
        with pytest.raises(KeyboardInterrupt):
            pipeline.run(parted)
    assert (training.output / "fine-tuning" / "metrics.jsonl").read_text().count("\n") == 1
    assert pipeline.run(parted)["rhythm"].read_bytes() == whole


def test_an_unknown_task_is_refused_before_any_work(config: PipelineConfig) -> None:
    with pytest.raises(TrainError, match="choose among rhythm, rpeaks"):
        pipeline.run(replace(config, tasks={"sleep": 1.0}))
    assert not config.reconstruction.output.exists()


def test_a_network_of_another_task_is_refused(config: PipelineConfig) -> None:
    wrong = PRETRAINED_FOLDER / "tasks" / "rpeaks.safetensors"
    with pytest.raises(CheckpointError, match="needed is rhythm"):
        pipeline.run(replace(config, nets={"rhythm": wrong}))


def test_only_the_compressor_changes_and_every_part_of_it() -> None:
    torch.manual_seed(0)
    module = tuning(DynamicDeep(NAMED["dynamic-deep"]), Weights())
    module(torch.randn(2, 8960) * 200).backward()
    for name, parameter in module.named_parameters():
        assert (parameter.grad is not None) != name.startswith("frozen."), name


def test_levels_under_the_least_gain_stay_as_they_are_to_the_bit() -> None:
    torch.manual_seed(0)
    model = DynamicDeep(NAMED["dynamic-deep"]).eval()
    mapped = torch.randn(3, 1, 2000)
    before = model.reconstruct(mapped)
    module = tuning(model, Weights(), least_gain=30).train()
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    adam = torch.optim.AdamW(trained, lr=1e-2)
    module(torch.randn(2, 8960) * 200).backward()
    adam.step()
    after = model.eval().reconstruct(mapped)
    unchanged = [torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert unchanged == [True, True, False, False]


def test_fine_tuning_no_level_at_all_is_refused(config: PipelineConfig) -> None:
    none = replace(config.finetune, least_gain=100)
    with pytest.raises(TrainError, match="none has a gain of 100"):
        pipeline.run(replace(config, finetune=none))


def test_the_task_weighs_most_at_the_strongest_level_and_next_to_nothing_at_the_weakest() -> None:
    weights = [Weights().of(level) for level in NAMED["dynamic-deep"].levels]
    assert weights == sorted(weights)
    assert weights[0] < 0.1
    assert weights[-1] == pytest.approx(1, abs=0.02)


def test_the_task_counts_beside_fidelity() -> None:
    torch.manual_seed(0)
    adc, model = torch.randn(2, 8960) * 200, DynamicDeep().eval()

    def loss(weights: Weights) -> float:
        with torch.no_grad():
            return float(tuning(model, weights).eval()(adc))

    both, fidelity = loss(Weights()), loss(Weights(task=0))
    assert both > fidelity
    assert loss(Weights(task=3)) - fidelity == pytest.approx(3 * (both - fidelity), rel=1e-3)


def tuning(model: DynamicDeep, weights: Weights, least_gain: float = 0) -> FineTuning:
    torch.manual_seed(1)
    tasks = [WeightedTask(RhythmTask(RhythmNet(RhythmConfig(4, 4))), 1)]
    return FineTuning(model, InputMap("affine", 0, 1000), tasks, weights, least_gain=least_gain)


def test_linear_heads_are_fitted_to_the_published_promise(
    config: PipelineConfig,
) -> None:
    published = replace(PROMISE, kind="loss", heads="linear")
    path = pipeline.run(replace(config, tasks={"rhythm": 1.0}, promise=published))["rhythm"]
    loaded = checkpoint.load(path)
    assert loaded.promise is not None
    assert (loaded.promise.kind, loaded.promise.unit) == ("loss", "cross entropy")
    assert loaded.config.heads == "linear"


def test_coding_whole_records_pads_the_last_segment_and_cuts_it_again() -> None:
    records, _ = cinc2017.read_records(cinc2017.SAMPLE_FOLDER)
    adc = cinc2017.cut(records[:3])
    loaded = checkpoint.load(START)
    coded = measure.code(loaded.model, loaded.input_map, adc)
    assert [d.shape for d in coded.decoded] == [(3, 8960), (3, 8960)]
    assert coded.predicted.shape == (3, 5, 2)
    assert [latent.shape for latent in coded.latents] == [(3, 5, 62), (3, 5, 31)]


def test_distortion_leaves_flat_segments_out() -> None:
    raw = np.zeros((1, 4000), np.int16)
    raw[0, 2000:] = np.arange(2000) % 50
    back = raw.astype(np.float32)
    back[0, :2000] += 3
    prd, prdn = measure.distortions([back], raw)
    assert prd.tolist() == [[0.0]]
    assert prdn.tolist() == [[0.0]]


def test_raw_records_lose_nothing_of_their_peaks() -> None:
    records, _ = cinc2017.read_records(cinc2017.SAMPLE_FOLDER)
    adc = cinc2017.cut(records[:2])
    nets = measure.load_nets({}, ["rpeaks"])
    counts = measure.run_tasks(
        nets, adc, measure.task_outputs(nets, adc), cinc2017.labels(records[:2])
    ).peaks
    assert (counts[:, 0] > 10).all()
    assert not counts[:, 1:].any()
