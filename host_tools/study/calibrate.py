"""Fit a checkpoint's margins to what the board foresees, not to what float arithmetic does.

Quantisation shifts the heads' predictions by a code or two. A margin that was fitted to the float
ones is then too wide or too narrow by as much, which costs compression or breaks the promise.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dynadeep.codegen.numerics import fixed_error
from dynadeep.host_tools.errors import HostError
from dynadeep.host_tools.study import deployed
from dynadeep.host_tools.study.export import export_once

if TYPE_CHECKING:
    from dynadeep.train.data.cinc2017 import Parts

Say = Callable[[str], None]


def calibrate(
    path: Path, out: Path, work: Path, say: Say, *, data: Path | None, parts: "Parts | None" = None
) -> Path:
    """Write ``path``'s checkpoint to ``out`` with margins fitted through its generated C.

    Args:
        path: a checkpoint with a promise.
        out: .safetensors; may be ``path`` itself.
        work: bundle and build, kept for the next run.
        say: is told what begins.
        data: the folder of CinC 2017; None is $DYNADEEP_DATA.
        parts: of the database; None is the published split, whose hold-out is used.

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
    say("read      CinC 2017")
    split = cinc2017.read_split(cinc2017.find_folder(data), parts=parts or cinc2017.PUBLISHED)
    weighted = [WeightedTask(tasks.load_task(n), w) for n, w in loaded.promise.tasks.items()]
    say("export    to int8")
    bundle = export_once(path, work / "bundle")
    count = len(split.holdout)
    say(
        f"code      {count} held-out records through the generated C: {count // 2} to shape the "
        f"margins, the other {count - count // 2} to prove them"
    )
    adc = cinc2017.cut(split.holdout)
    segments = cinc2017.segments(adc).reshape(-1, cinc2017.SEGMENT_SAMPLES)
    coded = deployed.encode_segments(bundle, segments, work)
    count, samples = adc.shape
    decoded = [
        deployed.decode_codes(bundle, level, codes, segments).reshape(count, -1)[:, :samples]
        for level, codes in enumerate(coded.codes, start=1)
    ]
    predicted = coded.predicted.reshape(count, -1, len(decoded)) / float(fixed_error(1.0))
    say("measure   the tasks on what was decoded")
    lost = promise.losses_of(decoded, split.holdout, weighted, loaded.promise.kind)
    kept = promise.with_margins(loaded.promise, loaded.config.levels, predicted, lost)
    return checkpoint.save_promise(path, kept, out)
