"""Keep what a stream gave, however it ends: its packets and a report of them."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.files import fill, open_whole, reserve
from dynadeep.codegen.numerics import LEVEL_NONE
from dynadeep.host_tools.codec.packet import packet_bytes
from dynadeep.host_tools.codec.report import stream_json
from dynadeep.host_tools.codec.stream import Stream
from dynadeep.host_tools.measure import report
from dynadeep.host_tools.recordings.record import Record

REPORT_BYTES = 4096
"""What one bound takes in a report, at most."""


@contextmanager
def keep_streams(
    packets: Path | None,
    json: Path | None,
    records: Sequence[Record],
    bounds: int,
    manifest: Manifest,
) -> Iterator[list[Stream]]:
    """Yield the list to put streams into; both files are written of what is in it at the end.

    Room for them is taken first, so that a full disk or a read-only folder shows before anything
    is measured. If an error or Ctrl-C ends the stream it goes on its way afterwards, and the report
    says that it is not complete. Where nothing was streamed, nothing is written.

    Args:
        packets: where the packets of the last stream go, one behind the other.
        json: where the report goes.
        records: what is streamed at each bound.
        bounds: how many there are.
        manifest: of the model.

    Raises:
        OSError: a file cannot be written, or there is no room for it.
    """
    segments = sum(len(record.segments) for record in records)
    streams: list[Stream] = []
    stopped: BaseException | None = None
    with ExitStack() as files:
        most = segments * packet_bytes(manifest, LEVEL_NONE)
        packet_file = _open_reserved(files, packets, most)
        report_file = _open_reserved(files, json, REPORT_BYTES * (bounds + 1))
        try:
            yield streams
        except BaseException as error:
            if not streams:
                raise
            stopped = error
        if packet_file is not None:
            fill(packet_file, b"".join(segment.packet for segment in streams[-1].sent))
        if report_file is not None:
            fill(report_file, report.text_of(report_of(streams, stopped)).encode("utf-8"))
    if stopped is not None:
        raise stopped


def report_of(streams: Sequence[Stream], stopped: BaseException | None) -> dict[str, object]:
    """Return the report of streams, and what ended the last of them early, if anything did."""
    why = None if stopped is None else str(stopped) or "interrupted"
    return {
        "complete": stopped is None,
        "stopped": why,
        "bounds": [stream_json(stream.result) for stream in streams],
    }


def _open_reserved(files: ExitStack, path: Path | None, size: int) -> BinaryIO | None:
    if path is None:
        return None
    file = files.enter_context(open_whole(path))
    reserve(file, size, path)
    return file
