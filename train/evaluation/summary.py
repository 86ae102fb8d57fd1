"""Write everything under `results/`: tables, plots, and `summary.json`, which programs read.

| key of summary.json | holds |
|---|---|
| schema | 2 |
| provenance | data, split, commit, weights_sha256, kit |
| f1_raw, f1_raw_lo, f1_raw_hi | weighted F1 of the rhythm net on the raw records |
| promised | task -> the promise that its checkpoint makes, by which the device decides |
| foresight | level -> correlation of foreseen and true loss on the hold-out (rhythm) |
| levels_prdn | level -> mean PRDN in percent if all goes at it, as the board runs it |
| dct_prdn | level -> the same of a DCT codec that gets as many bytes |
| points | a row per decision x promise x task x precision x bound |
| reconstruction | provenance and rows of PRD and PRDN on MIT-BIH; rows null: no such data |

A row is flat: ``task``, ``precision``, ``promise``, ``bound``, ``decision``, and each figure of
`points.py` as ``name`` with its 95 % interval as ``name_lo`` and ``name_hi``; null where it is not
defined. ``promise`` says which loss the bound is held against, ``decision`` whether one was taken
a record (every bound) or a segment, as a board does.
"""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import (
    decisions,
    gallery,
    index,
    levels,
    plots,
    points,
    rate,
    reconstruction,
    report,
    shares,
    table1,
    tables,
)
from dynadeep.train.evaluation.bootstrap import Interval
from dynadeep.train.evaluation.cost import Codec, Prices
from dynadeep.train.evaluation.gallery import Example
from dynadeep.train.evaluation.outcomes import KINDS, PRECISIONS, RHYTHM, Outcomes
from dynadeep.train.evaluation.points import Case, Point
from dynadeep.train.evaluation.provenance import Provenance
from dynadeep.train.evaluation.reconstruction import ReconstructionTable
from dynadeep.train.evaluation.report import Results
from dynadeep.train.evaluation.table1 import Baselines

SCHEMA = 2


def write_results(
    outcomes: Mapping[str, Outcomes],
    baselines: Baselines,
    provenance: Provenance,
    folder: Path,
    prices: Prices,
    *,
    segment_points: Sequence[Point] = (),
    examples: Sequence[Example] = (),
    reconstructions: ReconstructionTable | None = None,
) -> Path:
    """Write all tables and plots under ``folder`` and return its summary.json.

    ``outcomes`` are of the same records, by precision. The same input gives the same bytes.
    Raises DataError where records, tasks or baselines do not fit together.
    """
    results = collect(outcomes, baselines, segment_points)
    report.write_tables(results, prices, provenance, folder)
    for precision, promise in itertools.product(outcomes, KINDS):
        key = (precision, promise)
        plots.draw_bounds(
            [p for p in results.points if (p.precision, p.promise) == key],
            {
                name: [p for p in curve if (p.precision, p.promise) == key]
                for name, curve in results.oracles.items()
            },
            promise,
            folder / f"bounds-{precision}-{promise}",
            provenance,
        )
    plots.draw_levels(results.levels, folder / "levels", provenance)
    plots.draw_cost(results.codecs, prices, folder / "cost", provenance)
    deployed = outcomes.get("int8", next(iter(outcomes.values())))
    rate.draw_rate(deployed, baselines, folder / "rate-distortion", provenance)
    shares.draw_shares(deployed, folder / "shares", provenance)
    if examples:
        gallery.draw_gallery(examples, table1.BOUND, folder / "gallery", provenance)
        gallery.draw_example(gallery.typical(examples), folder / "decoded", provenance)
    if reconstructions is not None:
        reconstruction.write(reconstructions, folder)
    content = summary(results, provenance, reconstructions)
    written = tables.write_json(folder / "summary.json", content)
    index.write_index(folder, provenance)
    return written


def collect(
    outcomes: Mapping[str, Outcomes], baselines: Baselines, segment_points: Sequence[Point] = ()
) -> Results:
    """Compute every figure. Raises DataError where the input does not fit together."""
    check(outcomes, baselines)
    ordered = [outcomes[name] for name in PRECISIONS if name in outcomes]
    first, last = ordered[0], ordered[-1]
    none = decisions.always(first.records, decisions.NONE)
    raw = points.decided(first, Case(RHYTHM, first.precision, "loss", 0.0), none)
    every: list[tuple[str, PromiseKind, Outcomes]] = [
        (task, promise, o) for task in first.tasks for promise in KINDS for o in ordered
    ]
    return Results(
        f1_raw=raw["f1"],
        points=[
            *(p for task, promise, o in every for p in points.curve(o, task, promise)),
            *segment_points,
        ],
        oracles={
            name: [
                p
                for task, promise, o in every
                for p in points.oracle_curve(o, task, promise, allowed)
            ]
            for name, allowed in table1.oracles(last).items()
        },
        table1={
            (task, promise, o.precision): table1.rows(o, baselines, task, promise)
            for task, promise, o in every
        },
        levels=[level for o in ordered for level in levels.levels(o)],
        codecs=codecs(last, baselines),
        promised={
            name: task.foreseen.promise for name, task in last.tasks.items() if task.foreseen
        },
        foresight=decisions.foreseen(last.task(RHYTHM)).foresight,
        levels_prdn=dict(zip(last.level_names[1:], last.prdn.mean(axis=0), strict=True)),
        dct_prdn={
            level: float(codec.prdn.mean())
            for level, codec in baselines.transforms.get("DCT", {}).items()
        },
    )


def check(outcomes: Mapping[str, Outcomes], baselines: Baselines) -> None:
    """Raise DataError unless all are of the same records and tasks, the rhythm among them."""
    if not outcomes or set(outcomes) - set(PRECISIONS):
        raise DataError(f"expected outcomes of {PRECISIONS}, found {sorted(outcomes)}.")
    first = next(iter(outcomes.values()))
    for precision, measured in outcomes.items():
        if measured.precision != precision:
            raise DataError(f"outcomes given as {precision} are of {measured.precision}.")
        if measured.names != first.names or set(measured.tasks) != set(first.tasks):
            raise DataError(f"{precision}: not of the same records and tasks as the others.")
        measured.task(RHYTHM)
    table1.check(first, baselines)


def codecs(outcomes: Outcomes, baselines: Baselines) -> list[Codec]:
    """Return what the costs compare, Dynamic-Deep at Table I's bound by both accountings."""
    case = Case(RHYTHM, outcomes.precision, "loss", table1.BOUND)  # the gains are of any promise
    chosen = decisions.by_heads(outcomes.task(RHYTHM), table1.BOUND)
    point = points.decided(outcomes, case, chosen)
    deflate = table1.lossless(outcomes, case, baselines.deflate_bytes)["byte_cg"]
    gains = [
        ("raw", Interval(1.0, 1.0, 1.0), False),
        (table1.DEFLATE, deflate, False),
        ("Dynamic-Deep, byte CG (measured)", point["byte_cg"], True),
        ("Dynamic-Deep, mean CG (published)", point["mean_cg"], True),
    ]
    return [Codec(name, g.value, g.low, g.high, decoded) for name, g, decoded in gains]


def summary(
    results: Results, provenance: Provenance, reconstructions: ReconstructionTable | None = None
) -> dict[str, object]:
    """Return the content of summary.json."""
    raw = results.f1_raw
    return {
        "schema": SCHEMA,
        "provenance": provenance.block(),
        "f1_raw": raw.value,
        "f1_raw_lo": raw.low,
        "f1_raw_hi": raw.high,
        "promised": dict(results.promised),
        "foresight": dict(results.foresight),
        "levels_prdn": dict(results.levels_prdn),
        "dct_prdn": dict(results.dct_prdn),
        "points": [p.row() for p in results.points],
        "reconstruction": None if reconstructions is None else reconstructions.content(),
    }
