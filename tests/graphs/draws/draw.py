"""What the draws of all operators have in common."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from hypothesis import strategies as st

from tests.graphs.canvas import Canvas

T = TypeVar("T")


class Draw(Protocol):
    """A few numbers that say how an operator is used."""

    def add(self, canvas: Canvas, at: int) -> Sequence[int]:
        """Draw the operator behind tensor ``at``; return what it makes that steps may read.

        Nothing where it does not fit that tensor.
        """
        ...


def any_of(*strategies: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Draw from any of ``strategies``; one that is listed twice is twice as likely.

    (To ``st.one_of`` it would count once.)
    """
    return st.sampled_from(strategies).flatmap(lambda chosen: chosen)


def seldom(usual: T, values: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Draw from ``values`` one time in ten, else ``usual``."""
    return any_of(*[st.just(usual)] * 9, values)


def often(usual: T, values: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Draw ``usual`` two times in three, else from ``values``."""
    return any_of(st.just(usual), st.just(usual), values)


ACTIVATIONS = st.sampled_from((0, 0, 1, 3, 2))
"""Fused: none, RELU, RELU6, RELU_N1_TO_1."""

MILD_GAINS = often(0.0, st.floats(-6, 5)).map(lambda x: 2.0**x)
GAINS = st.one_of(MILD_GAINS, st.floats(-30, 25).map(lambda x: 2.0**x))
"""Of the requantised codes, against what keeps them within int8."""

KERNELS = st.one_of(st.integers(1, 9), st.integers(1, 40))
STRIDES = st.one_of(st.integers(1, 3), st.integers(1, 12))
CHANNELS = st.one_of(st.just(0), st.integers(1, 9), st.integers(1, 70))
"""0: as many as its input has, so that the two can be added."""


def divisor(value: int, number: int) -> int:
    """Return a divisor of ``of``, any of them for some ``number``, 1 for 0."""
    divisors = [n for n in range(1, value + 1) if value % n == 0]
    return divisors[number % len(divisors)]
