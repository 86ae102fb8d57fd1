"""PRD and PRDN of reconstruction checkpoints on MIT-BIH, in float and through the generated C."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import Bundle
from dynadeep.host_tools.study import deployed
from dynadeep.host_tools.study.export import export_once

if TYPE_CHECKING:
    from dynadeep.train.checkpoint import Checkpoint
    from dynadeep.train.evaluation.reconstruction import Reconstruction, ReconstructionTable

Say = Callable[[str], None]
Samples = npt.NDArray[np.int16]
Distortions = tuple[dict[str, npt.NDArray[np.float64]], dict[str, npt.NDArray[np.float64]]]
"""PRD and PRDN in percent, [N] per level each."""


def shipped() -> dict[str, Path]:
    """Return the checkpoints that the kit ships for MIT-BIH, by name."""
    from dynadeep.train import checkpoint

    paths = sorted(checkpoint.PRETRAINED_FOLDER.glob("*.safetensors"))
    return {path.stem: path for path in paths if checkpoint.load(path).training.dataset == "mitdb"}


def make_table(
    checkpoints: Mapping[str, Path], data: Path | None, work: Path, say: Say
) -> "ReconstructionTable":
    """Measure each checkpoint on the test windows of the split that it was trained on.

    Args:
        checkpoints: name -> reconstruction checkpoint, trained on MIT-BIH.
        data: the folder of the databases; None is $DYNADEEP_DATA. Without MIT-BIH in it nothing is
            measured, and ``say`` is told why.
        work: bundles and builds, kept for the next run.
        say: is told what begins.

    Raises:
        DataError: a record of MIT-BIH is missing or cannot be used.
        CheckpointError: a checkpoint is not one.
        ExportError: one of them has no int8 form.
    """
    from dynadeep.train.data import mitdb
    from dynadeep.train.data.windows import DESCRIPTIONS
    from dynadeep.train.errors import DataError
    from dynadeep.train.evaluation import provenance, reconstruction

    measured: list[Reconstruction] = []
    try:
        mitdb.find_folder(data)
    except DataError as problem:
        say(f"mitdb     reconstruction is not measured: {problem}")
    else:
        for name, path in checkpoints.items():
            say(f"mitdb     {name}")
            measured += measure(name, path, data, work)
    made_from = provenance.provenance(DESCRIPTIONS["mitdb"], reconstruction.SPLITS, checkpoints)
    return reconstruction.ReconstructionTable(measured, made_from)


def measure(name: str, path: Path, data: Path | None, work: Path) -> "list[Reconstruction]":
    """Measure a checkpoint in float and as int8; raises what ``make_table`` does."""
    from dynadeep.train import checkpoint
    from dynadeep.train.data.windows import read_windows
    from dynadeep.train.evaluation.reconstruction import Reconstruction

    loaded = checkpoint.load(path)
    training = loaded.training
    windows = read_windows(training.dataset, data, split=training.split, seed=training.seed)
    bundle = export_once(path, work / f"bundle-{name}")
    by_precision = {
        "float": _in_float(loaded, windows.test),
        "int8": _in_int8(bundle, windows.test, work / name),
    }
    return [
        Reconstruction(
            name, training.split, loaded.input_map.kind, precision, windows.test_names, *distortions
        )
        for precision, distortions in by_precision.items()
    ]


def _in_float(loaded: "Checkpoint", windows: Samples) -> Distortions:
    """Code windows, int16 [N, 2000], in float arithmetic."""
    from dynadeep.train import evaluate

    scores = evaluate.run(loaded.model, windows, loaded.input_map)
    return (
        {level: score.prd for level, score in scores.items()},
        {level: score.prdn for level, score in scores.items()},
    )


def _in_int8(bundle: Bundle, windows: Samples, folder: Path) -> Distortions:
    """Code windows, int16 [N, 2000], with the generated C, and decode its codes."""
    from dynadeep.train import measure

    coded = deployed.encode_segments(bundle, windows, folder)
    decoded = [
        deployed.decode_codes(bundle, number, codes, windows)
        for number, codes in enumerate(coded.codes, 1)
    ]
    prd, prdn = measure.distortions(decoded, windows)
    levels = [level.name.removeprefix("cg") for level in bundle.manifest.levels]
    return dict(zip(levels, prd.T, strict=True)), dict(zip(levels, prdn.T, strict=True))
