"""Segments of real recordings as the firmware encodes them: what simulated devices send."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dynadeep.codegen.bundle import Bundle, Manifest
from dynadeep.codegen.errors import DynadeepError
from dynadeep.codegen.numerics import fixed_error
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.codec import packet as packets
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings.convert import Stated
from dynadeep.host_tools.recordings.read import read_record
from dynadeep.host_tools.recordings.record import Samples

SUFFIXES = (".hea", ".edf", ".bdf", ".npy", ".npz")
BOARD = "native"
RECORDS = 8
"""That are played at least, where there are so many."""


@dataclass(frozen=True)
class Encoded:
    """What a packet says of a segment; its numbers are the device's."""

    level: int
    payload: bytes


Record = tuple[Encoded, ...]
"""Segments on end, of one recording."""


def read_signals(
    data: Path,
    manifest: Manifest,
    count: int,
    rng: random.Random,
    on_refused: Callable[[DynadeepError], None],
) -> list[Samples]:
    """Return ``count`` segments of recordings below a folder, int16 [N, T] of each recording.

    Recordings are taken in random order and begin at a random sample; their rate and scale become
    the model's.

    Raises:
        EcgError: there is none that can be used.
    """
    paths = sorted(path for path in data.rglob("*") if path.suffix in SUFFIXES)
    rng.shuffle(paths)
    most = max(1, count // RECORDS)
    signals: list[Samples] = []
    for path in paths:
        left = count - sum(map(len, signals))
        if left <= 0:
            break
        try:
            record = read_record(path, manifest, Stated(resample=True))
        except DynadeepError as error:
            on_refused(error)
            continue
        signal = record.segments.reshape(-1)[: record.samples]
        signals.append(_cut(signal, manifest.segment_length, min(most, left), rng))
    if not signals:
        raise EcgError(
            f"{data}: none of {len(paths)} recordings can be used. Name a folder of WFDB records, "
            ".edf, .bdf, .npy or .npz files."
        )
    return signals


def encode(bundle: Bundle, elf: Path, signals: Sequence[Samples], bound: float) -> list[Record]:
    """Have the firmware for this computer encode segments, int16 [N, T] of each recording.

    Raises:
        LinkError: it does not answer; so does every fault of a board.
    """
    with pipeline.connect(bundle, BOARD, elf=elf) as station:
        board = CodecBoard(station.device)
        board.bound(fixed_error(bound))
        return [_encode(board, bundle.manifest, signal) for signal in signals]


def _encode(board: CodecBoard, manifest: Manifest, signal: Samples) -> Record:
    board.reset()
    sent = [packets.decode(board.encode(segment).packet, manifest) for segment in signal]
    return tuple(Encoded(packet.level, packet.payload) for packet in sent)


def _cut(signal: Samples, length: int, most: int, rng: random.Random) -> Samples:
    """Return at most ``most`` whole segments, from a random sample on."""
    start = rng.randrange(min(length, len(signal) - length + 1))
    count = min(most, (len(signal) - start) // length)
    return np.ascontiguousarray(signal[start : start + count * length].reshape(count, length))
