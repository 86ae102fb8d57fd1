"""The compressed stream: segments to the board, packets back, decoded and counted.

Two gains are always shown together, because the published one hides what is not compressed:

- mean CG (published): the mean over segments of samples per transmitted value, where a code counts
  as one value and an uncompressed segment as 1. What does not fill a segment is left out.
- byte CG: bytes of int16 samples in / bytes of packets out, headers, padding and uncompressed
  segments included.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.numerics import LEVEL_NONE, fixed_error, real_error
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.codec.decode import Decoder, Ecg
from dynadeep.host_tools.codec.distortion import Judge, distortion
from dynadeep.host_tools.codec.wire import EncodeReply
from dynadeep.host_tools.errors import PacketError
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.recordings.record import Record

SAMPLE_BYTES = 2


@dataclass(frozen=True)
class Sent:
    """One segment as it was sent and decoded."""

    record: str
    level: int
    samples: int  # real ones, without padding
    packet: bytes
    predicted: tuple[float, ...]  # per level, in the manifest's error unit
    loss: float | None  # what the heads foresee, as it came true; None where it is not known
    prd: float  # percent, on the scale where the window is [0, 1]
    prdn: float  # percent
    ticks: int
    clipped: int = 0  # of its samples, padding included, by the board's input map


@dataclass(frozen=True)
class StreamResult:
    """What a stream at one bound came to. Errors in percent; None where nothing was compressed."""

    bound: float
    segments: int
    levels: dict[str, int]  # segments sent at each level
    mean_cg: float
    byte_cg: float
    bytes_in: int
    bytes_out: int
    prd: float  # mean over all segments, an uncompressed one counts 0
    prdn: float
    prd_compressed: float | None  # mean over the compressed segments alone
    prdn_compressed: float | None
    violations: float | None
    """Share of all segments that are compressed and lose more than the bound, if that is known."""
    clipped: float
    """Share of all samples, padding included, that the board's input map clipped."""


@dataclass(frozen=True)
class Stream:
    """Every segment of a stream, and what they come to."""

    sent: tuple[Sent, ...]
    result: StreamResult


def stream_at_bounds(
    device: Device,
    decoder: Decoder,
    records: Sequence[Record],
    bounds: Sequence[float],
    *,
    judge: Judge | None = None,
    on_bound: Callable[[float], None] = lambda bound: None,
    streams: list[Stream] | None = None,
) -> list[Stream]:
    """Stream ``records`` once at each bound, set at run time over the link, each as a stream.

    Args:
        device: the board.
        decoder: of the board's model.
        records: what to send.
        bounds: in the manifest's error unit.
        judge: tells what each segment lost; None where nobody can.
        on_bound: told of each before it is streamed.
        streams: where they are put, so that they are there if something ends this early: the one
            that was begun included, as far as it came.

    Raises:
        PacketError: a packet cannot be trusted, or its number shows that one was lost.
    """
    streams = [] if streams is None else streams
    chain = _Chain(CodecBoard(device), decoder, judge)
    for bound in bounds:
        on_bound(bound)
        chain.board.bound(fixed_error(bound))
        sent: list[Sent] = []
        try:
            for stream, record in enumerate(records):
                _send(chain, stream, record, sent)
        finally:
            if sent:
                streams.append(Stream(tuple(sent), summarise(sent, bound, decoder.manifest)))
    return streams


@dataclass(frozen=True)
class _Chain:
    """What a recording goes through."""

    board: CodecBoard
    decoder: Decoder
    judge: Judge | None


def _send(chain: _Chain, stream: int, record: Record, sent: list[Sent]) -> None:
    """Send a record's segments and put them into ``sent``, as far as they came back."""
    chain.board.reset(stream)
    replies: list[EncodeReply] = []
    decoded: list[Ecg] = []
    losses: list[float] | None = None
    try:
        for index, segment in enumerate(record.segments):
            reply = chain.board.encode(segment)
            _check_numbers(packets.decode(reply.packet, chain.decoder.manifest), stream, index)
            replies.append(reply)
            decoded.append(chain.decoder.decode(reply.packet))
        losses = chain.judge.losses(record, np.stack(decoded)) if chain.judge else None
    finally:
        decoded += [chain.decoder.decode(undecoded.packet) for undecoded in replies[len(decoded) :]]
        sent += _measure(record, replies, decoded, losses)


def _measure(
    record: Record,
    replies: Sequence[EncodeReply],
    decoded: Sequence[Ecg],
    losses: Sequence[float] | None,
) -> list[Sent]:
    """Measure what each of a record's first segments lost."""
    sent = []
    for index, reply in enumerate(replies):
        real = record.real_samples(index)
        prd, prdn = distortion(record.segments[index], decoded[index], real)
        sent.append(
            Sent(
                record=record.name,
                level=reply.level,
                samples=real,
                packet=reply.packet,
                predicted=tuple(real_error(value) for value in reply.predicted),
                loss=losses[index] if losses else None,
                prd=prd,
                prdn=prdn,
                ticks=reply.ticks,
                clipped=reply.clipped,
            )
        )
    return sent


def summarise(sent: Sequence[Sent], bound: float, manifest: Manifest) -> StreamResult:
    """Count a stream."""
    names = ["none", *(level.name for level in manifest.levels)]
    counts = Counter(names[segment.level] for segment in sent)
    packed = [segment for segment in sent if segment.level != LEVEL_NONE]
    bytes_in = sum(SAMPLE_BYTES * segment.samples for segment in sent)
    bytes_out = sum(len(segment.packet) for segment in sent)
    whole = [segment.level for segment in sent if segment.samples == manifest.segment_length]
    return StreamResult(
        bound=bound,
        segments=len(sent),
        levels={name: counts[name] for name in names},
        mean_cg=mean_cg(whole, manifest),
        byte_cg=bytes_in / bytes_out,
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        prd=_mean([segment.prd for segment in sent]),
        prdn=_mean([segment.prdn for segment in sent]),
        prd_compressed=_mean([segment.prd for segment in packed]) if packed else None,
        prdn_compressed=_mean([segment.prdn for segment in packed]) if packed else None,
        violations=_violations(sent, bound),
        clipped=sum(segment.clipped for segment in sent) / (len(sent) * manifest.segment_length),
    )


def _violations(sent: Sequence[Sent], bound: float) -> float | None:
    """Return the share of segments that break the promise, or None if some loss is unknown."""
    broken = 0
    for segment in sent:
        if segment.loss is None:
            return None
        broken += segment.level != LEVEL_NONE and segment.loss > bound
    return broken / len(sent)


def mean_cg(levels: Sequence[int], manifest: Manifest) -> float:
    """Return the published gain: the mean of each whole segment's samples per transmitted value."""
    gains = published_gains(manifest)
    return _mean([gains[level] for level in levels])


def published_gains(manifest: Manifest) -> list[float]:
    """Return the samples per transmitted value of each level, the first of them none."""
    return [1.0, *(manifest.segment_length / level.codes for level in manifest.levels)]


def _check_numbers(packet: packets.Packet, stream: int, index: int) -> None:
    expected = (stream, index % packets.SEQUENCES)
    if (packet.stream, packet.sequence) != expected:
        raise PacketError(
            f"packet {packet.sequence} of stream {packet.stream} came, {expected[1]} of "
            f"{expected[0]} was due: a packet was lost or came twice."
        )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
