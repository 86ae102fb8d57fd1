"""The recordings that the kit ships: test records that the shipped networks never saw."""

from dataclasses import replace

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.recordings.record import Record, cut_record


def sample_records(manifest: Manifest, *, segments: int | None = None) -> list[Record]:
    """Read records that the model's network never saw, from the excerpts that the kit ships.

    They are test records of the database that it was trained on last: CinC 2017 or MIT-BIH (DS2).

    Args:
        manifest: gives the segment length, and what the network was trained on.
        segments: at most this many of each record; all of them if None.
    """
    length = manifest.segment_length
    stop = None if segments is None else segments * length
    if manifest.record.get("training", {}).get("dataset") == "cinc2017":
        return _sample_of_cinc2017(length, stop)
    from dynadeep.train.data import mitdb  # needs wfdb

    return [
        cut_record(name, mitdb.read_record(mitdb.SAMPLE_FOLDER, name, samples=stop), length)
        for name in mitdb.DS2
    ]


def _sample_of_cinc2017(length: int, stop: int | None) -> list[Record]:
    """Cut the excerpt's records as the published split does, their rhythm beside them."""
    from dynadeep.train.data import cinc2017  # needs wfdb

    records, _ = cinc2017.read_records(cinc2017.SAMPLE_FOLDER)
    cut = cinc2017.cut(records)[:, :stop]
    return [
        replace(cut_record(record.name, samples, length), label=record.label)
        for record, samples in zip(records, cut, strict=True)
    ]
