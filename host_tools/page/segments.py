"""Which segments of a stream are drawn over what came back of them."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.numerics import LEVEL_NONE
from dynadeep.host_tools.codec.decode import Decoder
from dynadeep.host_tools.codec.stream import Sent, Stream
from dynadeep.host_tools.page.document import Example
from dynadeep.host_tools.recordings.record import Record, Samples

Place = tuple[Sent, Record, int]
"""A segment as it was sent, its recording, and its number there."""

Why = Literal["typical", "worst"]


def examples_of(stream: Stream, records: Sequence[Record], decoder: Decoder) -> list[Example]:
    """Return of each level the segment of median PRD, and of compressed ones the worst.

    Args:
        stream: of all segments of ``records``, one behind the other, perhaps ended early.
        records: what was sent.
        decoder: of the board's model.
    """
    places = list(zip(stream.sent, *zip(*_segments(records), strict=True), strict=False))
    return [
        _example(place, why, decoder)
        for level in range(len(decoder.manifest.levels) + 1)
        for place, why in _chosen(
            [candidate for candidate in places if candidate[0].level == level]
        )
    ]


def _segments(records: Sequence[Record]) -> Iterator[tuple[Record, int]]:
    for record in records:
        for index in range(len(record.segments)):
            yield record, index


def _chosen(places: Sequence[Place]) -> Iterator[tuple[Place, Why]]:
    """Yield the typical segment of one level, and the worst where that is another one."""
    finite = [place for place in places if math.isfinite(place[0].prd)]
    if not finite:
        return
    ordered = sorted(finite, key=lambda place: place[0].prd)
    typical, worst = ordered[len(ordered) // 2], ordered[-1]
    yield typical, "typical"
    if worst[0].level != LEVEL_NONE and worst is not typical:
        yield worst, "worst"


def _example(place: Place, why: Why, decoder: Decoder) -> Example:
    sent, record, index = place
    names = level_names(decoder.manifest)
    decoded = decoder.decode(sent.packet)[: sent.samples].round()
    samples: Samples = record.segments[index][: sent.samples]
    return Example(
        record=record.name,
        segment=index,
        why=why,
        level=names[sent.level],
        predicted=dict(zip(names[1:], sent.predicted, strict=True)),
        loss=sent.loss,
        prd=sent.prd,
        bytes=len(sent.packet),
        samples=tuple(samples.tolist()),
        decoded=tuple(int(value) for value in decoded),
    )


def level_names(manifest: Manifest) -> tuple[str, ...]:
    """Return what the levels are called, by number."""
    return ("none", *(level.name for level in manifest.levels))
