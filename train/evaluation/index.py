"""The page that leads to everything under `results/`, with the pictures on it."""

from pathlib import Path

from dynadeep.train.evaluation import tables
from dynadeep.train.evaluation.provenance import Provenance

# File of a plot or table: what it shows. Those that were not made are left out.
PICTURES = {
    "decoded.svg": "Raw ECG over what is decoded of it, at every level",
    "rate-distortion.svg": "Distortion and both tasks against the bytes of a segment",
    "shares.svg": "Which share of the segments goes at which level, against the bound",
    "bounds-int8-added.svg": "Figures against the bound on what compression adds, as a board runs",
    "gallery.svg": "Eight records: of each class those at the quartiles of PRDN at the strongest "
    "level. Framed: what the device chose",
    "levels.svg": "The task's own loss if every record went at one level",
    "cost.svg": "What a year of ECG costs",
}
TABLES = {
    "table1.md": "every way to compress at one bound, for both promises",
    "points.md": "the same figures at every bound",
    "levels.md": "the loss of each level",
    "reconstruction.md": "PRD and PRDN of reconstruction alone, on MIT-BIH",
    "table2.md": "sizes of the encoders",
    "cost.md": "the costs",
    "bounds-int8-loss.svg": "figures against the bound on the task's own loss, as published",
    "bounds-float-added.svg": "the same in float arithmetic, for what compression adds",
    "bounds-float-loss.svg": "and for the task's own loss",
    "summary.json": "all points, for programs",
}


def write_index(folder: Path, provenance: Provenance) -> Path:
    """Write README.md under ``folder``, which names what is there; return its path."""
    there = {path.name for path in folder.iterdir()}
    listed = [f"- [{name}]({name}): {text}" for name, text in TABLES.items() if name in there]
    shown = [f"## {text}\n![{text}]({name})" for name, text in PICTURES.items() if name in there]
    parts = [
        "Made by `dynadeep results` ([how](../docs/training.md#results)). Every table is there as "
        "Markdown and as JSON, every plot as SVG and as PNG.",
        "\n".join(listed),
        *shown,
    ]
    return tables.write_markdown(folder / "README.md", "Results", parts, provenance)
