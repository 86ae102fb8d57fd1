"""Several pieces of work at a time, their results in the order of the work."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from dynadeep.host_tools.errors import HostError

Work = TypeVar("Work")
Result = TypeVar("Result")


def several(
    do: Callable[[Work, Callable[[], None]], Result], work: Sequence[Work], jobs: int
) -> Iterator[Result]:
    """Yield the result of each piece of work, ``jobs`` of them being done at a time.

    Whatever ends one ends them all: what has not begun never does, and what is under way ends as
    soon as it calls the function that it was given.

    Args:
        do: does a piece; it calls its second argument now and then.
        work: the pieces.
        jobs: how many threads.
    """
    ended = threading.Event()

    def go_on() -> None:
        if ended.is_set():
            raise HostError("ended with what ran beside it")

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(do, item, go_on) for item in work]
        try:
            for future in futures:
                yield future.result()
        finally:
            ended.set()
            pool.shutdown(wait=False, cancel_futures=True)
