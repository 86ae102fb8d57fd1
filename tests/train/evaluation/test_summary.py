import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import cost, points, provenance, summary
from dynadeep.train.evaluation.gallery import Example
from dynadeep.train.evaluation.outcomes import KINDS, RHYTHM, RPEAKS, TASKS, Outcomes
from dynadeep.train.evaluation.provenance import Provenance
from dynadeep.train.evaluation.table1 import Baselines

MADE_FROM = Provenance("four records", "tiny", "c0ffee" * 6, {"compressor": "ab" * 32}, "0.1.0")
BASELINES = Baselines(np.array([400, 500, 250, 500]))
TABLES = ("table1", "table2", "points", "levels", "cost")
BOUNDS = tuple(f"bounds-int8-{kind}" for kind in KINDS)
PLOTS = (*BOUNDS, "levels", "cost", "rate-distortion", "shares", "gallery", "decoded")


def write(outcomes: Outcomes, folder: Path) -> Path:
    raw = np.arange(2000, dtype=np.int16) % 300
    decoded = {level: raw.astype(np.float32) for level in ("32", "64")}
    prdn, sizes = {"32": 1.0, "64": 2.0}, {"32": 78, "64": 47}
    example = Example("A00001", 1, raw, decoded, prdn, sizes, "64")
    prices = cost.read_prices()
    return summary.write_results(
        {"int8": outcomes}, BASELINES, MADE_FROM, folder, prices, examples=[example]
    )


@pytest.fixture(scope="session")
def written(outcomes: Outcomes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of everything that is written."""
    return write(outcomes, tmp_path_factory.mktemp("written")).parent


def test_everything_is_written_and_says_what_it_was_made_from(written: Path) -> None:
    content = json.loads((written / "summary.json").read_text(encoding="utf-8"))
    assert content["provenance"] == MADE_FROM.block()
    for name in TABLES:
        table = json.loads((written / f"{name}.json").read_text(encoding="utf-8"))
        assert table["provenance"] == MADE_FROM.block()
        assert MADE_FROM.line() in (written / f"{name}.md").read_text(encoding="utf-8")
    assert content["reconstruction"] is None
    for name in PLOTS:
        for kind in ("svg", "png"):
            assert b"c0ffee" in (written / f"{name}.{kind}").read_bytes()


def test_a_page_leads_to_everything_that_was_written(written: Path) -> None:
    page = (written / "README.md").read_text(encoding="utf-8")
    assert MADE_FROM.line() in page
    linked = set(re.findall(r"\]\(([^)/]+)\)", page))
    left_out = {"README.md", *(path.name for path in written.glob("*.png"))}
    tables = {path.with_suffix(".json").name for path in written.glob("*.md")}
    assert linked == {path.name for path in written.iterdir()} - left_out - tables


def test_same_outcomes_give_the_same_bytes(
    outcomes: Outcomes, written: Path, tmp_path: Path
) -> None:
    write(outcomes, tmp_path)
    for path in sorted(written.iterdir()):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_the_summary_has_a_row_per_promise_task_precision_and_bound(
    outcomes: Outcomes, cae32: Outcomes
) -> None:
    both = {"float": replace(outcomes, precision="float"), "int8": outcomes}
    baselines = replace(BASELINES, transforms={"DCT": {"32": cae32}})
    content = summary.summary(summary.collect(both, baselines), MADE_FROM)
    assert content["f1_raw"] == 1.0
    rows = content["points"]
    assert isinstance(rows, list)
    names = ("promise", "task", "precision", "bound", "decision")
    keys = [tuple(row[name] for name in names) for row in rows]
    assert set(keys) == {
        (k, t, p, b, "record") for k in KINDS for t in TASKS for p in both for b in points.BOUNDS
    }
    assert len(keys) == len(set(keys))
    for row in rows:
        for name in ("f1", "mean_cg", "byte_cg", "violations", "effective_loss"):
            assert row[f"{name}_lo"] <= row[name] <= row[f"{name}_hi"]


def test_the_summary_says_what_each_level_costs_and_what_the_heads_foresee(
    outcomes: Outcomes, cae32: Outcomes
) -> None:
    baselines = replace(BASELINES, transforms={"DCT": {"32": cae32}})
    content = summary.summary(summary.collect({"int8": outcomes}, baselines), MADE_FROM)
    assert content["levels_prdn"] == {"32": 5.0, "64": 10.0}
    assert content["dct_prdn"] == {"32": 5.0}
    assert content["foresight"] == {"32": 0.5, "64": 0.6}
    assert content["promised"] == dict.fromkeys(TASKS, "added")


def test_outcomes_of_other_records_are_refused(outcomes: Outcomes) -> None:
    other = replace(outcomes, precision="float", names=("a", "b", "c", "d"))
    with pytest.raises(DataError, match="not of the same records"):
        summary.check({"int8": outcomes, "float": other}, BASELINES)


def test_outcomes_under_the_wrong_precision_are_refused(outcomes: Outcomes) -> None:
    with pytest.raises(DataError, match="given as float are of int8"):
        summary.check({"float": outcomes}, BASELINES)


def test_outcomes_without_the_rhythm_are_refused(outcomes: Outcomes) -> None:
    peaks = replace(outcomes, tasks={RPEAKS: outcomes.tasks[RPEAKS]})
    with pytest.raises(DataError, match=f"'{RHYTHM}' was not measured"):
        summary.check({"int8": peaks}, BASELINES)


def test_no_outcomes_are_refused() -> None:
    with pytest.raises(DataError, match="found"):
        summary.check({}, BASELINES)


def test_weights_are_named_by_their_hash(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.write_bytes(b"abc")
    origin = provenance.provenance("data", "split", {"net": weights}, commit="1234")
    assert origin.weights["net"].startswith("ba7816bf")
    assert origin.commit == "1234"


def test_outside_a_repository_the_commit_is_unknown(tmp_path: Path) -> None:
    assert provenance.current_commit(tmp_path) == "unknown"
