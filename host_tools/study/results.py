"""The published tables and plots, measured on the test records: in float, and as the board runs it.

The int8 half goes through the generated C itself, compiled for this computer: its codes, its
predictions, its packets. What was decided in floating point is held against the device's integers.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.numerics import fixed_error, fixed_margin, real_error, record_level
from dynadeep.host_tools.codec import packet
from dynadeep.host_tools.errors import ParityError
from dynadeep.host_tools.study import deployed, reconstruction
from dynadeep.host_tools.study.export import export_once

if TYPE_CHECKING:
    from dynadeep.train.checkpoint import Checkpoint
    from dynadeep.train.data.cinc2017 import Parts
    from dynadeep.train.evaluation.outcomes import Outcomes
    from dynadeep.train.evaluation.points import Point
    from dynadeep.train.evaluation.provenance import Provenance
    from dynadeep.train.measure import Decoded, Nets
    from dynadeep.train.scoring import Foreseen, Recordings

Say = Callable[[str], None]
Ints = npt.NDArray[np.int64]

SEGMENT_BOUNDS = (0.3, 0.5, 0.75, 1.0, 1.5)
"""Where one decision a segment is measured too: each of these runs the task networks anew."""


@dataclass(frozen=True)
class ResultsConfig:
    """What to evaluate: a checkpoint per task ("rhythm", "rpeaks", "both"), all of one encoder."""

    checkpoints: Mapping[str, Path]
    baselines: Mapping[str, Path]  # name -> checkpoint of one level
    nets: Mapping[str, Path]  # task network -> its weights
    out: Path
    work: Path  # bundles and builds, kept for the next run
    reconstructions: Mapping[str, Path] = field(default_factory=dict)  # name -> of MIT-BIH
    data: Path | None = None
    parts: "Parts | None" = None  # of the database; None is the published split


@dataclass(frozen=True)
class Decided:
    """A codec on N records: what it decodes to, what each level costs, what each head foresees."""

    decoded: "tuple[Decoded, ...]"  # per level, ADC units, float32 [N, T]
    packet_bytes: Ints  # [N, S, K+1], level "none" first
    foreseen: "dict[str, Foreseen]"  # per task, for one decision a record
    segment_margins: dict[str, npt.NDArray[np.float64]]  # per task, [K]
    codes: tuple[int, ...]  # values that a segment is coded in, per level


def segments_of(recordings: "Recordings") -> npt.NDArray[np.int16]:
    """Return the segments of all records, int16 [N * S, 2000]."""
    from dynadeep.train.data import cinc2017

    return cinc2017.segments(recordings.adc).reshape(-1, cinc2017.SEGMENT_SAMPLES)


def run_int8(bundles: Mapping[str, Bundle], recordings: "Recordings", work: Path) -> Decided:
    """Code records with the generated C of each task's bundle, all of one encoder.

    Raises:
        ParityError: the bundles' encoders differ, or integers decide otherwise than these tables.
    """
    from dynadeep.train.scoring import Foreseen

    segments, count = segments_of(recordings), len(recordings.names)
    coded = {
        task: deployed.encode_segments(bundle, segments, work / task)
        for task, bundle in bundles.items()
    }
    first_task, first = next(iter(coded.items()))
    bundle = bundles[first_task]
    for task, other in coded.items():
        if any(not np.array_equal(a, b) for a, b in zip(first.codes, other.codes, strict=True)):
            raise ParityError(f"{task} and {first_task}: their encoders give different codes.")
    decoded = tuple(
        deployed.decode_codes(bundle, level + 1, codes, segments).reshape(count, -1)
        for level, codes in enumerate(first.codes)
    )
    samples = recordings.adc.shape[1]
    packet_bytes = np.empty((len(segments), 1 + len(first.codes)), np.int64)
    packet_bytes[:, 0] = first.none_bytes
    packet_bytes[:, 1:] = [
        packet.packet_bytes(bundle.manifest, k + 1) for k in range(len(first.codes))
    ]
    foreseen, segment_margins = {}, {}
    for task, one in coded.items():
        levels = bundles[task].manifest.levels
        predicted = one.predicted.reshape(count, -1, len(levels))
        foreseen[task] = Foreseen(_real(predicted), _stored([v.record_margin for v in levels]))
        segment_margins[task] = _stored([v.margin for v in levels])
        _check_decisions(task, predicted, foreseen[task], bundles[task].manifest.default_bound)
    return Decided(
        tuple(d[:, :samples] for d in decoded),
        packet_bytes.reshape(count, -1, packet_bytes.shape[1]),
        foreseen,
        segment_margins,
        tuple(level.codes for level in bundle.manifest.levels),
    )


def run_float(
    checkpoints: "Mapping[str, Checkpoint]", recordings: "Recordings", packet_bytes: Ints
) -> Decided:
    """Code records in float arithmetic; packets are as long as the board's, one byte a code."""
    from dynadeep.train import measure
    from dynadeep.train.scoring import Foreseen

    foreseen, segment_margins = {}, {}
    decoded: tuple[Decoded, ...] = ()
    codes: tuple[int, ...] = ()
    for task, one in checkpoints.items():
        coded = measure.code(one.model, one.input_map, recordings.adc)
        assert one.promise is not None
        promise = one.promise
        levels = one.config.level_names
        by_record = np.array([promise.record_margins[level] for level in levels])
        foreseen[task] = Foreseen(coded.predicted, by_record)
        segment_margins[task] = np.array([promise.margins[level] for level in levels])
        decoded = coded.decoded
        codes = tuple(level.codes for level in one.config.levels)
    return Decided(decoded, packet_bytes, foreseen, segment_margins, codes)


def _real(predicted: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Return Q8.24 predictions as numbers; exact in float64."""
    return predicted / float(fixed_error(1.0))


def _stored(margins: list[float]) -> npt.NDArray[np.float64]:
    """Return margins as the device holds them."""
    return np.array([real_error(fixed_margin(m)) for m in margins])


def _check_decisions(
    task: str, predicted: npt.NDArray[np.int32], foreseen: "Foreseen", bound: float
) -> None:
    """Hold the tables' decisions against the device's integer arithmetic."""
    from dynadeep.train.evaluation import decisions

    margins = [fixed_margin(m) for m in foreseen.margins]
    real = real_error(fixed_error(bound))
    chosen = decisions.choose(foreseen.predicted.mean(axis=1) + foreseen.margins, real)
    integer = [record_level(one, margins, fixed_error(bound)) for one in predicted]
    if not np.array_equal(chosen, integer):
        record = int(np.argmax(chosen != np.array(integer)))
        raise ParityError(
            f"{task}, record {record}: decided {chosen[record]}, the integers {integer[record]}."
        )


def make_results(config: ResultsConfig, nets: "Nets", say: Say) -> Path:
    """Measure everything on the 602 published test records; return ``out``/summary.json.

    Raises:
        DynadeepError: data, a checkpoint or a network is missing or does not fit the others.
    """
    from dynadeep.train import checkpoint, scoring
    from dynadeep.train.data import cinc2017
    from dynadeep.train.evaluation import cost, lz77, summary
    from dynadeep.train.evaluation.table1 import Baselines

    say("read      CinC 2017")
    split = cinc2017.read_split(
        cinc2017.find_folder(config.data), parts=config.parts or cinc2017.PUBLISHED
    )
    recordings = scoring.read_recordings(nets, split.test)
    loaded = {task: checkpoint.load(path) for task, path in config.checkpoints.items()}
    reconstructions = None
    if config.reconstructions:
        reconstructions = reconstruction.make_table(
            config.reconstructions, config.data, config.work, say
        )
    say("export    to int8")
    bundles = {
        task: export_once(path, config.work / f"bundle-{task}")
        for task, path in config.checkpoints.items()
    }
    say("int8      through the generated C")
    coded = {"int8": run_int8(bundles, recordings, config.work)}
    say("float     through PyTorch")
    coded["float"] = run_float(loaded, recordings, coded["int8"].packet_bytes)
    outcomes = {name: _outcomes(nets, recordings, one, name) for name, one in coded.items()}
    say("segments  one decision each")
    mixed = [
        _mixed(nets, recordings, one, Asked(task, precision, bound))
        for precision, one in coded.items()
        for task in config.checkpoints
        for bound in SEGMENT_BOUNDS
    ]
    say("compare   with DCT and wavelets in as many bytes")
    codecs = {name: _baseline(nets, recordings, path) for name, path in config.baselines.items()}
    codecs |= _transforms(nets, recordings, coded["int8"])
    baselines = Baselines(lz77.deflate_bytes(recordings.adc), codecs)
    return summary.write_results(
        outcomes,
        baselines,
        _made_of(config, len(split.test)),
        config.out,
        cost.read_prices(),
        segment_points=mixed,
        reconstructions=reconstructions,
    )


def _made_of(config: ResultsConfig, records: int) -> "Provenance":
    """Say what the tables of CinC 2017 are made of."""
    from dynadeep.train.data import cinc2017
    from dynadeep.train.evaluation import provenance

    return provenance.provenance(
        cinc2017.DESCRIPTION,
        f"published, {records} test records",
        {
            **{f"compressor, {name}": path for name, path in config.checkpoints.items()},
            **config.baselines,
            **{f"network, {name}": path for name, path in config.nets.items()},
        },
    )


def _outcomes(nets: "Nets", recordings: "Recordings", one: Decided, precision: str) -> "Outcomes":
    from dynadeep.train import scoring

    return scoring.outcomes(
        nets,
        recordings,
        one.decoded,
        one.packet_bytes,
        one.foreseen,
        precision=precision,
        codes=one.codes,
    )


@dataclass(frozen=True)
class Asked:
    """A row of the tables."""

    task: str
    precision: str
    bound: float


def _mixed(nets: "Nets", recordings: "Recordings", one: Decided, asked: Asked) -> "Point":
    """Measure one decision a segment, which is what a board does."""
    from dynadeep.train import scoring
    from dynadeep.train.evaluation import decisions

    predicted = one.foreseen[asked.task].predicted
    expected = predicted.reshape(-1, predicted.shape[2]) + one.segment_margins[asked.task]
    return scoring.mixed_point(
        nets,
        recordings,
        one.decoded,
        one.packet_bytes,
        decisions.choose(expected, asked.bound).reshape(predicted.shape[:2]),
        task=asked.task,
        precision=asked.precision,
        bound=asked.bound,
        codes=one.codes,
    )


def _baseline(nets: "Nets", recordings: "Recordings", path: Path) -> "Outcomes":
    """Measure a codec of one level, without heads: every record is sent at it."""
    from dynadeep.train import checkpoint, measure, scoring

    loaded = checkpoint.load(path)
    coded = measure.code(loaded.model, loaded.input_map, recordings.adc)
    count, segments, codes = coded.latents[0].shape
    sizes = (
        packet.OVERHEAD_BYTES + 2 * recordings.adc.shape[1] // segments,
        packet.OVERHEAD_BYTES + codes,
    )
    return scoring.outcomes(
        nets,
        recordings,
        coded.decoded,
        np.tile(np.array(sizes, np.int64), (count, segments, 1)),
        {},
        precision="float",
        codes=(codes,),
    )


def _transforms(nets: "Nets", recordings: "Recordings", one: Decided) -> "dict[str, Outcomes]":
    """Measure classical codecs that get the bytes of each level, every segment sent that way."""
    from dynadeep.train import scoring
    from dynadeep.train.evaluation import transforms

    found = {}
    for name, codes in itertools.product(transforms.TRANSFORMS, one.codes):
        decoded, sizes = transforms.code_records(recordings.adc, name, codes)
        packets = np.stack([one.packet_bytes[:, :, 0], packet.OVERHEAD_BYTES + sizes], axis=2)
        found[f"{name}, {codes} bytes"] = scoring.outcomes(
            nets, recordings, (decoded,), packets, {}, precision="float", codes=(codes,)
        )
    return found
