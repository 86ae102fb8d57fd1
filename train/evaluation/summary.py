"""Write everything under `results/`: tables, plots, and `summary.json`, which programs read.

| key of summary.json | holds |
|---|---|
| schema | 1 |
| provenance | data, split, commit, weights_sha256, kit |
| f1_raw, f1_raw_lo, f1_raw_hi | weighted F1 of the rhythm net on the raw records |
| points | a row per task x precision x bound, one decision a record |
| segment_points | the same, one decision a segment |
| reconstruction | provenance and rows of PRD and PRDN on MIT-BIH; rows null: no such data |

A row is flat: ``task``, ``precision``, ``unit``, ``bound``, and each figure of `points.py` as
``name`` with its 95 % interval as ``name_lo`` and ``name_hi``; null where it is not defined.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import (
    decisions,
    levels,
    plots,
    points,
    reconstruction,
    report,
    table1,
    tables,
)
from dynadeep.train.evaluation.bootstrap import Interval
from dynadeep.train.evaluation.cost import Codec, Prices
from dynadeep.train.evaluation.outcomes import PRECISIONS, RHYTHM, Outcomes
from dynadeep.train.evaluation.points import Point
from dynadeep.train.evaluation.provenance import Provenance
from dynadeep.train.evaluation.reconstruction import ReconstructionTable
from dynadeep.train.evaluation.report import Results
from dynadeep.train.evaluation.table1 import Baselines

SCHEMA = 1


def write_results(
    outcomes: Mapping[str, Outcomes],
    baselines: Baselines,
    provenance: Provenance,
    folder: Path,
    prices: Prices,
    *,
    segment_points: Sequence[Point] = (),
    reconstructions: ReconstructionTable | None = None,
) -> Path:
    """Write all tables and plots under ``folder`` and return its summary.json.

    ``outcomes`` are of the same records, by precision. The same input gives the same bytes.
    Raises DataError where records, tasks or baselines do not fit together.
    """
    results = collect(outcomes, baselines, segment_points)
    report.write_tables(results, prices, provenance, folder)
    for precision in outcomes:
        plots.draw_bounds(
            [p for p in results.points if p.precision == precision],
            [p for p in results.segment_points if p.precision == precision],
            {
                name: [p for p in found if p.precision == precision]
                for name, found in results.oracles.items()
            },
            folder / f"bounds-{precision}",
            provenance,
        )
    plots.draw_levels(results.levels, folder / "levels", provenance)
    plots.draw_cost(results.codecs, prices, folder / "cost", provenance)
    if reconstructions is not None:
        reconstruction.write(reconstructions, folder)
    content = summary(results, provenance, reconstructions)
    return tables.write_json(folder / "summary.json", content)


def collect(
    outcomes: Mapping[str, Outcomes], baselines: Baselines, segment_points: Sequence[Point] = ()
) -> Results:
    """Compute every figure. Raises DataError where the input does not fit together."""
    check(outcomes, baselines)
    ordered = [outcomes[name] for name in PRECISIONS if name in outcomes]
    first, last = ordered[0], ordered[-1]
    raw = points.decided(first, RHYTHM, 0.0, decisions.always(first.records, decisions.NONE))
    tasks = list(first.tasks)
    return Results(
        f1_raw=raw["f1"],
        points=[p for task in tasks for o in ordered for p in points.curve(o, task)],
        segment_points=list(segment_points),
        oracles={
            name: [
                p for task in tasks for o in ordered for p in points.oracle_curve(o, task, allowed)
            ]
            for name, allowed in table1.ORACLES.items()
        },
        table1={
            task: {o.precision: table1.rows(o, baselines, task) for o in ordered} for task in tasks
        },
        levels=[level for o in ordered for level in levels.levels(o)],
        codecs=codecs(last, baselines),
    )


def check(outcomes: Mapping[str, Outcomes], baselines: Baselines) -> None:
    """Raise DataError unless all are of the same records and tasks, the rhythm among them."""
    if not outcomes or set(outcomes) - set(PRECISIONS):
        raise DataError(f"expected outcomes of {PRECISIONS}, found {sorted(outcomes)}.")
    first = next(iter(outcomes.values()))
    for precision, found in outcomes.items():
        if found.precision != precision:
            raise DataError(f"outcomes given as {precision} are of {found.precision}.")
        if found.names != first.names or set(found.tasks) != set(first.tasks):
            raise DataError(f"{precision}: not of the same records and tasks as the others.")
        found.task(RHYTHM)
    table1.check(first, baselines)


def codecs(outcomes: Outcomes, baselines: Baselines) -> list[Codec]:
    """Return what the costs compare, Dynamic-Deep at Table I's bound by both accountings."""
    measured = outcomes.task(RHYTHM)
    levels_sent = decisions.by_heads(measured, table1.BOUND)
    point = points.decided(outcomes, RHYTHM, table1.BOUND, levels_sent)
    packed = table1.lossless(outcomes, RHYTHM, baselines.deflate_bytes)
    deflate = points.point(packed, RHYTHM, outcomes.precision, table1.BOUND)["byte_cg"]
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
        "points": [p.row() for p in results.points],
        "segment_points": [p.row() for p in results.segment_points],
        "reconstruction": None if reconstructions is None else reconstructions.content(),
    }
