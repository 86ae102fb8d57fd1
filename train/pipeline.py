"""All three phases in one run: reconstruction, fine-tuning behind frozen tasks, heads and margins.

    OUT/reconstruction  phase 1, MIT-BIH (left out where a checkpoint is given to start from)
    OUT/fine-tuning     phase 2, CinC-2017, tasks cascaded
    OUT/<task>          phase 3: the same compressor with heads for the task, and their margins

Each phase is run once for what it depends on: see ``cache``.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric

from dynadeep.train import cache, checkpoint, finetune, loop, phases, promise
from dynadeep.train.cache import Key
from dynadeep.train.data import cinc2017
from dynadeep.train.errors import TrainError
from dynadeep.train.finetune import FineTuneConfig, WeightedTask
from dynadeep.train.model import DynamicDeep
from dynadeep.train.observe import Observations, Observer
from dynadeep.train.phases import TrainConfig
from dynadeep.train.promise import PromiseConfig
from dynadeep.train.tasks import TASKS, load_task, weights_of

CHECKPOINT = ("checkpoint.safetensors", "checkpoint.json")
BOTH = "both"


@dataclass(frozen=True)
class PipelineConfig:
    """What a run of all phases is told.

    ``tasks`` maps the tasks that are cascaded in phase 2 to their weights, ``nets`` a task to the
    weights of its network where it is not the shipped one.
    """

    reconstruction: TrainConfig
    tasks: Mapping[str, float]
    nets: Mapping[str, Path] = field(default_factory=dict)
    finetune: FineTuneConfig = finetune.SHIPPED
    promise: PromiseConfig = promise.SHIPPED
    skip_bad: bool = False
    parts: cinc2017.Parts = cinc2017.PUBLISHED


def configure(
    reconstruction: TrainConfig,
    tasks: Mapping[str, float],
    *,
    promised: PromiseConfig = promise.SHIPPED,
    epochs: int | None = None,
    skip_bad: bool = False,
) -> PipelineConfig:
    """Return the configuration of a run that is trained as the shipped one but for these."""
    tuned = finetune.SHIPPED
    if epochs is not None:
        tuned = replace(tuned, loop=replace(tuned.loop, epochs=epochs))
    return PipelineConfig(
        reconstruction, tasks, finetune=tuned, promise=promised, skip_bad=skip_bad
    )


def run(config: PipelineConfig) -> dict[str, Path]:
    """Run what is not there yet; return the checkpoint of each task, and of both at once.

    Raises:
        TrainError: a task is unknown, the data cannot be used, or a phase failed.
    """
    unknown = sorted(set(config.tasks) - set(TASKS))
    if unknown or not config.tasks:
        raise TrainError(f"tasks {unknown or 'none'}: choose among {', '.join(TASKS)}.")
    training = config.reconstruction
    fabric = loop.make_fabric(training.device, training.devices)
    if training.threads:
        torch.set_num_threads(training.threads)
    with loop.alone(fabric, training.output):
        return _run_phases(fabric, config)


def _run_phases(fabric: Fabric, config: PipelineConfig) -> dict[str, Path]:
    training = config.reconstruction
    split = cinc2017.read_split(
        cinc2017.find_folder(training.data),
        parts=config.parts,
        on_bad="skip" if config.skip_bad else "refuse",
    )
    start = training.start or _reconstruct(fabric, training)
    tuned = _fine_tune(fabric, config, split, start)
    promises = {name: {name: 1.0} for name in TASKS}
    promises[BOTH] = dict.fromkeys(TASKS, 1 / len(TASKS))
    observations = _observations(config, split, tuned)
    return {
        name: _promise(fabric, config, tuned, observations, (name, weights))
        for name, weights in promises.items()
    }


def _observations(config: PipelineConfig, split: cinc2017.Split, tuned: Path) -> Observations:
    """Prepare what all promises share; nothing is observed before a promise has to be fitted."""
    promise_config, start = config.promise, checkpoint.load(tuned)
    assert isinstance(start.model, DynamicDeep)
    tasks = tuple(load_task(name, config.nets.get(name)) for name in TASKS)
    observer = Observer(start.model, start.input_map, tasks, promise_config.kind)
    return Observations(
        observer, split, promise_config.foresight.cuts, promise_config.foresight.seed
    )


def _reconstruct(fabric: Fabric, training: TrainConfig) -> Path:
    """Phase 1, from MIT-BIH windows."""
    folder = training.output / "reconstruction"
    config = replace(training, output=folder, resume=True)
    windows = phases.windows_of(config)
    data = {"windows": cache.array_hash(windows.train, windows.test)}

    def work() -> None:
        phases.train_on(windows, config, fabric)

    cache.run_phase(fabric, folder, Key(phases.settings_of(config), data), CHECKPOINT, work)
    return folder / CHECKPOINT[0]


def _fine_tune(fabric: Fabric, config: PipelineConfig, split: cinc2017.Split, start: Path) -> Path:
    """Phase 2."""
    folder = config.reconstruction.output / "fine-tuning"
    settings = {"tasks": dict(config.tasks), **asdict(config.finetune)}
    inputs = {"start": cache.file_hash(start), **_inputs(config, split, config.tasks)}

    def work() -> None:
        tasks = _tasks(config, config.tasks)
        first = checkpoint.load(start)
        finetune.fine_tune(fabric, first, split, tasks, config=config.finetune, folder=folder)

    cache.run_phase(fabric, folder, Key(settings, inputs), CHECKPOINT, work)
    return folder / CHECKPOINT[0]


def _promise(
    fabric: Fabric,
    config: PipelineConfig,
    tuned: Path,
    observations: Observations,
    weights: tuple[str, Mapping[str, float]],
) -> Path:
    """Phase 3 for one task, or for a weighted sum of several."""
    name, parts = weights
    folder = config.reconstruction.output / name
    settings = {"tasks": dict(parts), **asdict(config.promise)}
    inputs = {
        "compressor": cache.file_hash(tuned),
        **_inputs(config, observations.split, parts),
    }

    def work() -> None:
        if fabric.is_global_zero:
            start = checkpoint.load(tuned)
            promise.fit_promise(start, observations, parts, config.promise, folder / "checkpoint")

    cache.run_phase(fabric, folder, Key(settings, inputs), CHECKPOINT, work)
    return folder / CHECKPOINT[0]


def _tasks(config: PipelineConfig, weights: Mapping[str, float]) -> list[WeightedTask]:
    """Load tasks with their weights."""
    return [WeightedTask(load_task(t, config.nets.get(t)), w) for t, w in weights.items()]


def _inputs(
    config: PipelineConfig, split: cinc2017.Split, weights: Mapping[str, float]
) -> dict[str, str]:
    """Hash what phases 2 and 3 read: the records, and the networks of the tasks."""
    nets = {f"net {t}": cache.file_hash(weights_of(t, config.nets.get(t))) for t in weights}
    adc = [cinc2017.cut(part) for part in (split.train, split.holdout)]
    return {**nets, "records": cache.array_hash(*adc)}
