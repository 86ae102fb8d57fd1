"""Read a recording of any format that the kit knows, for a model."""

import os
from dataclasses import replace
from pathlib import Path

from dynadeep.codegen.bundle import Manifest
from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings import edf_format, numpy_format, text_format, wfdb_format
from dynadeep.host_tools.recordings.channel import Recording
from dynadeep.host_tools.recordings.convert import Stated, convert, doubts
from dynadeep.host_tools.recordings.leads import choose
from dynadeep.host_tools.recordings.record import Record, cut_record

NOTHING_STATED = Stated()
FORMATS = "a WFDB record, .edf, .bdf, .npy, .npz, .csv, .tsv or .txt"


def read_record(path: Path, manifest: Manifest, stated: Stated = NOTHING_STATED) -> Record:
    """Read a recording in the ADC units and at the rate of the model of ``manifest``.

    Args:
        path: a WFDB record (with or without a suffix), or a file of one of FORMATS.
        manifest: gives segment length, sample rate, and ADC units.
        stated: what the file itself does not say.

    Raises:
        EcgError: no such file, a format that the kit does not read, not a recording of this model's
            rate or scale, or too short.
        RecordingError: a WFDB record that is damaged or contradicts itself.
        MissingDependencyError: the package for the format is not installed.
    """
    recording = _read(path, manifest, stated)
    channel, choice = choose(recording, stated.channel)
    converted = convert(recording.name, channel, stated, manifest)
    record = cut_record(recording.name, converted.samples, manifest.segment_length)
    warnings = doubts(recording.name, converted, manifest)
    return replace(record, remarks=(choice, *converted.remarks, *warnings))


def _read(path: Path, manifest: Manifest, stated: Stated) -> Recording:
    """Read a file by its suffix; what has a WFDB header beside it is a WFDB record."""
    suffix = path.suffix.lower()
    if suffix in numpy_format.SUFFIXES:
        return numpy_format.read(path, manifest.segment_length)
    if suffix in text_format.SUFFIXES:
        return text_format.read(path, columns_meant=stated.channel is not None)
    if suffix in edf_format.SUFFIXES:
        return edf_format.read(path)
    record = wfdb_format.record_path(path)
    if record is not None:
        return wfdb_format.read(record)
    if not os.path.lexists(path):
        raise EcgError(f"{path}: no such file, and no such record: {path}.hea is not there either.")
    if path.is_dir():
        raise EcgError(f"{path}: a folder. Name a recording in it.")
    raise EcgError(f"{path}: of a format that the kit does not read. Give {FORMATS}.")
