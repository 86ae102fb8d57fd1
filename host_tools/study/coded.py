"""What a compressor makes of records, in float and as a board runs it, before any decision.

The int8 half goes through the generated C itself, compiled for this computer: its codes, its
predictions, its packets. What was decided in floating point is held against the device's integers.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.numerics import MarginTable, fixed_error, record_level
from dynadeep.host_tools.codec import packet
from dynadeep.host_tools.errors import ParityError
from dynadeep.host_tools.study import deployed

if TYPE_CHECKING:
    from dynadeep.train.checkpoint import Checkpoint
    from dynadeep.train.evaluation.outcomes import Foreseen, Margins
    from dynadeep.train.scoring import Codec, Recordings

Ints = npt.NDArray[np.int64]


def segments_of(recordings: "Recordings") -> npt.NDArray[np.int16]:
    """Return the segments of all records, int16 [N * S, 2000]."""
    from dynadeep.train.data import cinc2017

    return cinc2017.segments(recordings.adc).reshape(-1, cinc2017.SEGMENT_SAMPLES)


def run_int8(
    bundles: Mapping[str, Bundle],
    checkpoints: "Mapping[str, Checkpoint]",
    recordings: "Recordings",
    work: Path,
) -> "Codec":
    """Code records with the generated C of each task's bundle, all of one encoder.

    Raises:
        ParityError: the bundles' encoders differ, or integers decide otherwise than the tables.
    """
    from dynadeep.train.scoring import Codec

    segments, count = segments_of(recordings), len(recordings.names)
    coded = {
        task: deployed.encode_segments(bundle, segments, work / task)
        for task, bundle in bundles.items()
    }
    first_task, first = next(iter(coded.items()))
    manifest = bundles[first_task].manifest
    for task, current in coded.items():
        if any(not np.array_equal(a, b) for a, b in zip(first.codes, current.codes, strict=True)):
            raise ParityError(f"{task} and {first_task}: their encoders give different codes.")
    samples = recordings.adc.shape[1]
    decoded = tuple(
        deployed.decode_codes(bundles[first_task], level, codes, segments).reshape(count, -1)[
            :, :samples
        ]
        for level, codes in enumerate(first.codes, start=1)
    )
    sizes = [packet.packet_bytes(manifest, level) for level in range(1, 1 + len(decoded))]
    by_level = [first.none_bytes, *(np.full(len(segments), size) for size in sizes)]
    foreseen = {}
    for task, output in coded.items():
        predicted = output.predicted.reshape(count, -1, len(decoded))
        foreseen[task] = _foreseen_int8(bundles[task], checkpoints[task], predicted)
        check_decisions(task, predicted, foreseen[task], bundles[task])
    return Codec(
        precision="int8",
        codes=tuple(level.codes for level in manifest.levels),
        decoded=decoded,
        packet_bytes=np.stack(by_level, axis=1).reshape(count, -1, 1 + len(decoded)),
        foreseen=foreseen,
    )


def run_float(
    checkpoints: "Mapping[str, Checkpoint]", recordings: "Recordings", packet_bytes: Ints
) -> "Codec":
    """Code records in float arithmetic; packets are as long as the board's, one byte a code."""
    from dynadeep.train import measure
    from dynadeep.train.scoring import Codec

    coded = {
        task: measure.code(loaded.model, loaded.input_map, recordings.adc)
        for task, loaded in checkpoints.items()
    }
    first = next(iter(checkpoints.values()))
    return Codec(
        precision="float",
        codes=tuple(level.codes for level in first.config.levels),
        decoded=next(iter(coded.values())).decoded,
        packet_bytes=packet_bytes,
        foreseen={
            task: _foreseen_float(loaded, coded[task].predicted)
            for task, loaded in checkpoints.items()
        },
    )


def _foreseen_float(loaded: "Checkpoint", predicted: npt.NDArray[np.float64]) -> "Foreseen":
    """Return what a checkpoint's heads say in float arithmetic, [N, S, K]."""
    from dynadeep.train.evaluation.outcomes import Foreseen

    promise, names = loaded.promise, loaded.config.level_names
    assert promise is not None
    return Foreseen(
        promise=promise.kind,
        predicted=predicted,
        record_margins=_margins(promise.bounds, [promise.record_margins[n] for n in names]),
        segment_margins=_margins(promise.bounds, [promise.margins[n] for n in names]),
        foresight=promise.foresight,
    )


def _foreseen_int8(
    bundle: Bundle, loaded: "Checkpoint", predicted: npt.NDArray[np.int32]
) -> "Foreseen":
    """Return what the device's heads say, Q8.24 [N, S, K]; its numbers are exact in float64."""
    from dynadeep.train.evaluation.outcomes import Foreseen

    codec = bundle.manifest.need_codec()
    assert loaded.promise is not None
    return Foreseen(
        promise=loaded.promise.kind,
        predicted=predicted / float(fixed_error(1.0)),
        record_margins=MarginTable.of_records(codec).real_at,
        segment_margins=MarginTable.of_segments(codec).real_at,
        foresight=loaded.promise.foresight,
    )


def _margins(bounds: Sequence[float], levels: Sequence[Sequence[float]]) -> "Margins":
    """Return the margins of a promise, a row a level, as the device would have them."""
    return MarginTable.of(bounds, levels).real_at


def check_decisions(
    task: str, predicted: npt.NDArray[np.int32], foreseen: "Foreseen", bundle: Bundle
) -> None:
    """Hold the tables' decisions against the device's integer arithmetic, [N, S, K] in Q8.24.

    Raises:
        ParityError: a record would be sent at another level, at one of the tables' bounds.
    """
    from dynadeep.train.evaluation import decisions
    from dynadeep.train.evaluation.points import BOUNDS

    table = MarginTable.of_records(bundle.manifest.need_codec())
    for bound in BOUNDS:
        fixed, real = fixed_error(bound), decisions.on_device(bound)
        chosen = decisions.choose(foreseen.records_at(real), real)
        margins = table.at(fixed)
        integer = np.array([record_level(row, margins, fixed) for row in predicted])
        if not np.array_equal(chosen, integer):
            record = int(np.argmax(chosen != integer))
            raise ParityError(
                f"{task}, record {record}: at bound {bound:g} the tables decide {chosen[record]}, "
                f"the integers {integer[record]}."
            )
