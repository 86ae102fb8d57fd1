"""What a disturbed line costs: waits from the board's own time, tries counted by silence."""

import pytest

from dynadeep.host_tools.errors import LinkError
from dynadeep.host_tools.link.base import Link
from dynadeep.host_tools.link.exchange import Exchange
from dynadeep.host_tools.link.patience import Patience
from dynadeep.host_tools.link.protocol import Command

from .timed_board import WORKING, TimedBoard

NOISE = b"\x55\xaa"


def exchange_with(board: TimedBoard, expected_s: float = 1.0) -> Exchange:
    exchange = Exchange(Link("bench", board, baud=115_200), Patience(), board.clock)
    exchange.pace.inference_s = expected_s
    return exchange


def ask(exchange: Exchange, times: int = 1) -> list[int]:
    return [exchange.ask(WORKING, work=1.0).sequence for _ in range(times)]


def test_an_undisturbed_board_is_asked_once_however_slow_it_is() -> None:
    board = TimedBoard(busy_s=17.5)
    exchange = exchange_with(board, expected_s=17.0)
    ask(exchange, 4)
    assert exchange.traffic.retries == 0


@pytest.mark.parametrize("noise", [NOISE, b"\x00\x13", b"\x03ab\x00"])
@pytest.mark.parametrize("per_s", [1, 2, 5])
def test_slight_noise_on_an_idle_line_loses_no_request(noise: bytes, per_s: int) -> None:
    board = TimedBoard()
    board.noise(noise, every_s=1 / per_s)
    exchange = exchange_with(board)
    assert ask(exchange, 8) == board.acted
    assert board.now < 8 * 3


def test_noise_that_spoils_most_replies_only_costs_tries() -> None:
    """A reply of 4 KB takes 0.36 s: with noise every 0.5 s most of them are hit."""
    board = TimedBoard(busy_s=0.2, reply=bytes(4000))
    board.noise(NOISE, every_s=0.5)
    exchange = exchange_with(board, expected_s=0.2)
    exchange.longest_reply = 4040
    assert ask(exchange, 8) == board.acted
    assert exchange.traffic.retries > 0


def test_a_lost_request_byte_costs_about_the_time_of_one_answer() -> None:
    board = TimedBoard(drop_at={15})  # of the second request
    exchange = exchange_with(board)
    ask(exchange)
    begin = board.now
    ask(exchange)
    assert exchange.traffic.retries == 1
    assert board.now - begin < 4.0  # of which 2 s are the answers'
    assert len(board.acted) == 2


def test_a_reply_lost_to_noise_is_asked_for_again_soon_after_it_was_due() -> None:
    board = TimedBoard(busy_s=10.0)
    exchange = exchange_with(board, expected_s=10.0)
    ask(exchange)
    begin = board.now
    board._arrive(b"\x00\x07spoilt\x00" + NOISE * 20, begin + 10.0)
    ask(exchange)
    assert exchange.traffic.retries == 1
    assert board.now - begin < 11.0  # without a sign of it: twice the board's time and more


def test_damaged_frames_before_a_reply_is_due_do_not_end_the_wait() -> None:
    board = TimedBoard(busy_s=5.0)
    board.noise(b"\x02x\x00", every_s=0.3, until_s=4.0)
    exchange = exchange_with(board, expected_s=5.0)
    ask(exchange)
    assert exchange.traffic.damaged_frames > 5
    assert exchange.traffic.retries == 0


def test_a_board_that_is_slower_than_expected_is_waited_for_and_then_known() -> None:
    board = TimedBoard(busy_s=8.0)
    exchange = exchange_with(board, expected_s=1.0)
    ask(exchange)
    retries = exchange.traffic.retries
    assert retries > 0
    ask(exchange, 5)
    assert exchange.traffic.retries == retries
    assert len(board.acted) == 6


def test_silence_is_told_as_long_as_it_was_and_with_the_tries_that_were_made() -> None:
    board = TimedBoard(alive=False)
    exchange = exchange_with(board)
    with pytest.raises(LinkError) as caught:
        ask(exchange)
    message = f"no answer to CONSTANTS in {len(board.sent_at)} tries, {board.now:.1f} s in all."
    assert message in str(caught.value)
    assert len(board.sent_at) == Patience().tries


def test_a_port_with_nobody_there_is_given_up_after_ten_seconds() -> None:
    board = TimedBoard(alive=False)
    with pytest.raises(LinkError, match="Is the board powered"):
        exchange_with(board).ask(Command.HELLO)
    assert board.now < 12


def test_a_line_of_nothing_but_noise_is_given_up_and_told_by_what_came() -> None:
    board = TimedBoard(alive=False)
    board.noise(b"\x09noise\x00", every_s=0.1)
    exchange = exchange_with(board)
    with pytest.raises(LinkError, match=r"(\d+) damaged frames came\. Check baud") as caught:
        ask(exchange)
    assert f"{exchange.traffic.damaged_frames} damaged" in str(caught.value)


def test_something_else_that_speaks_there_is_shown() -> None:
    board = TimedBoard(alive=False)
    board.noise(b"login: ", every_s=0.3)
    with pytest.raises(
        LinkError, match=r"\d+ bytes came that are no answer, .*login: .*else speak"
    ):
        exchange_with(board).ask(Command.HELLO)


def test_damaged_frames_of_earlier_requests_are_not_told_of_a_later_one() -> None:
    board = TimedBoard()
    board.noise(b"\x02x\x00", every_s=0.2, until_s=1.0)
    exchange = exchange_with(board)
    ask(exchange)
    assert exchange.traffic.damaged_frames > 0
    board._alive = False
    with pytest.raises(LinkError, match="It answered before"):
        ask(exchange)


def test_a_line_that_only_echoes_is_no_board_and_told_as_that() -> None:
    board = TimedBoard(alive=False, echo=True)
    with pytest.raises(LinkError, match="Only what was sent came back: the line echoes"):
        exchange_with(board).ask(Command.HELLO)


def test_a_board_behind_an_echoing_line_is_understood() -> None:
    board = TimedBoard(echo=True)
    exchange = exchange_with(board)
    assert ask(exchange, 3) == board.acted
    assert exchange.traffic.echoes == 3
    assert exchange.traffic.retries == 0


def test_nothing_is_acted_on_twice_whatever_was_lost() -> None:
    drops = set(range(5, 3000, 37))
    board = TimedBoard(busy_s=0.1, drop_at=drops)
    board.noise(NOISE, every_s=0.7)
    exchange = exchange_with(board, expected_s=0.1)
    assert ask(exchange, 30) == board.acted
    assert exchange.traffic.retries > 10
