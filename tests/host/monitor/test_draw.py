"""What is drawn of characters says what the values are."""

from types import SimpleNamespace

import numpy as np
import pytest

from dynadeep.host_tools.link.attempts import Traffic
from dynadeep.host_tools.link.device import Counter
from dynadeep.host_tools.monitor import draw
from dynadeep.host_tools.monitor.beat import Bar, BoardFeed, Curve, Latencies


def plot(*curves: list[float], width: int = 12, height: int = 2):
    drawn = [Curve(str(index), np.array(values, float)) for index, values in enumerate(curves)]
    return draw.plot(drawn, ("red", "blue"), width, height)


def test_a_rising_line_goes_from_the_bottom_left_to_the_top_right():
    top, bottom = plot(list(range(8)), width=9).plain.split("\n")
    assert (top[:5], bottom[:5]) == ("7.00 ", "0.00 ")
    blank = chr(draw.BLANK)
    assert top[5:7] == blank * 2
    assert bottom[8:] == blank  # the column before is joined to this one
    assert blank not in top[7:] + bottom[5:7]


def test_a_peak_of_one_sample_is_drawn_however_many_samples_there_are():
    values = np.zeros(10_000)
    values[4321] = 1
    top = plot(list(values)).plain.split("\n")[0]
    assert top[5:].strip(chr(draw.BLANK)) != ""


def test_values_that_are_not_there_leave_a_gap():
    line = plot([0.0, 0.0, np.nan, np.nan, 0.0, 0.0], width=8, height=1).plain
    assert [character == chr(draw.BLANK) for character in line[5:]] == [False, True, False]


@pytest.mark.parametrize("values", [[], [np.nan], [3.0, 3.0]])
def test_nothing_and_a_flat_line_can_be_drawn(values):
    assert len(plot(values).plain.split("\n")) == 2


def test_the_first_curve_lies_on_top():
    text = plot([1.0, 1.0], [1.0, 1.0], width=6, height=1)
    assert {str(span.style) for span in text.spans} == {"dim", "red"}


def test_a_bar_is_as_long_as_its_share():
    text = draw.bars([Bar("none", 0.25, "1"), Bar("cg32", 1.0, "3")], 15, "cyan").plain
    assert text == "none ██░░░░░░ 1\ncg32 ████████ 3\n"


def test_the_last_latencies_are_shown_where_there_is_no_room_for_all():
    assert draw.sparkline([8, 0, 4, 8], 3) == " ▄█"
    assert draw.sparkline([], 3) == ""


def test_latencies_are_told_in_their_own_unit():
    emulated = Latencies(Counter("instructions", 25_000_000, 40.0))
    board = Latencies(Counter("cycles", 100_000_000, 1.0))
    for latencies in (emulated, board):
        assert latencies.facts() == ()
        latencies.add(1_000_000)
        latencies.add(3_000_000)
    assert emulated.facts()[1] == ("mean", "80,000,000 instructions")
    assert board.facts()[2] == ("most", "30.00 ms (3,000,000 cycles)")


def test_what_the_link_put_up_with_is_named():
    device = SimpleNamespace(traffic=Traffic(requests=1200, retries=3, damaged_frames=2))
    facts = dict(BoardFeed(device).link_facts())
    assert (facts["requests"], facts["lost tries"], facts["damaged frames"]) == ("1,200", "3", "2")
