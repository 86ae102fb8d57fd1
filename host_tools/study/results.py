"""The tables and plots, measured on the test records: in float, and as the board runs it."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dynadeep.host_tools.codec import packet
from dynadeep.host_tools.study import coded, reconstruction
from dynadeep.host_tools.study.export import export_once

if TYPE_CHECKING:
    from dynadeep.train.data.cinc2017 import Parts
    from dynadeep.train.evaluation.gallery import Example
    from dynadeep.train.evaluation.outcomes import Outcomes
    from dynadeep.train.evaluation.provenance import Provenance
    from dynadeep.train.measure import Nets
    from dynadeep.train.scoring import Codec, Recordings

Say = Callable[[str], None]

SEGMENT_BOUNDS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.2, 1.5)
"""Where one decision a segment is measured too: the task networks read each new mix of levels."""

SHOWN_SEGMENT = 2
"""Of each record in the gallery: the middle one of five."""


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
    int8 = coded.run_int8(bundles, loaded, recordings, config.work)
    say("float     through PyTorch")
    codecs = [coded.run_float(loaded, recordings, int8.packet_bytes), int8]
    say("tasks     on each level of both")
    outcomes = {codec.precision: scoring.outcomes(nets, recordings, codec) for codec in codecs}
    say("segments  one decision each")
    mixed = [
        point
        for codec in codecs
        for point in scoring.segment_points(
            nets, recordings, codec, outcomes[codec.precision], SEGMENT_BOUNDS
        )
    ]
    say("compare   with DCT and wavelets in as many bytes")
    baselines = Baselines(
        lz77.deflate_bytes(recordings.adc),
        {name: _baseline(nets, recordings, path) for name, path in config.baselines.items()},
        _transforms(nets, recordings, int8),
    )
    say("write     tables and plots")
    return summary.write_results(
        outcomes,
        baselines,
        _made_of(config, len(split.test)),
        config.out,
        cost.read_prices(),
        segment_points=mixed,
        examples=_examples(recordings, int8, outcomes["int8"]),
        reconstructions=reconstructions,
    )


def _examples(recordings: "Recordings", codec: "Codec", scored: "Outcomes") -> "list[Example]":
    """Return a segment of each record that the gallery shows, as the rhythm's heads send it."""
    from dynadeep.train.evaluation import decisions, gallery, table1
    from dynadeep.train.evaluation.outcomes import RHYTHM, SEGMENT_SAMPLES

    sent = decisions.by_segment(scored.task(RHYTHM), table1.BOUND)
    part = slice(SHOWN_SEGMENT * SEGMENT_SAMPLES, (SHOWN_SEGMENT + 1) * SEGMENT_SAMPLES)
    names = scored.level_names[1:]
    return [
        gallery.Example(
            record=scored.names[row],
            label=int(scored.labels[row]),
            raw=recordings.adc[row, part],
            decoded={n: d[row, part] for n, d in zip(names, codec.decoded, strict=True)},
            prdn=dict(zip(names, map(float, scored.prdn[row]), strict=True)),
            sizes=dict(
                zip(names, map(int, codec.packet_bytes[row, SHOWN_SEGMENT, 1:]), strict=True)
            ),
            sent=scored.level_names[sent[row, SHOWN_SEGMENT]],
        )
        for row in gallery.pick(scored)
    ]


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


def _baseline(nets: "Nets", recordings: "Recordings", path: Path) -> "Outcomes":
    """Measure a codec of one level, without heads: every record is sent at it."""
    from dynadeep.train import checkpoint, measure, scoring

    loaded = checkpoint.load(path)
    output = measure.code(loaded.model, loaded.input_map, recordings.adc)
    count, segments, codes = output.latents[0].shape
    sizes = (
        packet.OVERHEAD_BYTES + 2 * recordings.adc.shape[1] // segments,
        packet.OVERHEAD_BYTES + codes,
    )
    packets = np.tile(np.array(sizes, np.int64), (count, segments, 1))
    codec = scoring.Codec("float", (codes,), output.decoded, packets)
    return scoring.outcomes(nets, recordings, codec)


def _transforms(
    nets: "Nets", recordings: "Recordings", compressor: "Codec"
) -> "dict[str, dict[str, Outcomes]]":
    """Measure classical codecs that get the bytes of each level, every segment sent that way."""
    from dynadeep.train import scoring
    from dynadeep.train.evaluation import transforms
    from dynadeep.train.evaluation.outcomes import level_name

    outcomes: dict[str, dict[str, Outcomes]] = {}
    for name, codes in itertools.product(transforms.TRANSFORMS, compressor.codes):
        decoded, sizes = transforms.code_records(recordings.adc, name, codes)
        packets = np.stack(
            [compressor.packet_bytes[:, :, 0], packet.OVERHEAD_BYTES + sizes], axis=2
        )
        codec = scoring.Codec("float", (codes,), (decoded,), packets)
        measured = scoring.outcomes(nets, recordings, codec)
        outcomes.setdefault(name, {})[level_name(codes)] = measured
    return outcomes
