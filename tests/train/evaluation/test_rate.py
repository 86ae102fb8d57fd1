import numpy as np
import pytest

from dynadeep.train.evaluation import rate
from dynadeep.train.evaluation.outcomes import Outcomes
from dynadeep.train.evaluation.table1 import Baselines


def test_every_level_and_codec_stands_at_the_bytes_that_a_segment_takes(
    outcomes: Outcomes, cae32: Outcomes
) -> None:
    baselines = Baselines(np.array([400, 500, 250, 500]), {}, {"DCT": {"32": cae32}})
    found = rate.rated(outcomes, baselines)
    # 500 samples a record: one segment each.
    assert [one.size for one in found[rate.LEVELS]] == pytest.approx([50, 25])
    assert [one.size for one in found["DCT"]] == pytest.approx([50])
    assert [one.point["prdn"].value for one in found[rate.LEVELS]] == [5.0, 10.0]


def test_the_last_segment_of_a_record_counts_whole(outcomes: Outcomes) -> None:
    longer = Outcomes(**{**vars(outcomes), "raw_bytes": np.full(4, 2 * 2001)})
    found = rate.rated(longer, Baselines(np.ones(4, int)))
    assert [one.size for one in found[rate.LEVELS]] == pytest.approx([25, 12.5])


def test_the_bound_leads_from_raw_to_the_strongest_level(outcomes: Outcomes) -> None:
    sizes = [one.size for one in rate.by_bound(outcomes)]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == pytest.approx((500, 25))
