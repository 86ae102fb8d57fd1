"""Fit a checkpoint's margins to what the board foresees, not to what float arithmetic does.

Quantisation shifts the heads' predictions by a code or two. A margin that was fitted to the float
ones is then too wide or too narrow by as much, which costs compression or breaks the promise.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.numerics import fixed_error
from dynadeep.host_tools.errors import HostError
from dynadeep.host_tools.study import deployed
from dynadeep.host_tools.study.export import export_once

if TYPE_CHECKING:
    from dynadeep.train.checkpoint import PromiseKind
    from dynadeep.train.data.cinc2017 import Parts, Record
    from dynadeep.train.finetune import WeightedTask
    from dynadeep.train.promise import Foreseen

Say = Callable[[str], None]


def calibrate(
    path: Path,
    out: Path,
    work: Path,
    say: Say,
    *,
    data: Path | None,
    rate: float | None = None,
    parts: "Parts | None" = None,
) -> Path:
    """Write ``path``'s checkpoint to ``out`` with margins fitted through its generated C.

    Args:
        path: a checkpoint with a promise.
        out: .safetensors; may be ``path`` itself.
        work: bundle and build, kept for the next run.
        say: is told what begins.
        data: the folder of CinC 2017; None is $DYNADEEP_DATA.
        rate: the share of records that may break the promise; None is the checkpoint's own.
        parts: of the database; None is the published split.

    Raises:
        HostError: the checkpoint promises nothing.
        DynadeepError: data or checkpoint is missing or cannot be used.
    """
    from dynadeep.train import checkpoint, promise, tasks
    from dynadeep.train.data import cinc2017
    from dynadeep.train.finetune import WeightedTask

    loaded = checkpoint.load(path)
    if loaded.promise is None:
        raise HostError(f"{path}: promises nothing, so it has no margins. Train it with --task.")
    promised = loaded.promise if rate is None else replace(loaded.promise, violation_rate=rate)
    say("read      CinC 2017")
    split = cinc2017.read_split(cinc2017.find_folder(data), parts=parts or cinc2017.PUBLISHED)
    weighted = [WeightedTask(tasks.load_task(n), w) for n, w in promised.tasks.items()]
    say("export    to int8")
    bundle = export_once(path, work / "bundle")
    sides = (split.watched, split.holdout)
    say(
        f"code      {len(sides[0])} training records to shape the margins, and {len(sides[1])} "
        "held-out ones to prove them, through the generated C"
    )
    shaping, proving = (_foreseen(bundle, side, weighted, promised.kind, work) for side in sides)
    fitted = promise.with_margins(promised, loaded.config.levels, shaping, proving)
    return checkpoint.save_promise(path, fitted, out)


def _foreseen(
    bundle: Bundle,
    records: "Sequence[Record]",
    tasks: "Sequence[WeightedTask]",
    kind: "PromiseKind",
    work: Path,
) -> "Foreseen":
    """Return what the board foresees of records, and what the tasks lose by its codes."""
    from dynadeep.train.data import cinc2017
    from dynadeep.train.promise import Foreseen, losses_of

    adc = cinc2017.cut(records)
    segments = cinc2017.segments(adc).reshape(-1, cinc2017.SEGMENT_SAMPLES)
    coded = deployed.encode_segments(bundle, segments, work)
    count, samples = adc.shape
    decoded = [
        deployed.decode_codes(bundle, level, codes, segments).reshape(count, -1)[:, :samples]
        for level, codes in enumerate(coded.codes, start=1)
    ]
    predicted = coded.predicted.reshape(count, -1, len(decoded)) / float(fixed_error(1.0))
    return Foreseen(predicted, losses_of(decoded, records, tasks, kind))
