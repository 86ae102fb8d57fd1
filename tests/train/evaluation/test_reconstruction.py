import json
from pathlib import Path

import numpy as np
import pytest

from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import bootstrap, reconstruction
from dynadeep.train.evaluation.provenance import Provenance
from dynadeep.train.evaluation.reconstruction import Reconstruction, ReconstructionTable

MADE_FROM = Provenance("MIT-BIH", "own", "c0ffee" * 6, {"mitdb-minmax": "ab" * 32}, "0.1.0")
PRD = np.array([2.0, 4.0, 9.0])


def measured(split: str = "published", input_map: str = "minmax") -> Reconstruction:
    return Reconstruction(
        checkpoint="mitdb-minmax",
        split=split,
        input_map=input_map,
        precision="float",
        records=("100", "100", "101"),
        prd={"32": PRD, "64": 2 * PRD},
        prdn={"32": 3 * PRD, "64": 6 * PRD},
    )


def test_a_figure_is_the_mean_over_windows_within_its_interval() -> None:
    row = reconstruction.rows([measured()])[0]
    assert (row["windows"], row["records"], row["prd"], row["prdn"]) == (3, 2, 5.0, 15.0)


def test_intervals_draw_whole_records() -> None:
    interval = bootstrap.mean_by_record(PRD, ("100", "100", "101"))
    assert (interval.low, interval.value, interval.high) == (3.0, 5.0, 9.0)


def test_one_record_alone_has_no_spread() -> None:
    interval = bootstrap.mean_by_record(PRD, ("100",) * 3)
    assert (interval.low, interval.value, interval.high) == (5.0, 5.0, 5.0)


@pytest.mark.parametrize(
    ("split", "input_map", "expected"),
    [
        ("published", "minmax", [5.92, 7.41]),
        ("published", "affine", [None, None]),
        ("patient", "minmax", [None, None]),
    ],
)
def test_published_figures_stand_beside_what_they_compare_with(
    split: str, input_map: str, expected: list[float | None]
) -> None:
    rows = reconstruction.rows([measured(split, input_map)])
    assert [row["published_prd"] for row in rows] == expected


def test_both_files_have_the_figures_and_what_they_were_made_from(tmp_path: Path) -> None:
    path = reconstruction.write(ReconstructionTable([measured()], MADE_FROM), tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    assert content["provenance"] == MADE_FROM.block()
    assert [(row["level"], row["prd"]) for row in content["rows"]] == [("32", 5.0), ("64", 10.0)]
    assert "| 32 | 3 | 2 | 5.00 [3.00, 9.00] | 15.00 [9.00, 27.00] | 5.92 |" in text
    assert MADE_FROM.line() in text


def test_figures_of_an_earlier_run_do_not_stay_where_the_database_is_gone(tmp_path: Path) -> None:
    reconstruction.write(ReconstructionTable([measured()], MADE_FROM), tmp_path)
    path = reconstruction.write(ReconstructionTable([], MADE_FROM), tmp_path)
    assert json.loads(path.read_text(encoding="utf-8"))["rows"] is None
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    assert reconstruction.NOT_MEASURED in text
    assert "5.92" not in text


def test_levels_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match=r"prdn of level 64 is \[2\], there are 1 windows"):
        Reconstruction("c", "own", "affine", "int8", ("100",), {"32": PRD[:1]}, {"64": PRD[:2]})


def test_nothing_measured_is_refused() -> None:
    with pytest.raises(DataError, match="expected at least 1 window, found 0"):
        Reconstruction("c", "own", "affine", "int8", (), {}, {})
