"""Two ways to decode the days of an archive: on this computer's cores, and on a Ray cluster."""

import json
import logging
import multiprocessing
import socket
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from dynadeep.codegen.children import deaf_to_interrupts
from dynadeep.codegen.errors import line_of
from dynadeep.codegen.typed import Reader
from dynadeep.host_tools.cloud.archive import Day
from dynadeep.host_tools.cloud.decode import Job, decode_day
from dynadeep.host_tools.cloud.extra import require
from dynadeep.host_tools.cloud.pieces import Tally
from dynadeep.host_tools.errors import HostError

BLOCKS_PER_WORKER = 8
"""Ray deals out blocks: so many that the workers end at about the same time."""

REACH_S = 10.0
"""In which a cluster must answer."""

DAYS_AHEAD = 2
"""That wait for each worker."""


def run_local(job: Job, days: Iterable[Day], workers: int) -> Iterator[Tally]:
    """Decode days with so many processes of this computer; yield each day's tally as it is done.

    Raises:
        ArchiveError, BundleError, OSError: as ``decode_day``; days that were done stay.
    """
    if workers == 1:
        yield from (decode_day(job, day) for day in days)
        return
    ahead = iter(days)
    # Not forked: the threads of onnxruntime and Arrow would not be there in the child.
    context = multiprocessing.get_context("spawn")
    earlier = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            running: set[Future[Tally]] = set()
            while True:
                room = workers * DAYS_AHEAD - len(running)
                with deaf_to_interrupts():  # it starts the workers
                    running |= {pool.submit(decode_day, job, day) for day in islice(ahead, room)}
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except KeyboardInterrupt:  # days that are not done leave nothing; the next run has them
            for worker in set(multiprocessing.active_children()) - earlier:
                worker.kill()
            raise
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def run_ray(job: Job, days: Iterable[Day], workers: int, address: str | None) -> Iterator[Tally]:
    """Decode days on a Ray cluster; yield each day's tally as it is done.

    Archive, bundles and output must lie at the same paths on every node of the cluster.

    Args:
        job: what is decoded.
        days: of the archive.
        workers: how many days are decoded at once.
        address: of a running cluster ("auto", "HOST:PORT"); None starts Ray on this computer.

    Raises:
        ArchiveError, BundleError, OSError: as ``decode_day``; days that were done stay.
        HostError: Ray does not start.
    """
    listed = list(days)
    with ray_cluster(workers, address):
        yield from map_days(job, listed, workers)


@contextmanager
def ray_cluster(workers: int, address: str | None) -> Iterator[None]:
    """Join a Ray cluster, or start one of so many cores here.

    Raises:
        MissingDependencyError: Ray is not installed.
        HostError: it does not start, or does not answer.
    """
    require("ray")
    import ray

    local: dict[str, Any] = {} if address else {"num_cpus": workers, "include_dashboard": False}
    level = logging.ERROR
    try:
        _check_reachable(address)
        ray.init(address=address or "local", log_to_driver=False, logging_level=level, **local)
    except Exception as error:  # its own have no common base
        reason = line_of(error).rstrip(".")
        where = "could not be started here" if address is None else f"does not answer at {address}"
        raise HostError(
            f"--engine ray: Ray {where}: {reason}. Check --address, or decode with --engine local."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_reachable(address: str | None) -> None:
    """Find out whether anybody is at an address HOST:PORT: Ray would try for many minutes.

    Raises:
        OSError: nobody is.
    """
    host, _, port = (address or "").rpartition(":")
    if host and port.isdecimal():
        with socket.create_connection((host.removeprefix("ray://"), int(port)), REACH_S):
            pass


def map_days(job: Job, days: Sequence[Day], workers: int) -> Iterator[Tally]:
    """Decode days by ``map_batches`` of Ray Data, in a cluster that was joined.

    Raises:
        ArchiveError, BundleError, OSError: as ``run_ray``.
    """
    import ray.data
    import ray.exceptions

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    blocks = max(1, min(len(days), workers * BLOCKS_PER_WORKER))
    at_any_place = replace(job, root=job.root.absolute(), out=job.out.absolute())
    # As plain columns: Arrow knows no Day.
    items = [
        {"device": day.device, "day": day.day.isoformat(), "folder": str(day.folder.absolute())}
        for day in days
    ]
    data = ray.data.from_items(items, override_num_blocks=blocks)
    decode: Any = partial(_decode_batch, at_any_place)
    done = data.map_batches(
        decode,
        batch_size=1,
        batch_format="numpy",
        num_cpus=1,
        compute=ray.data.TaskPoolStrategy(size=workers),
    )
    reader = Reader("what a worker of Ray says", HostError, "Has it this version of dynadeep?")
    try:
        for row in done.iter_rows():
            yield reader.read(Tally, reader.json(row["tally"].encode()))
    except ray.exceptions.RayTaskError as error:
        raise error.cause if isinstance(error.cause, Exception) else error from None


def _decode_batch(job: Job, batch: dict[str, Any]) -> dict[str, Any]:
    """Decode the days of a batch, in a worker."""
    columns = [batch[name].tolist() for name in ("device", "day", "folder")]
    days = [
        Day(device, date.fromisoformat(day), Path(folder))
        for device, day, folder in zip(*columns, strict=True)
    ]
    return {"tally": [json.dumps(asdict(decode_day(job, day))) for day in days]}
