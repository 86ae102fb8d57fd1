from dataclasses import replace

import numpy as np

from dynadeep.train.evaluation import gallery
from dynadeep.train.evaluation.gallery import Example
from dynadeep.train.evaluation.outcomes import Outcomes


def test_two_records_of_each_class_are_shown_at_its_quartiles(outcomes: Outcomes) -> None:
    # Of class 1 there are two records, of 0 and 2 one each, which is shown once.
    assert gallery.pick(outcomes) == [2, 0, 1, 3]


def test_records_are_picked_by_their_error_at_the_strongest_level(outcomes: Outcomes) -> None:
    prdn = np.array([[1.0, 4.0], [2.0, 3.0], [3.0, 2.0], [4.0, 1.0]])
    same = replace(outcomes, prdn=prdn, labels=np.ones(4, np.int64))
    assert gallery.pick(same) == [2, 0]  # in the order 3, 2, 1, 0 the second and the fourth


def example(label: int) -> Example:
    raw = np.zeros(2000, np.int16)
    return Example(
        "A00001", label, raw, {"32": raw.astype(np.float32)}, {"32": 0.0}, {"32": 78}, "32"
    )


def test_a_normal_record_is_shown_alone_where_there_is_one() -> None:
    assert gallery.typical([example(0), example(1), example(1)]).label == 1
    assert gallery.typical([example(2), example(3)]).label == 2
