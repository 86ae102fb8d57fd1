import numpy as np
import pytest

from dynadeep.train.evaluation import rate
from dynadeep.train.evaluation.outcomes import Outcomes
from dynadeep.train.evaluation.table1 import Baselines


def test_every_level_and_codec_stands_at_the_bytes_that_a_segment_takes(
    outcomes: Outcomes, cae32: Outcomes
) -> None:
    baselines = Baselines(np.array([400, 500, 250, 500]), {}, {"DCT": {"32": cae32}})
    by_codec = rate.rated(outcomes, baselines)
    # 500 samples a record: one segment each.
    assert [rated.size for rated in by_codec[rate.LEVELS]] == pytest.approx([50, 25])
    assert [rated.size for rated in by_codec["DCT"]] == pytest.approx([50])
    assert [rated.point["prdn"].value for rated in by_codec[rate.LEVELS]] == [5.0, 10.0]


def test_the_last_segment_of_a_record_counts_whole(outcomes: Outcomes) -> None:
    longer = Outcomes(**{**vars(outcomes), "raw_bytes": np.full(4, 2 * 2001)})
    by_codec = rate.rated(longer, Baselines(np.ones(4, int)))
    assert [rated.size for rated in by_codec[rate.LEVELS]] == pytest.approx([25, 12.5])


def test_the_bound_leads_from_raw_to_the_strongest_level(outcomes: Outcomes) -> None:
    sizes = [rated.size for rated in rate.by_bound(outcomes)]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == pytest.approx((500, 25))
