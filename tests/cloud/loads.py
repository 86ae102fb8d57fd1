"""Archives for benchmarks, as ``dynadeep fleet`` makes them: real ECG through the generated C."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from dynadeep.codegen.bundle import Bundle, Manifest
from dynadeep.codegen.numerics import LEVEL_NONE
from dynadeep.export.calibration import read_recordings
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.cloud.bundles import period_us
from dynadeep.host_tools.cloud.encoded import BOARD, Encoded, Record, encode
from dynadeep.host_tools.cloud.fleet import DAY_US, Rates, Truth, deliveries, fill
from dynadeep.host_tools.codec import packet as packets

BOUNDS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 1.0, 1.2, 1.5, 1.9)
"""With which all segments are encoded, so that each level is some segment's."""
UNLIKE = 128
"""Segments of a level of which none is like another, at least."""
SEED = 0
WHOLE = Rates(loss=0, repeat=0, restart=0)


@dataclass(frozen=True)
class Loads:
    """What devices send: the kit's excerpt of CinC 2017, as the firmware encodes it."""

    manifest: Manifest
    mixed: Sequence[Record]  # of the model's own bound
    by_level: Sequence[Record]  # one of each level, its segments at any of BOUNDS

    def put(
        self, root: Path, records: Sequence[Record], devices: int, segments: int, rates: Rates
    ) -> Truth:
        """Make an archive of devices that send so many segments each; say what is true of it."""
        truth, names = Truth(), [f"bench-{number:03d}" for number in range(devices)]
        days = (segments + 0.5) * period_us(self.manifest) / DAY_US
        delivered = deliveries(
            names, records, self.manifest, days=days, rates=rates, seed=SEED, truth=truth
        )
        fill(root, self.manifest, delivered)
        return truth


def read_loads(bundle: Bundle) -> Loads:
    """Encode the excerpt.

    Raises:
        RuntimeError: a level is no segment's, whatever the bound.
    """
    manifest = bundle.manifest
    windows = read_recordings("cinc2017", None).training
    length = manifest.segment_length
    whole = windows[:, : windows.shape[1] // length * length].reshape(len(windows), -1, length)
    elf = pipeline.make_firmware(bundle, BOARD).elf
    by_level: list[list[Encoded]] = [[] for _ in range(len(manifest.levels) + 1)]
    for bound in BOUNDS:
        for segment in chain.from_iterable(encode(bundle, elf, list(whole), bound)):
            by_level[segment.level].append(segment)
    missing = [level for level, segments in enumerate(by_level) if not segments]
    if missing:
        raise RuntimeError(f"no segment is of level {missing}, whatever the bound: add to BOUNDS")
    mixed = encode(bundle, elf, list(whole), manifest.default_bound)
    unlike = [tuple(dict.fromkeys(segments)) for segments in by_level]
    return Loads(manifest, mixed, [_filled(manifest, *pair) for pair in enumerate(unlike)])


def _filled(manifest: Manifest, level: int, record: Record) -> Record:
    """Add random codes to a level that few segments have: a file of few has more bytes for each."""
    rng, filled = np.random.default_rng(level), list(record)
    while level != LEVEL_NONE and len(filled) < UNLIKE:
        codes = rng.integers(-128, 128, manifest.levels[level - 1].codes).astype(np.int8)
        samples = np.zeros(manifest.segment_length, np.int16)
        filled.append(Encoded(level, packets.payload_of(manifest, level, samples, codes)))
    return tuple(filled)
