"""dynadeep train."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from dynadeep.host_tools.cli.options import (
    BUILD,
    VIOLATION_RATE,
    DeviceOption,
    DevicesOption,
    JsonOption,
    SkipBadOption,
    ViolationRateOption,
    check_finite,
    check_positive,
)
from dynadeep.host_tools.cli.refusals import refuse_with, refuse_without

BOUND, LEAST_FORESIGHT = 0.75, 0.1
"""What --task promises unless it is told otherwise: what the shipped networks promise."""

EPOCHS, BATCH, PEAK_RATE, SEED = 48, 64, 2e-3, 0
"""How phase 1 is trained unless it is told otherwise."""

SEED_MAX = 2**32 - 1
"""What every random generator takes: Python's, numpy's and PyTorch's."""


def train(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of the run.")] = BUILD / "train",
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of MIT-BIH; else $DYNADEEP_DATA.")
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch MIT-BIH into the data folder first.")
    ] = False,
    dataset: Annotated[
        Literal["mitdb", "cinc2017", "both"] | None,
        typer.Option(help="mitdb is the default, and both that of --task."),
    ] = None,
    split: Annotated[
        Literal["patient", "published"] | None,
        typer.Option(help="Of mitdb: patient (the default) or published; cinc2017: published."),
    ] = None,
    input_map: Annotated[
        Literal["affine", "minmax"] | None, typer.Option(help="affine is the default.")
    ] = None,
    architecture: Annotated[
        str | None, typer.Option(help="dynamic-deep (the default), published, cae32 or cae64.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option("--start", help="Checkpoint to begin from; with --task in place of phase 1."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help=f"Else {EPOCHS}.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help=f"Else {BATCH}.")] = None,
    peak_rate: Annotated[
        float | None,
        typer.Option(callback=check_positive, help=f"Highest learning rate, else {PEAK_RATE:g}."),
    ] = None,
    precision: Annotated[
        Literal["bfloat16", "float32"] | None,
        typer.Option(help="What convolutions of phase 1 are computed in, else float32."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=SEED_MAX, help=f"Else {SEED}.")] = None,
    random_windows: Annotated[
        bool, typer.Option("--random-windows", help="Draw new windows of mitdb in each epoch.")
    ] = False,
    epoch_windows: Annotated[
        int | None,
        typer.Option(min=1, help="How many windows to draw an epoch, where they are drawn."),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            help="Go on with CinC 2017: fine-tune for rhythm or rpeaks, with NAME=WEIGHT for "
            "several, then fit heads and margins. May be repeated.",
        ),
    ] = None,
    bound: Annotated[
        float | None,
        typer.Option(
            callback=check_positive,
            help=f"With --task: the task loss to promise, else {BOUND:g}.",
        ),
    ] = None,
    violation_rate: ViolationRateOption = None,
    promise: Annotated[
        Literal["added", "loss"] | None,
        typer.Option(
            help="With --task: bound what compression adds to the task's loss (the default), or "
            "the loss itself, as published."
        ),
    ] = None,
    heads: Annotated[
        Literal["trunk", "linear"] | None,
        typer.Option(help="With --task: what foresees it; linear is published, else trunk."),
    ] = None,
    least_foresight: Annotated[
        float | None,
        typer.Option(
            min=-1.0,
            max=1.0,
            callback=check_finite,
            help="With --task: the correlation of foreseen with true losses, on the hold-out, that "
            f"every level must have, else {LEAST_FORESIGHT:g}.",
        ),
    ] = None,
    finetune_epochs: Annotated[
        int | None, typer.Option(min=1, help="With --task; else as the shipped one.")
    ] = None,
    skip_bad: SkipBadOption = False,
    device: DeviceOption = "cpu",
    devices: DevicesOption = 1,
    threads: Annotated[int, typer.Option(min=0, help="0 leaves it to PyTorch.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
    json: JsonOption = None,
) -> None:
    """Train a compressor on MIT-BIH; write its checkpoint, log and state to --out.

    With --task all three phases run, each once for what it depends on: an interrupted run goes on,
    and a changed setting runs only what hangs on it.
    """
    from dynadeep.host_tools.cli.stages import heavy

    _refuse_ignored(
        dataset=dataset,
        task=bool(task),
        start=start,
        of_mitdb={"--download": download, "--random-windows": random_windows},
        both=dataset == "both" or (bool(task) and start is None),
        epoch_windows=epoch_windows,
        of_phase_1={
            "--split": split,
            "--input-map": input_map,
            "--architecture": architecture,
            "--epochs": epochs,
            "--batch": batch,
            "--peak-rate": peak_rate,
            "--precision": precision,
            "--seed": seed,
        },
        of_task={
            "--bound": bound,
            "--violation-rate": violation_rate,
            "--promise": promise,
            "--heads": heads,
            "--least-foresight": least_foresight,
            "--finetune-epochs": finetune_epochs,
            "--skip-bad": skip_bad,
        },
    )
    weights = _weights(task or ())
    with heavy("train"):
        from dynadeep.train import phases, pipeline  # needs PyTorch
        from dynadeep.train.data import mitdb
        from dynadeep.train.foresight import ForesightConfig
        from dynadeep.train.promise import PromiseConfig
    folder = mitdb.download(data or BUILD / "data") if download else data
    config = phases.TrainConfig(
        output=out,
        data=folder,
        dataset="both" if task else dataset or "mitdb",
        split=split or "patient",
        input_map=input_map or "affine",
        architecture=architecture or "dynamic-deep",
        start=start,
        epochs=epochs or EPOCHS,
        batch=batch or BATCH,
        peak_rate=PEAK_RATE if peak_rate is None else peak_rate,
        seed=SEED if seed is None else seed,
        random_windows=random_windows,
        epoch_windows=epoch_windows,
        precision=precision or "float32",
        device=device,
        devices=devices,
        threads=threads,
        resume=resume,
    )
    if not task:
        _tell({"checkpoint": phases.train(config)}, json)
        return
    settings = pipeline.configure(
        config,
        weights,
        promised=PromiseConfig(
            bound=BOUND if bound is None else bound,
            violation_rate=VIOLATION_RATE if violation_rate is None else violation_rate,
            kind=promise or "added",
            heads=heads or "trunk",
            foresight=ForesightConfig(
                least_correlation=LEAST_FORESIGHT if least_foresight is None else least_foresight
            ),
        ),
        epochs=finetune_epochs,
        skip_bad=skip_bad,
    )
    _tell(pipeline.run(settings), json)


def _tell(checkpoints: Mapping[str, Path], json: Path | None) -> None:
    """Say where the checkpoints are; JSON has the record of each too."""
    from dynadeep.host_tools.cli.output import print_lines, write_json
    from dynadeep.train.checkpoint import as_plain, read_record

    print_lines(json, *(f"{name}: {path}" for name, path in checkpoints.items()))
    records = {
        name: {"path": str(path), "record": as_plain(read_record(path))}
        for name, path in checkpoints.items()
    }
    write_json(json, {"checkpoints": records})


def _refuse_ignored(
    *,
    dataset: str | None,
    task: bool,
    start: Path | None,
    of_mitdb: dict[str, object],
    both: bool,
    epoch_windows: int | None,
    of_phase_1: dict[str, object],
    of_task: dict[str, object],
) -> None:
    """Refuse options that this run would ignore; the mappings hold what the user gave of them."""
    if dataset == "cinc2017":
        patient = of_phase_1["--split"] == "patient" or None
        why = "CinC 2017 is parted as published, and its segments trained on as they are"
        refuse_with("--dataset cinc2017", {**of_mitdb, "--split patient": patient}, why)
    if both:
        needless = {"--random-windows": of_mitdb["--random-windows"]}
        why = "both databases are parted in one way, and their windows always drawn"
        beside = "--task" if task else "--dataset both"
        refuse_with(beside, {**needless, "--split": of_phase_1["--split"]}, why)
    elif not of_mitdb["--random-windows"]:
        why = "without drawn windows an epoch is all that there are"
        refuse_without("--random-windows", {"--epoch-windows": epoch_windows}, why)
    if not task:
        refuse_without("--task", of_task, "without one nothing is fine-tuned or promised")
    else:
        refuse_with("--task", {"--dataset": dataset}, "phase 1 is trained on both")
        if start is not None:
            why = "phase 1, which they are for, is left out"
            refuse_with("--start with --task", {**of_mitdb, **of_phase_1}, why)


def _weights(tasks: Sequence[str]) -> dict[str, float]:
    """Read NAME or NAME=WEIGHT of each task."""
    weights: dict[str, float] = {}
    for text in tasks:
        name, _, weight = text.partition("=")
        if name in weights:
            raise typer.BadParameter(f"--task {name}: given twice. Name each task once.")
        weights[name] = _weight(text, weight or "1")
    return weights


def _weight(text: str, weight: str) -> float:
    try:
        value = float(weight)
    except ValueError as error:
        raise typer.BadParameter(f"--task {text}: the weight is no number.") from error
    if not 0 < value < math.inf:
        raise typer.BadParameter(
            f"--task {text}: its weight is not above 0 and finite. Leave it out, or correct it."
        )
    return value
