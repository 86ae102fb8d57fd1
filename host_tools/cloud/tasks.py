"""What the frozen task networks make of decoded ECG: a row for each window without a gap."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dynadeep.host_tools.cloud import schema
from dynadeep.host_tools.cloud.models import Model, Models
from dynadeep.host_tools.cloud.pieces import Floats, Piece, Segment
from dynadeep.host_tools.errors import ArchiveError

RATE_HZ = 300
GAIN = 1000.0
"""ADC units per millivolt of the records that the task networks were trained on."""

WINDOW_SAMPLES = 8000
"""Nearly a record of CinC 2017: four segments of 2000 samples."""

BATCH = 16

WINDOW_FIELDS = [
    *(schema.SCHEMA.field(name) for name in ("stream", "index")),
    pa.field("count", pa.int64(), nullable=False),
    *(schema.SCHEMA.field(name) for name in ("time", "model")),
]


@dataclass(frozen=True)
class TaskKind:
    """A task's columns, and how they are made of windows, float32 [N, T], CinC's ADC units."""

    fields: tuple[pa.Field, ...]
    run: Callable[[Any, Floats], list[Any]]  # the loaded task, windows -> a list a column


def _rhythm(task: Any, windows: Floats) -> list[Any]:
    import torch

    from dynadeep.train.data.cinc2017 import CLASSES
    from dynadeep.train.tasks.base import standardise

    with torch.no_grad():
        probabilities = task.probabilities(standardise(torch.from_numpy(windows))).numpy()
    names = [CLASSES[i] for i in probabilities.argmax(axis=1)]
    return [names, *(probabilities[:, i].tolist() for i in range(probabilities.shape[1]))]


def _rpeaks(task: Any, windows: Floats) -> list[Any]:
    import torch

    from dynadeep.train.tasks.base import standardise
    from dynadeep.train.tasks.peaks import find_peaks

    curves = task.reference(standardise(torch.from_numpy(windows))).numpy()
    rate = RATE_HZ / task.net.config.decimation
    return [[find_peaks(curve, rate).tolist() for curve in curves]]


TASKS: dict[str, TaskKind] = {
    "rhythm": TaskKind(
        (
            pa.field("rhythm", pa.string()),  # A, N, O or ~, as CinC 2017 calls them
            *(pa.field(name, pa.float32()) for name in ("af", "normal", "other", "noisy")),
        ),
        _rhythm,
    ),
    "rpeaks": TaskKind((pa.field("peaks_s", pa.list_(pa.float64())),), _rpeaks),
}
"""``peaks_s`` are seconds from the window's begin."""


def check_task(name: str, models: Models) -> None:
    """Refuse a task that there is none of, or whose network the models' ECG does not suit.

    Raises:
        ArchiveError: it says which.
        MissingDependencyError: PyTorch is not installed.
    """
    if name not in TASKS:
        raise ArchiveError(f"--task {name}: there is no such task. Name {' or '.join(TASKS)}.")
    for model in models.values():
        if model.manifest.rate_hz != RATE_HZ:
            raise ArchiveError(
                f"--task {name}: its network takes ECG of {RATE_HZ} Hz, that of model "
                f"{model.manifest.model_id} has {model.manifest.rate_hz}. Leave out --task, or "
                f"the bundle {model.folder}."
            )
    _task(name)


@functools.cache
def _task(name: str) -> Any:
    """Return a task's network, loaded once a process."""
    from dynadeep.host_tools.cloud.extra import require

    require("torch", "safetensors")
    import torch

    from dynadeep.train.tasks import load_task

    torch.set_num_threads(1)  # as many processes as cores decode
    return load_task(name)


class TaskOutput:
    """Runs a task on the pieces of a day, and writes ``TASK.parquet``."""

    def __init__(self, name: str, folder: Path, models: Models) -> None:
        self._task, self._kind, self._models = _task(name), TASKS[name], models
        self._schema = pa.schema([*WINDOW_FIELDS, *self._kind.fields])
        self._writer = pq.ParquetWriter(
            folder / f"{name}.parquet", self._schema, compression="zstd"
        )
        self._window: list[Segment] = []
        self._pending: list[list[Segment]] = []

    def take(self, piece: Piece) -> None:
        """Cut the next piece into windows, and write what the network says of full batches."""
        for segment in piece.segments():
            if self._window and not _follows(segment, self._window[-1]):
                self._window = []
            self._window.append(segment)
            if len(self._window) == self._per_window(segment):
                self._pending.append(self._window)
                self._window = []
            if len(self._pending) == BATCH:
                self._run()

    def close(self) -> None:
        """Run what is left, and end the file."""
        self._run()
        self._writer.close()

    def _per_window(self, segment: Segment) -> int:
        length = self._models[segment.model].manifest.segment_length
        return max(1, round(WINDOW_SAMPLES / length))

    def _run(self) -> None:
        """Write a row for each pending window; models of other lengths go by themselves."""
        lengths = sorted({_samples(window) for window in self._pending})
        for length in lengths:
            windows = [window for window in self._pending if _samples(window) == length]
            adc = np.stack(
                [_in_training_units(self._models[window[0].model], window) for window in windows]
            )
            firsts = [window[0] for window in windows]
            columns: list[Any] = [
                [segment.stream for segment in firsts],
                [segment.index for segment in firsts],
                [len(window) for window in windows],
                [segment.time_us for segment in firsts],
                [segment.model for segment in firsts],
                *self._kind.run(self._task, adc),
            ]
            pairs = zip(columns, self._schema, strict=True)
            arrays = [pa.array(values, field.type) for values, field in pairs]
            self._writer.write_table(pa.table(arrays, schema=self._schema))
        self._pending = []


def _follows(segment: Segment, last: Segment) -> bool:
    before = (last.stream, last.index + 1, last.model)
    return (segment.stream, segment.index, segment.model) == before


def _samples(window: list[Segment]) -> int:
    return sum(len(segment.ecg) for segment in window)


def _in_training_units(model: Model, window: list[Segment]) -> Floats:
    """Return a window in the ADC units of the records that the task was trained on."""
    joined = np.concatenate([segment.ecg for segment in window])
    scale = np.float32(GAIN / model.manifest.adc_gain)
    return np.asarray((joined - np.float32(model.manifest.adc_baseline)) * scale)
