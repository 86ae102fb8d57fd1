from dataclasses import replace

import numpy as np
import pytest

from dynadeep.train.errors import DataError
from dynadeep.train.evaluation import table1
from dynadeep.train.evaluation.outcomes import RHYTHM, RPEAKS, Outcomes
from dynadeep.train.evaluation.table1 import Baselines

DEFLATED = np.array([400, 500, 250, 500])


@pytest.fixture
def rows(outcomes: Outcomes, cae32: Outcomes) -> dict[str, table1.Row]:
    baselines = Baselines(DEFLATED, {"CAE32": cae32}, {"DCT": {"32": cae32}})
    return {row.name: row for row in table1.rows(outcomes, baselines, RHYTHM, "loss")}


def test_every_way_to_compress_has_a_row(rows: dict[str, table1.Row]) -> None:
    assert list(rows) == [
        "DEFLATE (LZ77)",
        'level "none" for all',
        "CAE32",
        "DCT, 62 bytes",
        "level 32 for all",
        "level 64 for all",
        "Dynamic-Deep {64, 1}",
        "Dynamic-Deep",
        "Dynamic-Deep at mean CG 52.2",
        "oracle {64, 32, 1}",
        "oracle {64, 1}",
        "oracle {32, 1}",
    ]


def test_oracles_may_take_all_levels_and_the_published_ones_by_name(outcomes: Outcomes) -> None:
    columns = [0, 1, 1, 1, 2]  # as many levels as codes: what they hold does not matter here
    tasks = {
        name: replace(
            task,
            loss=task.loss[:, [0, 0, 0, 1]],
            added=task.added[:, [0, 0, 0, 1]],
            foreseen=None,
            probabilities=None if task.probabilities is None else task.probabilities[:, columns],
            peaks=None if task.peaks is None else task.peaks[:, columns],
        )
        for name, task in outcomes.tasks.items()
    }
    four = replace(
        outcomes,
        codes=(250, 125, 62, 31),
        wire_bytes=np.array([[500, 250, 125, 50, 25]] * 4),
        prd=outcomes.prd[:, [0, 0, 0, 1]],
        prdn=outcomes.prdn[:, [0, 0, 0, 1]],
        tasks=tasks,
    )
    assert table1.oracles(four) == {
        "{64, 32, 16, 8, 1}": (1, 2, 3, 4),
        "{64, 32, 1}": (3, 4),
        "{64, 1}": (4,),
        "{32, 1}": (3,),
    }


def test_both_promises_count_the_same_decisions(outcomes: Outcomes) -> None:
    own, added = (
        {row.name: row.point for row in table1.rows(outcomes, Baselines(DEFLATED), RHYTHM, promise)}
        for promise in ("loss", "added")
    )
    for figure in ("mean_cg", "byte_cg", "f1", "prdn"):
        assert own["Dynamic-Deep"][figure] == added["Dynamic-Deep"][figure]
    # At 64 the own losses are 0.2, 0.9, 1.0, 0.7; what is added 0.6, 0.2, 0.7, 0.4.
    assert own["level 64 for all"]["violations"].value == 0.5
    assert added["level 64 for all"]["violations"].value == 0.0


def test_a_lossless_gain_is_given_by_both_accountings(rows: dict[str, table1.Row]) -> None:
    point = rows["DEFLATE (LZ77)"].point
    assert point["mean_cg"].value == pytest.approx((2.5 + 2 + 4 + 2) / 4)
    assert point["byte_cg"].value == pytest.approx(4000 / 1650)
    assert (point["violations"].value, point["f1"].value) == (0.0, 1.0)


def test_a_codec_that_decides_nothing_compresses_all(rows: dict[str, table1.Row]) -> None:
    point = rows["CAE32"].point
    assert point["mean_cg"].value == pytest.approx(2000 / 62)
    assert point["violations"].value == 1 / 4  # only 0.8 is over 0.75


def test_two_levels_leave_out_the_weaker_one(rows: dict[str, table1.Row]) -> None:
    assert rows["Dynamic-Deep {64, 1}"].point["share_32"].value == 0


def test_the_published_gain_is_met_at_the_least_bound(rows: dict[str, table1.Row]) -> None:
    point = rows["Dynamic-Deep at mean CG 52.2"].point
    # At 0.4: 64, 32, none, 64, which is 40.6. The next at which anything changes is 0.6.
    assert point.bound == pytest.approx(0.6)
    assert point["mean_cg"].value == pytest.approx((3 * 2000 / 31 + 2000 / 62) / 4)


def test_a_codec_is_left_out_of_a_task_it_was_not_measured_on(
    outcomes: Outcomes, cae32: Outcomes
) -> None:
    baselines = Baselines(DEFLATED, {"CAE32": cae32})
    assert "CAE32" not in {row.name for row in table1.rows(outcomes, baselines, RPEAKS, "added")}


def test_baselines_of_other_records_are_refused(outcomes: Outcomes, cae32: Outcomes) -> None:
    other = replace(cae32, names=("a", "b", "c", "d"))
    with pytest.raises(DataError, match="CAE32: not of the same records"):
        table1.check(outcomes, Baselines(DEFLATED, {"CAE32": other}))
    with pytest.raises(DataError, match="one size for each of 4 records"):
        table1.check(outcomes, Baselines(DEFLATED[:3]))
