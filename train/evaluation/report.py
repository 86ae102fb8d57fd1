"""Write what was computed as tables, each as Markdown to read and as JSON to use."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from dynadeep.train.checkpoint import PromiseKind
from dynadeep.train.evaluation import cost, levels, published, table1, table2, tables
from dynadeep.train.evaluation.bootstrap import Interval
from dynadeep.train.evaluation.cost import Codec, Prices
from dynadeep.train.evaluation.points import Decision, Point
from dynadeep.train.evaluation.provenance import Provenance

FETCH_PERCENT = (0, 1, 5, 10, 25, 50, 75, 100)
_FIGURES = ("mean_cg", "byte_cg", "prd", "prdn", "f1", "f1_rpeaks")
_KEPT = ("violations", "effective_loss", "excess")
_QUARTILES = ("q1", "median", "q3", "mean")
_ENDS = ("_lo", "_hi")
_INTERVALS = "In brackets: 95 % bootstrap intervals over records."
_CAPTION = (
    f"{_INTERVALS} Mean CG (published) is the mean of the "
    "records' ratios; byte CG is all bytes in over all bytes on the wire. Violations: compressed "
    "and true loss over the bound, of all records; the true loss is the one that the promise is "
    "about. Effective loss counts a raw record as 0; excess is over the raw record's own loss, "
    "among the compressed, as are PRD and PRDN."
)
_PROMISES = {
    "loss": "loss: the task's own, as published",
    "added": "added: what compression adds to it",
}


@dataclass(frozen=True)
class Results:
    """Everything that is computed; what is written are views of it."""

    f1_raw: Interval
    points: list[Point]  # by the heads, one decision a record or a segment
    oracles: dict[str, list[Point]]
    table1: dict[tuple[str, PromiseKind, str], list[table1.Row]]  # task, promise, precision
    levels: list[levels.Level]
    codecs: list[Codec]
    promised: Mapping[str, PromiseKind]  # what each task's checkpoint promises
    foresight: Mapping[str, float]  # of the rhythm's heads by level, on the hold-out
    levels_prdn: Mapping[str, float]  # by level, percent
    dct_prdn: Mapping[str, float]  # of the DCT at a level's bytes, percent


def write_tables(results: Results, prices: Prices, provenance: Provenance, folder: Path) -> None:
    """Write Tables I and II, every bound, every level and the costs under ``folder``."""
    _write_table1(results, provenance, folder)
    _write_table2(provenance, folder)
    _write_points(results, provenance, folder)
    _write_levels(results, provenance, folder)
    _write_costs(results, prices, provenance, folder)


def _write_table1(results: Results, provenance: Provenance, folder: Path) -> None:
    """Write Table I of every task and precision."""
    by_case = {
        case: [{"name": row.name, **row.point.row()} for row in rows]
        for case, rows in results.table1.items()
    }
    columns = ("name", "bound", *_FIGURES, *_KEPT)
    raw = results.f1_raw
    decided = ", ".join(f"{task}: {promise}" for task, promise in results.promised.items())
    parts = [
        _CAPTION,
        f"F1 of the rhythm net on raw records: {raw.value:.3f} [{raw.low:.3f}, {raw.high:.3f}].",
        f"The device decides by its checkpoint's own promise ({decided}); the other one's figures "
        "say what that costs. DCT and wavelet get the bytes that a level's codes take.",
    ]
    for (task, promise, precision), rows in by_case.items():
        parts += [
            f"## {task}, {precision}, {_PROMISES[promise]}",
            tables.markdown(rows, columns),
        ]
    printed = [_published_row(row) for row in published.TABLE1]
    parts += ["## As published", tables.markdown(printed, list(printed[0]))]
    tables.write_markdown(folder / "table1.md", "Table I", parts, provenance)
    content = {
        "provenance": provenance.block(),
        "rows": [row for rows in by_case.values() for row in rows],
        "published": printed,
    }
    tables.write_json(folder / "table1.json", content)


def _published_row(row: published.Published) -> dict[str, object]:
    """Return a row of the paper's own Table I."""
    return {
        "name": row.name,
        "mean_cg": row.mean_cg,
        "f1": row.f1,
        "error %": row.error_percent,
        "violations": row.violations,
    }


def _write_table2(provenance: Provenance, folder: Path) -> None:
    """Write Table II."""
    rows = table2.rows()
    parts = [
        "Parameters include batch normalisation, as published; int8 bytes are as deployed: weights "
        "in int8, biases in int32, normalisation folded into both.",
        tables.markdown(rows, list(rows[0])),
    ]
    tables.write_markdown(folder / "table2.md", "Table II: encoders", parts, provenance)
    content = {"provenance": provenance.block(), "rows": rows}
    tables.write_json(folder / "table2.json", content)


def _write_points(results: Results, provenance: Provenance, folder: Path) -> None:
    """Write the points of every way to decide: heads by record, by segment, and the oracles.

    To read there are those of the last precision, which is the board's; JSON has all.
    """
    ways: dict[str, list[Point]] = {
        **{
            f"Dynamic-Deep, one decision a {unit}": [
                p for p in results.points if p.decision == unit
            ]
            for unit in get_args(Decision)
        },
        **{f"oracle {name}": points for name, points in results.oracles.items()},
    }
    parts, content = [_CAPTION], {}
    for way, points in ways.items():
        content[way] = [p.row() for p in points]
        for (task, precision, promise), rows in _grouped(points):
            if precision != results.points[-1].precision:
                continue
            shares = [n for n in rows[0] if n.startswith(tables.SHARE) and n[-3:] not in _ENDS]
            columns = ("bound", *_FIGURES, *_KEPT, *shares)
            heading = f"## {way}: {task}, {precision}, {_PROMISES[promise]}"
            parts += [heading, tables.markdown(rows, columns)]
    tables.write_markdown(folder / "points.md", "Every bound", parts, provenance)
    blocks = {"provenance": provenance.block(), "points": content}
    tables.write_json(folder / "points.json", blocks)


def _grouped(
    points: Sequence[Point],
) -> Iterator[tuple[tuple[str, str, PromiseKind], list[dict[str, str | float]]]]:
    """Yield the rows of each task, precision and promise, in the order they come."""
    keys: list[tuple[str, str, PromiseKind]] = [(p.task, p.precision, p.promise) for p in points]
    for key in dict.fromkeys(keys):
        yield key, [p.row() for p in points if (p.task, p.precision, p.promise) == key]


def _write_levels(results: Results, provenance: Provenance, folder: Path) -> None:
    """Write the quartiles of each level's loss."""
    rows = [_level_row(level) for level in results.levels]
    printed = [
        {"level": name, **dict(zip(_QUARTILES, values, strict=True))}
        for name, values in published.QUARTILES.items()
    ]
    parts = [
        f"Task loss per record if every record were sent at one level. {_INTERVALS}",
        tables.markdown(
            rows, ("task", "precision", "promise", "level", *_QUARTILES, "prd", "prdn")
        ),
        f"## As published: rhythm, {published.DIGITISED}",
        tables.markdown(printed, ("level", *_QUARTILES)),
    ]
    tables.write_markdown(folder / "levels.md", "The loss of each level", parts, provenance)
    tables.write_json(folder / "levels.json", {"provenance": provenance.block(), "rows": rows})


def _level_row(level: levels.Level) -> dict[str, object]:
    """Return a level as a flat row."""
    row: dict[str, object] = {
        "task": level.task,
        "precision": level.precision,
        "promise": level.promise,
        "level": level.level,
    }
    for name, figure in level.figures.items():
        row |= {name: figure.value, f"{name}_lo": figure.low, f"{name}_hi": figure.high}
    return row


def _write_costs(results: Results, prices: Prices, provenance: Provenance, folder: Path) -> None:
    """Write the yearly costs."""
    rows = list(_cost_rows(results.codecs, prices))
    parts = [
        f"{prices.beds:g} beds, {prices.raw_gb:.0f} GB of samples a year. Prices: {prices.source}. "
        "On arrival: all is decoded once for a reading by machine, on vCPUs rented all year. "
        "On fetch: only the fetched share x is decoded. Both archive what was sent. Brackets: from "
        "the 95 % interval of the gain. Published: lossless -63 %, Dynamic-Deep -97 %.",
        tables.markdown(rows, ("model", "codec", "x %", "usd", "saved %")),
    ]
    tables.write_markdown(folder / "cost.md", "Cost of a year", parts, provenance)
    content = {"provenance": provenance.block(), "prices": vars(prices), "rows": rows}
    tables.write_json(folder / "cost.json", content)


def _cost_rows(codecs: Sequence[Codec], prices: Prices) -> Iterator[dict[str, object]]:
    """Yield a row per model, codec and fetched share."""
    for model in cost.MODELS:
        for codec in codecs:
            for percent in FETCH_PERCENT:
                share = percent / 100
                usd, low, high = (
                    cost.yearly(prices, model, gain, share, decoded=codec.decoded)
                    for gain in (codec.gain, codec.gain_high, codec.gain_low)
                )
                raw = cost.yearly(prices, model, 1.0, share, decoded=False)
                saved = 100 * (1 - usd / raw) if raw else 0.0
                yield {
                    "model": model,
                    "codec": codec.name,
                    "x %": percent,
                    "usd": usd,
                    "usd_lo": low,
                    "usd_hi": high,
                    "saved %": round(saved, 1),
                }
