"""PRD and PRDN of reconstruction alone, on MIT-BIH: by checkpoint, level and precision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import bootstrap, published, tables
from dynadeep.train.evaluation.outcomes import PRECISIONS, Floats
from dynadeep.train.evaluation.provenance import Provenance

SPLITS = "each checkpoint's own: patient is DS2, published one window in five of all records"
NOT_MEASURED = (
    "Not measured: the MIT-BIH Arrhythmia Database was not there. Put it into the data folder as "
    "mitdb/, or fetch it with `dynadeep train --download`, and run `dynadeep results` again."
)
_CAPTION = (
    "Means over the test windows of the split that a checkpoint was trained on, every window "
    "compressed; PRD with both signals on the scale where the window is [0, 1]. int8 is the "
    "generated C. In brackets: 95 % bootstrap intervals over records. The published split has the "
    "same patients on both sides, so it flatters; published figures are for it with minmax alone."
)
_COLUMNS = (
    "checkpoint",
    "split",
    "input map",  # input_map in JSON
    "precision",
    "level",
    "windows",
    "records",
    "prd",
    "prdn",
    "published_prd",
)


@dataclass(frozen=True)
class Reconstruction:
    """One checkpoint at one precision on N windows: PRD and PRDN in percent, [N] per level.

    ``records`` names the record that each window is from. Raises DataError where nothing was
    measured, or something has another length.
    """

    checkpoint: str
    split: str
    input_map: str
    precision: str
    records: tuple[str, ...]
    prd: Mapping[str, Floats]
    prdn: Mapping[str, Floats]

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise DataError(f"precision is {self.precision!r}, not one of {PRECISIONS}.")
        if not self.records:
            raise DataError(f"{self.checkpoint}: expected at least 1 window, found 0.")
        count = len(self.records)
        for name, by_level in (("prd", self.prd), ("prdn", self.prdn)):
            for level, values in by_level.items():
                if values.shape != (count,):
                    raise DataError(
                        f"{self.checkpoint}: {name} of level {level} is {list(values.shape)}, "
                        f"there are {count} windows. Measure each of them once."
                    )


@dataclass(frozen=True)
class ReconstructionTable:
    """What was measured, and of what; nothing where the database was not there."""

    measured: Sequence[Reconstruction]
    provenance: Provenance

    def content(self) -> dict[str, object]:
        """Return it for a JSON file; ``rows`` is null where nothing was measured."""
        return {"provenance": self.provenance.block(), "rows": rows(self.measured) or None}


def rows(measured: Sequence[Reconstruction]) -> list[dict[str, object]]:
    """Return a flat row per checkpoint, precision and level, figures as those of ``points``."""
    return [_row(result, level) for result in measured for level in result.prd]


def _row(result: Reconstruction, level: str) -> dict[str, object]:
    """Return the figures of one level."""
    row: dict[str, object] = {
        "checkpoint": result.checkpoint,
        "split": result.split,
        "input_map": result.input_map,
        "precision": result.precision,
        "level": level,
        "windows": len(result.records),
        "records": len(set(result.records)),
    }
    for name, values in (("prd", result.prd[level]), ("prdn", result.prdn[level])):
        figure = bootstrap.mean_by_record(values, result.records)
        row |= {name: figure.value, f"{name}_lo": figure.low, f"{name}_hi": figure.high}
    comparable = (result.split, result.input_map) == ("published", "minmax")
    row["published_prd"] = published.RECONSTRUCTION.get(level) if comparable else None
    return row


def write(table: ReconstructionTable, folder: Path) -> Path:
    """Write reconstruction.md and .json under ``folder``; return the latter.

    Where nothing was measured both say so, in place of figures of an earlier run.
    """
    flat_rows = rows(table.measured)
    shown = [{**row, "input map": row["input_map"]} for row in flat_rows]
    parts = [_CAPTION, tables.markdown(shown, _COLUMNS)] if flat_rows else [NOT_MEASURED]
    title = "Reconstruction on MIT-BIH"
    tables.write_markdown(folder / "reconstruction.md", title, parts, table.provenance)
    return tables.write_json(folder / "reconstruction.json", table.content())
